"""The REST side of a venue whose answers were recorded, for sessions that begin with some."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from cexspec.transport.http import HttpAnswer, HttpCall
from tools.cassettes.masking import Masks


@dataclass
class Answering:
    """An `HttpTransport` that answers what the cassettes of an exchange do, every time; `masks` are those of the cassettes."""

    folder: Path
    exchange: str
    masks: Masks

    def __post_init__(self) -> None:
        self._told: dict[tuple[str, str, str], bytes] = {}
        for path in (self.folder / "rest" / self.exchange).glob("*.yaml"):
            for one in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["interactions"]:
                request, body = one["request"], one["response"]["body"]["string"]
                key = self._key(request["method"], request["uri"], request["body"])
                self._told[key] = body if isinstance(body, bytes) else body.encode()

    async def send(self, call: HttpCall) -> HttpAnswer:
        """See `HttpTransport.send`."""
        return HttpAnswer(200, {}, self._told[self._key(call.method, call.url, (call.body or b"").decode())])

    def _key(self, method: str, url: str, body: str | None) -> tuple[str, str, str]:
        mask_url, mask_text = self.masks
        return method, mask_url(url), mask_text(body or "")
