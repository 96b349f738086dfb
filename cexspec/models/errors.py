"""The error tree. A class decides what to do about it: read the flags, not the text.

CexspecError
|-- SpecError                 a spec is wrong (carries the problems, each with file:line:col)
|-- ConfigError               a configuration is wrong (carries the problems, each with file:line:col)
|-- DecodeError               a payload no longer fits its spec (carries payload path and spec position)
|-- NotSupported              the spec does not declare this operation or stream
|-- TradingDisabled           this client may not trade; nothing was sent
|-- BookOutOfSync             a maintained book can't be read now; retryable
|-- TransportError            the network failed            retryable
|   |-- NetworkError          DNS, refused, reset, TLS
|   |-- TimeoutError          no answer in time
|   `-- ConnectionLost        an open connection ended
|-- OrderUnknown              sent, outcome unknown         outcome_unknown, never retried
`-- ExchangeError             the venue answered with an error
    |-- RateLimitExceeded     retryable after `retry_after`
    |-- ExchangeUnavailable   retryable
    |-- TimestampError        retryable once the clock is corrected
    |-- InvalidSymbol, InvalidRequest, AuthenticationError, PermissionDenied,
    |-- InsufficientFunds, InvalidOrder, OrderNotFound, DuplicateOrder      terminal
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cexspec.models.order_request import OrderRequest


class CexspecError(Exception):
    """Base of every error cexspec raises on purpose.

    `retryable`: the same idempotent call may succeed later. `terminal`: repeating it cannot help.
    `outcome_unknown`: it may have taken effect; look before acting again.
    """

    retryable: ClassVar[bool] = False
    terminal: ClassVar[bool] = True
    outcome_unknown: bool = False


class SpecError(CexspecError):
    """A spec cannot be compiled. `problems` are rendered lines, each starting with file:line:col."""

    def __init__(self, message: str, problems: Sequence[object] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class ConfigError(CexspecError):
    """A configuration can't be used. Its text shows every problem with its place; no text of it holds a value of the file."""

    def __init__(self, message: str, problems: Sequence[object] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class DecodeError(CexspecError):
    """A payload does not fit its spec.

    `path` is the place in the payload (`$.data[0].px`), `position` the spec line that asked for it.
    """

    terminal = False

    def __init__(self, message: str, *, exchange: str, channel: str = "", path: str = "", position: str = "") -> None:
        self.exchange, self.channel, self.path, self.position = exchange, channel, path, position
        where = " ".join(part for part in (exchange, channel, path) if part)
        asked = f" (asked for at {position})" if position else ""
        super().__init__(f"{where}: {message}{asked}")


class NotSupported(CexspecError):
    """The spec of this exchange does not declare the operation or stream."""


class TradingDisabled(CexspecError):
    """This client may not do that: nothing was sent. The text says how to allow it."""


class BookOutOfSync(CexspecError):
    """A maintained order book is not known to be right at the moment; it is being begun anew."""

    retryable = True
    terminal = False


class TransportError(CexspecError):
    """The network failed before or while the venue answered. `unsent`: surely before anything was sent."""

    retryable = True
    terminal = False
    unsent: bool = False


class NetworkError(TransportError):
    """DNS failure, refused or reset connection, TLS failure."""


class TimeoutError(TransportError):
    """No answer within the timeout."""


class ConnectionLost(TransportError):
    """An open connection ended. `code` is the WebSocket close code where there was one."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class OrderUnknown(CexspecError):
    """An order (or a change of one) was sent and its outcome is unknown: look it up, never send it again.

    `symbol` and `client_order_id` (or `order_id`) name it; `request` is what was asked for, where an order was placed.
    """

    terminal = False
    outcome_unknown = True

    def __init__(
        self,
        message: str,
        *,
        symbol: str | None = None,
        client_order_id: str | None = None,
        order_id: str | None = None,
        request: OrderRequest | None = None,
    ) -> None:
        super().__init__(message)
        self.symbol, self.client_order_id, self.order_id, self.request = symbol, client_order_id, order_id, request


class ExchangeError(CexspecError):
    """The venue refused. Holds the venue's own `code` and `message`, where, and the `raw` answer.

    `outcome_unknown` is true of answers that say, or let one fear, that the request may have taken effect all the same.
    """

    def __init__(
        self,
        message: str,
        *,
        exchange: str = "",
        code: str | None = None,
        endpoint: str = "",
        http_status: int | None = None,
        raw: str = "",
    ) -> None:
        self.message, self.exchange, self.code = message, exchange, code
        self.endpoint, self.http_status, self.raw = endpoint, http_status, raw
        where = " ".join(part for part in (exchange, endpoint) if part)
        what = f"[{code}] {message}" if code is not None else message
        status = f" (HTTP {http_status})" if http_status is not None else ""
        super().__init__(f"{where}: {what}{status}" if where else f"{what}{status}")


class RateLimitExceeded(ExchangeError):
    """Too many requests. `retry_after`: seconds to wait, where known."""

    retryable = True
    terminal = False
    retry_after: float | None = None


class InvalidSymbol(ExchangeError):
    """The venue, or its spec's symbol rules, does not know this symbol (`symbol`)."""

    symbol: str | None = None


class InvalidRequest(ExchangeError):
    """A parameter is missing or wrong."""


class AuthenticationError(ExchangeError):
    """Key, signature or passphrase refused."""


class PermissionDenied(ExchangeError):
    """Known key, not allowed: permission, IP, region, product."""


class InsufficientFunds(ExchangeError):
    """Not enough balance or margin."""


class InvalidOrder(ExchangeError):
    """The order breaks a rule of the instrument or venue.

    Found before anything was sent, it says which: `rule` (`tick_size`, `step_size`, `min_size`, ...), the offending `value`,
    and the `nearest` valid ones.
    """

    rule: str | None = None
    value: Decimal | str | None = None
    nearest: tuple[Decimal, ...] = ()


class OrderNotFound(ExchangeError):
    """No such order, or it is already final."""


class DuplicateOrder(ExchangeError):
    """The client order id was used before."""


class TimestampError(ExchangeError):
    """Request time outside the venue's window, or a nonce too small."""

    retryable = True
    terminal = False


class ExchangeUnavailable(ExchangeError):
    """Maintenance, overload, internal error of the venue."""

    retryable = True
    terminal = False


EXCHANGE_ERRORS: dict[str, type[ExchangeError]] = {
    cls.__name__: cls
    for cls in (
        ExchangeError,
        RateLimitExceeded,
        InvalidSymbol,
        InvalidRequest,
        AuthenticationError,
        PermissionDenied,
        InsufficientFunds,
        InvalidOrder,
        OrderNotFound,
        DuplicateOrder,
        TimestampError,
        ExchangeUnavailable,
    )
}
"""The classes a spec's `errors.codes` may name."""
