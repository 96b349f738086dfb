"""REST cassettes: what the real client asks and is answered, kept by vcrpy, without secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vcr
import yaml
from vcr.request import Request

from cexspec.transport.secrets import masked_text, masked_url

MATCH_ON = ("method", "scheme", "host", "port", "path", "query", "body")
REQUEST_HEADERS = ("accept", "content-type", "user-agent")
RESPONSE_HEADERS = ("content-type", "limit", "remaining", "retry-after", "weight")
"""Headers that are kept: those whose names hold one of these words. Nobody has to list the secret ones."""
WIDE = 1_000_000

Head = dict[str, Any]
Rename = Callable[[str], str]


@dataclass(frozen=True)
class Described:
    """A serializer of vcrpy that writes a head above the interactions. vcrpy's own reads such a file as any other."""

    head: Head

    def serialize(self, cassette: dict[str, Any]) -> str:
        """The file: the head, then the interactions, in an order of their own."""
        interactions = sorted(cassette["interactions"], key=lambda one: (one["request"]["uri"], str(one["request"]["body"])))
        document = {**self.head, "interactions": interactions, "version": cassette["version"]}
        return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=WIDE))

    def deserialize(self, text: str) -> Any:
        """See `serialize`."""
        return yaml.safe_load(text)


@contextmanager
def recording(path: Path, head: Head, rename: Rename = str) -> Iterator[None]:
    """Record what happens in the block. `head` may be filled until its end; `rename` gives the URL that is written down."""
    recorder = vcr.VCR(
        record_mode="all",
        match_on=MATCH_ON,
        serializer="described",
        before_record_request=lambda request: filtered_request(request, rename),
        before_record_response=filtered_response,
    )
    recorder.register_serializer("described", Described(head))
    with recorder.use_cassette(str(path)):
        yield


@contextmanager
def replaying(path: Path) -> Iterator[Any]:
    """Replay a cassette: each answer once, each request as recorded, and no other."""
    player = vcr.VCR(record_mode="none", match_on=MATCH_ON)
    with player.use_cassette(str(path), allow_playback_repeats=False) as cassette:
        yield cassette


def filtered_request(request: Request, rename: Rename = str) -> Request:
    """A copy of the request without secrets."""
    body = request.body
    if isinstance(body, bytes):
        body = masked_text(body.decode(errors="replace"))
    headers = {name: value for name, value in request.headers.items() if name.lower() in REQUEST_HEADERS}
    return Request(request.method, masked_url(rename(request.uri)), body, headers)


def filtered_response(response: dict[str, Any]) -> dict[str, Any]:
    """The response without secrets."""
    body = dict(response["body"])
    if isinstance(body.get("string"), bytes):
        body["string"] = masked_text(body["string"].decode(errors="surrogateescape")).encode(errors="surrogateescape")
    kept = {name: value for name, value in response["headers"].items() if any(word in name.lower() for word in RESPONSE_HEADERS)}
    return {**response, "headers": kept, "body": body}
