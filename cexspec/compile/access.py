"""Access code: the expression that reads one place of a decoded message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cexspec.compile.paths import MISSING, Path, Steps, show
from cexspec.compile.source import Origin
from cexspec.compile.wire import Leaf, Wire, WireNode


@dataclass(frozen=True)
class Access:
    """`code` reads the value; `plain`: it is decoded JSON, not yet of the leaf's type; `nullable`: it may be None.

    `text`: it can only be a text, where the leaf would take an integer as well.
    """

    code: str
    plain: bool
    nullable: bool
    text: bool = False


@dataclass
class Scope:
    """Variables bound to places of the message, and the functions the generated code calls."""

    wire: Wire
    bound: dict[Steps, str] = field(default_factory=dict)
    plain: set[str] = field(default_factory=set)
    names: dict[str, object] = field(default_factory=dict)
    asked: list[tuple[Steps, Origin]] = field(default_factory=list)
    tables: dict[tuple[str, str, str], Access] = field(default_factory=dict)
    """`in`, `by` and `take` of a lookup -> the variable of its table; `plain`: what it holds is"""

    def bind(self, steps: Steps, variable: str, *, plain: bool = False) -> None:
        """`variable` holds the value at `steps`."""
        self.bound[steps] = variable
        if plain:
            self.plain.add(variable)

    def request(self, steps: Steps, leaf: Leaf, *, required: bool, words: tuple[str | int, ...] = ()) -> None:
        """Add a place to the wire type, unless it is walked."""
        if not self.walked(steps):
            self.wire.add(steps, leaf, required=required, words=words)

    def walked(self, steps: Steps) -> bool:
        """Whether a place is inside of what is decoded plain and bound to a variable."""
        return any(variable in self.plain and steps[: len(known)] == known for known, variable in self.bound.items())

    def access(self, base: Steps, path: Path) -> Access:
        """Read `path` seen from the place `base`."""
        steps = base + path.steps
        prefix = max((known for known in self.bound if steps[: len(known)] == known), key=len)
        variable = self.bound[prefix]
        rest = steps[len(prefix) :]
        if variable in self.plain:
            return self._find(variable, Path(path.text, rest, path.rest))
        return self._typed(variable, self.wire.node(prefix), rest, path)

    def constant(self, value: object, name: str) -> str:
        """A name in the generated code for a value."""
        unique = f"{name}_{len(self.names)}"
        self.names[unique] = value
        return unique

    def _typed(self, code: str, node: WireNode, rest: Steps, path: Path) -> Access:
        guards: list[str] = []
        nullable = False
        for at, step in enumerate(rest):
            if node.plain:
                found = self._find(code, Path(show(rest[at:]), rest[at:], path.rest))
                return Access(_guard(guards, found.code), True, True)
            if nullable:
                variable = f"v{len(guards)}"
                guards.append(f"({variable} := {code}) is None")
                code = variable
            node = node.members[step]
            code = f"{code}.{node.attribute}"
            nullable = not node.required
        if path.rest is not None:
            found = self._find(code, Path("$", (), path.rest))
            return Access(_guard(guards, found.code), True, True)
        return Access(_guard(guards, code), node.plain, nullable or bool(guards), node.leaf is Leaf.STRING)

    def _find(self, code: str, path: Path) -> Access:
        if not path.steps and path.rest is None:
            return Access(code, True, True)
        return Access(f"{self.constant(finder(path), 'find')}({code})", True, True)


def finder(path: Path) -> Callable[[object], object]:
    """The first value at a path, None where there is none."""

    def find(document: object) -> object:
        value = path.first(document)
        return None if value is MISSING else value

    return find


def _guard(guards: list[str], code: str) -> str:
    for guard in reversed(guards):
        code = f"None if {guard} else {code}"
    return f"({code})" if guards else code
