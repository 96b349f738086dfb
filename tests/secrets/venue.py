"""A venue that repeats all it is sent in its refusals, and one that breaks off."""

from __future__ import annotations

import json
from typing import Literal

from aiohttp import WSMsgType, web

Mood = Literal["good", "repeats", "cuts"]
ANSWERS = {
    "/instruments": [{"id": "BTC-USDT", "base": "BTC", "quote": "USDT", "tick": "1", "step": "1"}],
    "/balances": [{"ccy": "USDT", "total": "1"}],
    "/positions": [{"id": "BTC-USDT", "size": "1"}],
    "/order": {"oid": "7"},
}


class Venue:
    """Answers by its mood; `seen` is all it was sent."""

    def __init__(self) -> None:
        self.mood: Mood = "good"
        self.seen: list[str] = []

    def app(self) -> web.Application:
        """The server."""
        app = web.Application()
        app.router.add_get("/ws", self.socket)
        app.router.add_route("*", "/{tail:.*}", self.answer)
        return app

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One REST call."""
        headers = "; ".join(f"{name}: {value}" for name, value in request.headers.items())
        sent = f"{request.raw_path} {headers} {(await request.read()).decode()} {'; '.join(request.query.values())}"
        if request.path == "/instruments":
            return web.json_response({"code": "0", "data": ANSWERS[request.path]})
        self.seen.append(sent)
        if self.mood == "cuts":
            assert request.transport is not None
            request.transport.close()
        if self.mood == "repeats":
            return web.json_response({"code": "50111", "msg": f"refused: {sent}", "data": sent}, status=401)
        return web.json_response({"code": "0", "data": ANSWERS[request.path]})

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """One connection."""
        peer = web.WebSocketResponse()
        await peer.prepare(request)
        async for message in peer:
            if message.type is WSMsgType.TEXT:
                self.seen.append(message.data)
                await self._answer(peer, message.data)
                if self.mood == "cuts":
                    break
        return peer

    async def _answer(self, peer: web.WebSocketResponse, sent: str) -> None:
        asked = json.loads(sent)
        if self.mood == "repeats":
            await peer.send_json({"event": "error", "code": "60009", "msg": f"Illegal request: {sent}"})
        elif asked["op"] == "hello":
            await peer.send_json({"event": "hello"})
        elif self.mood == "good":
            for topic in asked["args"]:
                await peer.send_json({"event": "subscribe", "arg": topic})
            await peer.send_json({"arg": {"channel": "orders"}, "data": [{"id": "BTC-USDT", "oid": "7"}]})
