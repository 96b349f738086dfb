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

from tools.cassettes.masking import USUAL, Masks

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
def recording(path: Path, head: Head, rename: Rename = str, masks: Masks = USUAL) -> Iterator[None]:
    """Record what happens in the block. `head` may be filled until its end; `rename` gives the URL that is written down."""
    recorder = vcr.VCR(
        record_mode="all",
        match_on=MATCH_ON,
        serializer="described",
        before_record_request=lambda request: filtered_request(request, rename, masks),
        before_record_response=lambda response: filtered_response(response, masks),
    )
    recorder.register_serializer("described", Described(head))
    with recorder.use_cassette(str(path)):
        yield


@contextmanager
def replaying(path: Path, masks: Masks = USUAL) -> Iterator[Any]:
    """Replay a cassette: each answer once, each request as recorded (so far as it is not masked), and no other."""
    filtered = {"before_record_request": lambda request: filtered_request(request, masks=masks)} if masks is not USUAL else {}
    player = vcr.VCR(record_mode="none", match_on=MATCH_ON, **filtered)
    with player.use_cassette(str(path), allow_playback_repeats=False) as cassette:
        yield cassette


def filtered_request(request: Request, rename: Rename = str, masks: Masks = USUAL) -> Request:
    """A copy of the request without secrets."""
    (mask_url, mask_text), body = masks, request.body
    if isinstance(body, bytes):
        body = mask_text(body.decode(errors="replace"))
    headers = {name: value for name, value in request.headers.items() if name.lower() in REQUEST_HEADERS}
    return Request(request.method, mask_url(rename(request.uri)), body, headers)


def filtered_response(response: dict[str, Any], masks: Masks = USUAL) -> dict[str, Any]:
    """The response without secrets."""
    body = dict(response["body"])
    if isinstance(body.get("string"), bytes):
        body["string"] = masks[1](body["string"].decode(errors="surrogateescape")).encode(errors="surrogateescape")
    kept = {name: value for name, value in response["headers"].items() if any(word in name.lower() for word in RESPONSE_HEADERS)}
    return {**response, "headers": kept, "body": body}
