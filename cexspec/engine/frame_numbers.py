"""The numbers that the frames of a connection carry: how many were lost before one, or whether it repeats the last."""

from __future__ import annotations

from collections.abc import Callable

from cexspec.compile.reader import FAILURES


class FrameNumbers:
    """Counts the frames of one connection; `number` reads a frame's, or None where it has none."""

    def __init__(self, number: Callable[[bytes], int | None]) -> None:
        self._number = number
        self._last: int | None = None

    def missed(self, frame: bytes | str) -> int | None:
        """Frames that are missing before this one; None: it is the last one again. One that comes late counts like a hole."""
        try:
            number = self._number(frame.encode() if isinstance(frame, str) else frame)
        except FAILURES:  # the reader says what is wrong with the frame
            return 0
        if number is None:
            return 0
        before, self._last = self._last, number
        if before is None:
            return 0
        return None if number == before else abs(number - before - 1)
