"""The spec language: pydantic models that are its one definition.

The loader hands over plain text scalars; these models convert them. Unknown keys are errors by construction.
`schemas/exchange.schema.json` and `docs/spec-language.md`'s tables are generated from here.
"""

from cexspec.spec.model.auth import Auth, Credential, KeyOf, Recipe, Step, Value
from cexspec.spec.model.conditions import Condition, Conditions
from cexspec.spec.model.exchange import Environment, ExchangeSpec
from cexspec.spec.model.fields import Branching, FieldRule, Lookup, Place
from cexspec.spec.model.limits import Errors, Pool, Usage, Weight
from cexspec.spec.model.mapping import Checksum, Levels, Mapping, Merge, Sequence, Sync
from cexspec.spec.model.node import Node
from cexspec.spec.model.orders import ClientOrderId, Orders
from cexspec.spec.model.rest import Each, Operation, Page, Param
from cexspec.spec.model.symbols import Category, SymbolFormat, Symbols
from cexspec.spec.model.ws import Also, Bootstrap, Channel, Connection, Greet, Keepalive, Role, Route, Subscribe, WebSocket

__all__ = [
    "Also",
    "Auth",
    "Bootstrap",
    "Branching",
    "Category",
    "Channel",
    "Checksum",
    "ClientOrderId",
    "Condition",
    "Conditions",
    "Connection",
    "Credential",
    "Each",
    "Environment",
    "Errors",
    "ExchangeSpec",
    "FieldRule",
    "Greet",
    "Keepalive",
    "KeyOf",
    "Levels",
    "Lookup",
    "Mapping",
    "Merge",
    "Node",
    "Operation",
    "Orders",
    "Page",
    "Param",
    "Place",
    "Pool",
    "Recipe",
    "Role",
    "Route",
    "Sequence",
    "Step",
    "Subscribe",
    "SymbolFormat",
    "Symbols",
    "Sync",
    "Usage",
    "Value",
    "WebSocket",
    "Weight",
]
