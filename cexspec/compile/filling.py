"""From the parameters of a call to what is made of its holes: bounds, decision tables, the orders of a batch.

For each combination of rows that calls take of the tables, and of parameters that they have, there is one function, written when the
first such call comes; which one a call needs is found by the few words that decide:

    def make(given):
        get = given.get
        key = (get('type'), value if (value := get('quote_quantity')) is None or value is False else True, )
        try: make = known(key)
        except TypeError: make = None
        return (make or learn(given, key))(given)

In it those words are constants, and nothing is asked that is known by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from cexspec.compile.bounds import Bounds
from cexspec.compile.choices import TablePlan, Tables
from cexspec.compile.code import CodeWriter, Value, lazily
from cexspec.compile.conditions import text_of
from cexspec.compile.plan import ParamPlan, Params
from cexspec.compile.templates import Template
from cexspec.compile.verbs import CLOSED, FLAGS
from cexspec.models import InvalidRequest

ORDERS = "orders"
"""The hole of a batch: its orders, each as `each_order` writes it."""
MOST_KNOWN = 512
"""Decisions that are kept by what decides them: as good as all of them, since that has few words."""

_TELLING = (str, bool, type(None))
"""Types of the parameters by which a function is remembered; what equals a value of these, and is of another type, means the same."""

Make = Callable[[Params], Any]
Word = str | bool | None
"""What decides of a parameter: its word, True where it is only there; None and False, which are as good as nothing, are themselves."""
Write = Callable[[CodeWriter], str]
"""Writes what a function needs before it returns, and gives the expression that it returns."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What stands between the parameters of a call and the holes of its request."""

    bounds: Bounds
    tables: Tables

    def function(self, holes: frozenset[str], write: Write) -> Make:
        """Parameters of a call -> what `write` makes of these holes. Raises as bounds and tables do, and `KeyError(hole)`."""
        plans = self.tables.making(holes)
        flags = FLAGS & self.tables.behind(holes)
        if not plans:
            return lazily(lambda: self._written((), (), {}, flags, write))
        names = _deciding(plans, self.bounds.each.keys() & CLOSED.keys())
        made: dict[object, Make] = {}
        known: dict[object, Make] = {}

        def learn(given: Params, key: tuple[object, ...]) -> Make:
            rows = self.tables.rows(plans, given, _without_unset(self.bounds(given)))
            words = {name: _told(name, _word(value)) for name, value in zip(names, key, strict=True)}
            calls = (rows, *words.values())
            if calls not in made:
                made[calls] = self._written(plans, rows, words, flags, write)
            if len(known) < MOST_KNOWN and all(value.__class__ in _TELLING for value in key):
                known[key] = made[calls]
            return made[calls]

        return _by_decision(names, known, learn)

    def _written(
        self, plans: tuple[TablePlan, ...], rows: tuple[int, ...], words: Mapping[str, Word], flags: frozenset[str], write: Write
    ) -> Make:
        """The function for calls that take these rows, and of whose parameters this is known."""
        code = CodeWriter()
        with code.block("def make(given)"):
            code.line("get = given.get")
            for name, word in words.items():
                _bind(code, name, word)
            self.bounds.write(code)
            for name in sorted(flags - words.keys()):
                value = code.bound[name].code if name in code.bound else code.made(f"get({name!r})")
                code.line(f"if {value} is False: {value} = None")
                code.bound[name] = Value(value)
            for plan, at in zip(plans, rows, strict=True):
                code.bound[plan.name] = code.entry(plan.rows[at].tree, plan.optional)
            code.line(f"return {write(code)}")
        return code.function("make")


def _by_decision(names: Mapping[str, bool], known: Mapping[Any, Make], learn: Callable[[Params, tuple[object, ...]], Make]) -> Make:
    """The function that finds the one for a call."""
    code = CodeWriter()
    with code.block("def make(given)"):
        code.line("get = given.get")
        code.line(f"key = ({''.join(f'{_deciding_code(name, worded)}, ' for name, worded in names.items())})")
        code.line(f"try: make = {code.constant(known.get)}(key)")
        code.line("except TypeError: make = None")  # a list, of which nothing is known
        code.line(f"return (make or {code.constant(learn)}(given, key))(given)")
    return code.function("make")


def _deciding(plans: tuple[TablePlan, ...], bounded: Set[str]) -> dict[str, bool]:
    """What decides: parameters, and whether their words do or only that they are there; the venue's words for `bounded` ones, too.

    Where a table looks at what another one made, the holes of that one decide.
    """
    looked = {name for plan in plans for name in plan.looks}
    through = [plan for plan in plans if plan.name in looked and not plan.hidden]
    worded = frozenset().union(*(plan.worded for plan in plans), *(plan.holes for plan in through), bounded)
    return {name: name in worded for name in sorted({*looked, *worded} - {plan.name for plan in through})}


def _deciding_code(name: str, worded: bool) -> str:
    """What decides of a parameter, as an expression: itself, or (None and False aside) only that it is there."""
    return f"get({name!r})" if worded else f"value if (value := get({name!r})) is None or value is False else True"


def _word(value: object) -> Word:
    """What conditions see of a value."""
    if value is None or value is False:
        return value
    text = text_of(value)
    return text if text is not None else repr(value)


def _told(name: str, word: Word) -> Word:
    """What a function may know of a parameter: a word of a closed list, else only that it is there."""
    return word if word is None or word is False or word in CLOSED.get(name, ()) else True


def _bind(code: CodeWriter, name: str, word: Word) -> None:
    """From here on the hole of a parameter holds what is known of it."""
    if word is None or (word is False and name in FLAGS):
        code.bound[name] = Value("None", "nothing")
    elif isinstance(word, str):
        code.bound[name] = Value.constant(word)
    else:
        code.sure.add(name)


def compile_batch(each: Template, filling: Filling, most: ParamPlan | None, exchange: str, endpoint: str) -> Make:
    """The orders of a call, each as the tree `each` of its own parameters and the call's. Raises `KeyError` where there are none."""
    make = filling.function(each.holes, lambda code: code.tree(each.tree, each.optional))
    limit = most.max if most is not None else None

    def fill(given: Params) -> list[Any]:
        orders = given[ORDERS]
        if limit is not None and len(orders) > limit:
            raise InvalidRequest(f"{len(orders)} orders: it takes {limit} in a call", exchange=exchange, endpoint=endpoint)
        return [make({**given, **order}) for order in orders]

    return fill


def _without_unset(values: dict[str, Any]) -> dict[str, Any]:
    """Flags that aren't set have no value."""
    for name in FLAGS:
        if values.get(name) is False:
            values[name] = None
    return values
