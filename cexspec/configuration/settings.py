"""What a configuration may say: the keys of the file, and of each exchange in it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, create_model

from cexspec.models import Credentials
from cexspec.spec.model.node import Count, Flag, Name, Node, Seconds, Url, key


def _with_unit(value: Any) -> Any:
    """A bare number means seconds, as it does for the arguments of `Client`."""
    return f"{value}s" if isinstance(value, str) and value.replace(".", "", 1).isdigit() else value


Duration = Annotated[Seconds, BeforeValidator(_with_unit)]
Balance = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]


class Rate(Node):
    """A budget of one's own in place of the spec's."""

    rate: Count = key("Units per period", 100)
    period: Duration = key("The period: seconds, or a number and a unit", "60s")


class Reach(Node):
    """An environment of one's own."""

    rest: Url | None = key("Where REST calls go", "http://127.0.0.1:8080", None)
    ws: dict[Name, Url] = key("Connection -> URL", {"public": "ws://127.0.0.1:8081"}, {})
    headers: dict[str, str] = key("Headers of every request", {"X-Trace": "1"}, {})
    paper: Flag = key("Whether only market data comes from there, and orders are matched on paper", "true", False)


class Settings(Node):
    """What is said of one exchange, besides the credentials that its spec names."""

    enabled: Flag = key("Whether a client is made of it", "true", True)
    spec: str | None = key(
        "The id of a shipped spec, or the path of a YAML file from here; without it the key is the id", "mine.yaml", None
    )
    environment: str | Reach | None = key("A name from the spec, `paper`, or URLs", "testnet", None)
    rate_limits: dict[Name, Rate] = key("Pool -> a budget in place of the spec's", {"weight": {"rate": "600", "period": "60"}}, {})
    allow_trading: Flag = key("Whether orders may be sent to the live exchange", "true", False)
    max_notional: Positive | dict[str, Positive] | None = key(
        "Orders that are worth more quote currency are refused; a number for whichever it is, or one for each", {"USDT": "1000"}, None
    )
    dry_run: Flag = key("Whether orders are shown and not sent", "true", False)
    paper_balances: dict[str, Balance] | None = key("Currency -> amount to begin with on paper", {"USDT": "10000"}, None)
    recv_window: Duration | None = key("How late a request may be at the venue: seconds, or a number and a unit", "5s", None)
    number: Literal["decimal", "float"] = key("How numbers are read", "float", "decimal")
    timeout: Duration = key("For one request: seconds, or a number and a unit", "10s", 10.0)
    on_limit: Literal["wait", "raise"] = key("What happens where a budget is used up", "raise", "wait")
    keyring: Flag = key("Whether credentials that are not given are looked up in the system's keyring", "true", False)

    def given(self, name: str) -> bool:
        """Whether the file says it."""
        return name in self.model_fields_set

    def credentials(self) -> Credentials:
        """The credentials that the file gives, by the names of the spec."""
        own = type(self).model_fields.keys() - Settings.model_fields.keys()
        return Credentials({name: getattr(self, name) or "" for name in type(self).model_fields if name in own})


PLAIN = {name for model in (Settings, Rate, Reach) for name in model.model_fields} - {"headers"}
"""Keys whose values are no secrets."""


def settings_with(credentials: Iterable[str]) -> type[Settings]:
    """The settings of an exchange whose spec names these credentials."""
    fields: dict[str, Any] = {name: (str | None, _secret(name)) for name in credentials}
    return create_model("ExchangeSettings", __base__=Settings, **fields)


def _secret(name: str) -> Any:
    return Field(default=None, repr=False, description=f"The {name} of the spec's `auth`", examples=[f"${{{name.upper()}}}"])


class Top(Node):
    """The file, but for its `exchanges`."""

    limits_store: str | None = key("Where budgets are kept that several processes share", "redis://127.0.0.1:6379/0", None)


def top_with(exchanges: dict[str, type[Settings]]) -> type[Top]:
    """The whole file, with these exchanges in it."""
    fields: dict[str, Any] = {f"exchange_{at}": (model, Field(alias=name)) for at, (name, model) in enumerate(exchanges.items())}
    inner = create_model("Exchanges", __base__=Node, **fields)
    return create_model(
        "Configuration", __base__=Top, exchanges=(inner, key("Name -> what is said of it", {"venue": {"environment": "demo"}}))
    )
