"""Errors: which answers are errors, and of which class. Error bodies are rare, so they are decoded plainly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from http import HTTPStatus

import msgspec

from cexspec.compile.conditions import Predicate
from cexspec.compile.hole import NO_JSON
from cexspec.compile.lookups import compile_conditions, compile_first
from cexspec.compile.plan import ErrorPlan
from cexspec.models import EXCHANGE_ERRORS, ExchangeError, ExchangeUnavailable, RateLimitExceeded
from cexspec.spec.model import Errors
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

MAX_MESSAGE = 200
"""Characters of a body quoted as the message."""
MAX_RAW = 2_000
"""Characters of a body kept in `raw`."""
THROTTLED = (418, 429)
"""HTTP statuses that mean a rate limit, whatever the body."""

ErrorClass = type[ExchangeError]
Texts = Mapping[str, ErrorClass]
"""Text, without case, that a message contains -> what the error is then."""


def compile_errors(errors: Errors, exchange: str, findings: Findings, general: Errors | None = None) -> ErrorPlan:
    """Compile how answers say that they are errors; what `errors` doesn't say of some answers is as the `general` ones say.

    Finds CEX044 (paths), CEX046 (no such class), CEX067 (no such status).
    """
    every = [errors] if general is None else [errors, general]
    failing = next((one for one in every if one.failed is not None), errors)
    coded = next((one for one in every if one.code), errors)
    codes = {code: rule for one in reversed(every) for code, rule in one.codes.items()}
    reading = _Reading(
        exchange=exchange,
        failed=compile_conditions(failing.failed, findings, (*failing.where, "failed")) if failing.failed else None,
        code=compile_first(coded.code, findings, (*coded.where, "code")),
        message=compile_first(errors.message, findings, (*errors.where, "message")),
        codes={code: _Code(_class(rule.error), _texts(rule.messages)) for code, rule in codes.items()},
        texts=_texts({text: name for one in (*every, errors) for text, name in one.messages.items()}),
        statuses={int(status): _class(name) for one in reversed(every) for status, name in one.statuses.items() if _is_status(status)},
        default=_class(next((one for one in every if "default" in one.model_fields_set), errors).default),
        unknown=frozenset(code for one in every for code in one.unknown),
    )
    _check_classes(errors, findings)
    return ErrorPlan(reading.check, reading.read, {code: rule.error for code, rule in codes.items()})


def accepting(errors: ErrorPlan, codes: frozenset[str]) -> ErrorPlan:
    """The same, but for codes that are no errors."""

    def check(status: int, body: bytes, endpoint: str) -> ExchangeError | None:
        error = errors.check(status, body, endpoint)
        return None if error is not None and error.code in codes else error

    return replace(errors, check=check)


@dataclass(frozen=True, slots=True)
class _Code:
    """What a venue code means, or means with certain messages."""

    error: ErrorClass
    texts: Texts

    def of(self, message: str) -> ErrorClass:
        return _told(self.texts, message) or self.error


@dataclass(frozen=True, slots=True)
class _Reading:
    """How errors of one exchange are read."""

    exchange: str
    failed: Predicate | None
    code: Callable[[object], str | None]
    message: Callable[[object], str | None]
    codes: dict[str, _Code]
    texts: Texts
    statuses: dict[int, ErrorClass]
    default: ErrorClass
    unknown: frozenset[str]

    def check(self, status: int, body: bytes, endpoint: str) -> ExchangeError | None:
        """The error an HTTP answer means, or None. What is not JSON is an error from status 400."""
        try:
            document = msgspec.json.decode(body)
        except NO_JSON:
            return self._unreadable(status, body, endpoint) if status >= HTTPStatus.BAD_REQUEST else None
        if status < HTTPStatus.BAD_REQUEST and not (self.failed and self.failed(document)):
            return None
        return self._error(document, body, endpoint, status)

    def read(self, frame: bytes) -> ExchangeError:
        """The error a WebSocket message means that is known to be one."""
        try:
            return self._error(msgspec.json.decode(frame), frame, "", None)
        except NO_JSON:
            text = _quoted(frame) or "unreadable"
            return (_told(self.texts, text) or self.default)(text, exchange=self.exchange, raw=_raw(frame))

    def _error(self, document: object, body: bytes, endpoint: str, status: int | None) -> ExchangeError:
        code, message = self.code(document), self.message(document)
        known = self.codes.get(code) if code is not None else None
        text = message if message is not None else _phrase(status)
        cls = known.of(text) if known else _told(self.texts, text) or self._by_status(status, code)
        error = cls(text, exchange=self.exchange, code=code, endpoint=endpoint, http_status=status, raw=_raw(body))
        error.outcome_unknown = code in self.unknown or (known is None and _unsure(error))
        return error

    def _by_status(self, status: int | None, code: str | None) -> ErrorClass:
        if status in self.statuses:
            return self.statuses[status]
        if status in THROTTLED:
            return RateLimitExceeded
        failing = status is not None and status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return ExchangeUnavailable if failing and code is None else self.default

    def _unreadable(self, status: int, body: bytes, endpoint: str) -> ExchangeError:
        throttled = RateLimitExceeded if status in THROTTLED else ExchangeUnavailable
        text = _quoted(body) or _phrase(status)
        cls = _told(self.texts, text) or self.statuses.get(status, throttled)
        error = cls(text, exchange=self.exchange, endpoint=endpoint, http_status=status, raw=_raw(body))
        error.outcome_unknown = _unsure(error)
        return error


def _unsure(error: ExchangeError) -> bool:
    """Whether the venue broke down over a request, rather than refused it."""
    status = error.http_status or 0
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, RateLimitExceeded)


def _quoted(body: bytes) -> str:
    """The beginning of a body that is not JSON, on one line."""
    text = " ".join(body[: MAX_RAW * 4].decode(errors="replace").split())
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 3] + "..."


def _raw(body: bytes) -> str:
    return body[: MAX_RAW * 4].decode(errors="replace")[:MAX_RAW]


def _phrase(status: int | None) -> str:
    try:
        return HTTPStatus(status or 0).phrase
    except ValueError:
        return "no message"


def _class(name: str) -> ErrorClass:
    return EXCHANGE_ERRORS.get(name, ExchangeError)


def _texts(messages: Mapping[str, str]) -> Texts:
    return {text.casefold(): _class(name) for text, name in messages.items()}


def _told(texts: Texts, message: str) -> ErrorClass | None:
    """What the first of the texts that a message contains means."""
    folded = message.casefold()
    return next((error for text, error in texts.items() if text in folded), None)


def _is_status(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isdigit() and text[0] in "45"


def _check_classes(errors: Errors, findings: Findings) -> None:
    for name, where in _named(errors):
        if name not in EXCHANGE_ERRORS:
            close = get_close_matches(name, EXCHANGE_ERRORS, 1)
            hint = f"did you mean {close[0]}?" if close else f"one of {', '.join(EXCHANGE_ERRORS)}"
            findings.error("CEX046", where, f"there is no error class {name!r}", hint)
    for status in errors.statuses:
        if not _is_status(status):
            where = (*errors.where, "statuses", status)
            findings.error("CEX067", where, f"{status!r} is no HTTP status of an error", "three digits: 429, 503")


def _named(errors: Errors) -> Iterator[tuple[str, Where]]:
    at = errors.where
    for code, rule in errors.codes.items():
        yield rule.error, (*at, "codes", code)
        yield from ((name, (*at, "codes", code, "messages", text)) for text, name in rule.messages.items())
    yield from ((name, (*at, "messages", text)) for text, name in errors.messages.items())
    yield from ((name, (*at, "statuses", status)) for status, name in errors.statuses.items())
    yield errors.default, (*at, "default")
