"""Pages: how an operation continues, in its query or in its JSON body."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cexspec.compile.http_request import Part
from cexspec.compile.lookups import compile_lookup, text_at
from cexspec.compile.plan import PagePlan
from cexspec.compile.targets import targets
from cexspec.models import MODELS
from cexspec.spec.model import Operation, Page
from cexspec.spec.model.node import TreeNode
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where


def compile_page(operation: Operation, findings: Findings) -> PagePlan | None:
    """How an operation continues; None where it doesn't. Finds CEX044 (the cursor's path), CEX063 and CEX069.

    A body or form takes the key that continues, unless the query has it.
    """
    page = operation.page
    if page is None:
        return None
    within = _within(operation, page)
    _check(operation, page, findings, within)
    cursor = _cursor(page.cursor, findings, (*page.where, "cursor")) if page.cursor is not None else None
    return PagePlan(page.direction, page.param, page.by, page.unit, page.inclusive, tuple(page.drop), cursor, within, page.all)


def _within(operation: Operation, page: Page) -> Part:
    if page.param in operation.query:
        return "query"
    return "form" if operation.form is not None else "body" if operation.body is not None else "query"


def _cursor(path: str, findings: Findings, where: Where) -> Callable[[bytes], str | None]:
    lookup = compile_lookup(path, findings, where)
    return lambda body: text_at(lookup, msgspec.json.decode(body))


def _check(operation: Operation, page: Page, findings: Findings, within: Part) -> None:
    in_body = within == "body"
    keys = [*operation.query, *(_keys(operation.body) if in_body else ()), *(operation.form or ())]
    for at, name in enumerate(page.drop):
        if name not in keys:
            what = f"the {within} has"
            hint = f"one of: {', '.join(keys)}"
            findings.error("CEX069", (*page.where, "drop", at), f"{what} no key '{name}' that could be left out", hint)
    around = page.param.rpartition(".")[0]
    if in_body and not isinstance(_inside(operation.body, around), dict):
        what = f"no mapping '{around}'" if around else "no keys"
        findings.error("CEX069", (*page.where, "param"), f"the body has {what} to put '{page.param}' into", "name a key inside of it")
    if page.by not in (None, "offset") and operation.returns in MODELS and page.by not in targets(operation.returns):
        findings.error("CEX063", (*page.where, "by"), f"a {operation.returns} has no '{page.by}' to continue from", "continue by timestamp")


def _keys(tree: TreeNode, before: str = "") -> list[str]:
    """The keys of a body and of the mappings inside, these with dots."""
    found = []
    for name, inner in tree.items() if isinstance(tree, dict) else ():
        found += [f"{before}{name}", *_keys(inner, f"{before}{name}.")]
    return found


def _inside(tree: TreeNode, dotted: str) -> TreeNode:
    """What a body holds at a key with dots; the body itself at no key."""
    for name in dotted.split(".") if dotted else ():
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree
