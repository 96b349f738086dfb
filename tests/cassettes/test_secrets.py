"""No secret reaches a cassette, wherever it travels."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from cexspec.transport.http import AiohttpTransport, HttpCall
from tools.cassettes.rest import REQUEST_HEADERS, RESPONSE_HEADERS, recording

CASSETTES = Path(__file__).parents[2] / "cassettes"
SECRET = re.compile(r"planted-[a-z]+")


async def answer(_: web.Request) -> web.Response:
    body = '{"code":0,"token":"planted-token","data":[{"price":"1.10","listenKey": "planted-listen"}]}'
    headers = {"Set-Cookie": "session=planted-cookie", "X-Session": "planted-session", "Retry-After": "7", "X-RateLimit-Remaining": "9"}
    return web.Response(text=body, content_type="application/json", headers=headers)


async def test_planted_secrets_are_filtered_and_the_rest_stays(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    transport, port = AiohttpTransport(), runner.addresses[0][1]
    path = tmp_path / "planted.yaml"
    call = HttpCall(
        "POST",
        f"http://127.0.0.1:{port}/v1?symbol=BTC&apiKey=planted-key&timestamp=1&signature=planted-signature",
        headers=(
            ("Authorization", "Bearer planted-bearer"),
            ("X-MBX-APIKEY", "planted-header"),
            ("Cookie", "session=planted-biscuit"),
            ("Content-Type", "application/json"),
        ),
        body=b'{"symbol":"BTC","secretKey":"planted-secret","nested":{"passphrase":"planted-phrase"}}',
    )
    with recording(path, {"origin": "authored (here)"}):
        sent = await transport.send(call)
    await transport.close()
    await runner.cleanup()

    assert b"planted-token" in sent.body, "the caller gets what was sent"
    text = path.read_text(encoding="utf-8")
    assert SECRET.findall(text) == []
    (interaction,) = yaml.safe_load(text)["interactions"]
    assert interaction["request"]["uri"].endswith("/v1?symbol=BTC&apiKey=***&timestamp=1&signature=***")
    assert json.loads(interaction["request"]["body"]) == {"symbol": "BTC", "secretKey": "***", "nested": {"passphrase": "***"}}
    assert interaction["response"]["body"]["string"] == '{"code":0,"token":"***","data":[{"price":"1.10","listenKey": "***"}]}'
    assert set(interaction["response"]["headers"]) == {"Content-Type", "Retry-After", "X-RateLimit-Remaining"}


@pytest.mark.parametrize("path", sorted(CASSETTES.glob("rest/*/*.yaml")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_shipped_cassettes_hold_the_headers_that_are_kept_and_no_others(path: Path) -> None:
    interactions = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["interactions"]
    sent = {name.lower() for one in interactions for name in one["request"]["headers"]}
    came = {name.lower() for one in interactions for name in one["response"]["headers"]}
    assert sent <= set(REQUEST_HEADERS)
    assert [name for name in came if not any(word in name for word in RESPONSE_HEADERS)] == []
