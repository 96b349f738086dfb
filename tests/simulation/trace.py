"""What happened in a play, line by line. Two plays with the same digest took the same steps."""

from __future__ import annotations

from hashlib import sha256

from cexspec.transport.clock import Clock


class Trace:
    """Notes what happens, with the virtual second; `keep` keeps the lines, not only their digest."""

    def __init__(self, clock: Clock, *, keep: bool = False) -> None:
        self._clock, self._keep = clock, keep
        self._hash = sha256()
        self.lines: list[str] = []
        self.count = 0

    def note(self, what: str, where: object = "", detail: object = "") -> None:
        """One thing that happened: its kind, on what, and anything that tells it from others."""
        line = f"{self._clock.monotonic():12.6f} {what:<10} {where} {detail}".rstrip()
        self._hash.update(line.encode() + b"\n")
        self.count += 1
        if self._keep:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        """The same for the same lines."""
        return self._hash.hexdigest()[:16]
