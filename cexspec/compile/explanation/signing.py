"""How a private operation is signed: the parameters added, the values in order, the signature, headers, each with its line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cexspec.compile.exchange import Exchange
from cexspec.compile.explanation.text import Lines, Row, Section, compact, duration
from cexspec.spec.model import Recipe, Step, Value
from cexspec.spec.source import Where

_INTO = {"params": "where the request has its own", "query": "into the query", "body": "into the JSON body"}


def signing(exchange: Exchange, name: str | None, lines: Lines) -> Iterator[Section]:
    """The recipe of an operation; nothing for a public one."""
    auth = exchange.spec.auth
    if name is None or auth is None:
        return
    plan, recipe = exchange.recipe(name), auth.recipes[name]
    rows = [Row("recipe", name, lines.at(recipe.where)), Row("docs", plan.docs or "-"), Row("needs", ", ".join(sorted(plan.needs)) or "-")]
    if recipe.hook is not None:
        rows.append(Row("hook", recipe.hook, lines.at((*recipe.where, "hook"))))
    yield Section("signing", [*rows, *_parts(recipe, lines)])


def _parts(recipe: Recipe, lines: Lines) -> Iterator[Row]:
    at = recipe.where
    if recipe.expires is not None:
        yield Row("expires", f"{duration(recipe.expires)} after now", lines.at((*at, "expires")))
    for label, key, texts in (("before", "add", recipe.add), ("behind", "append", recipe.append)):
        yield from (Row(label, f"{name} = {text}", lines.at((*at, key, name))) for name, text in texts.items())
    if recipe.add or recipe.append or recipe.sign_into:
        yield Row("into", _INTO[recipe.into], lines.at(at))
    if recipe.sort:
        yield Row("sorted", "by name", lines.at((*at, "sort")))
    for name, value in recipe.values.items():
        yield from _made(name, value, (*at, "values", name), lines)
    if recipe.signature is not None:
        yield from _made("signature", recipe.signature, (*at, "signature"), lines)
    yield from (Row("header", f"{name}: {text}", lines.at((*at, "headers", name))) for name, text in recipe.headers.items())
    yield from (Row("last", f"{name} = {text}", lines.at((*at, "sign_into", name))) for name, text in recipe.sign_into.items())


def _made(name: str, value: Value, where: Where, lines: Lines) -> Iterator[Row]:
    key = "" if value.key_ is None else f" with {value.key_.of}" + (f", read as {value.key_.decode}" if value.key_.decode != "text" else "")
    for kind, step in (value.by_key or {}).items():
        yield Row(name, f"of a key that is {kind}: {_step(step, value, key)}", lines.at((*where, "by_key", kind)))
    if value.by_key is None:
        yield Row(name, _step(None, value, key), lines.at(where))


def _step(step: Step | None, value: Value, key: str) -> str:
    """What is done in one step, those keys of it that it leaves to its value filled in."""
    of, digest, encode = (_of(step, value, name) for name in ("of", "digest", "encode"))
    digested = f", {digest}{key}" if digest is not None else ""
    encoded = f", in {encode}" if encode is not None else ""
    return f"{_text(of)}{digested}{encoded}"


def _of(step: Step | None, value: Value, name: str) -> Any:
    own = getattr(step, name) if step is not None else None
    return own if own is not None else getattr(value, name)


def _text(of: Any) -> str:
    shown = f"[{compact(of)}]" if isinstance(of, list) else compact(of)
    return shown.replace("\n", "\\n")
