"""The far sides of the simulated network: they speak as the specs in `specs` say, and remember what they sent."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from cexspec.transport.clock import VirtualClock
from tests.simulation.network import Line


@dataclass(frozen=True)
class Sent:
    """A trade the venue made known, or would have."""

    number: int
    at: int


@dataclass
class Bazaar:
    """Answers with the topic and the id. `refused` are ids it doesn't know; `mute` swallows the next acks."""

    clock: VirtualClock
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)
    mute: int = 0
    whole: bool = False
    """a message with one bad topic is refused as a whole"""
    echo: bool = True
    subscriptions: dict[Line, dict[str, dict[str, str]]] = field(default_factory=dict)
    trades: dict[str, list[Sent]] = field(default_factory=lambda: defaultdict(list))

    def opened(self, line: Line) -> None:
        self.subscriptions[line] = {}
        if "public" in line.url:
            line.push({"event": "hello"})

    def lost(self, line: Line) -> None:
        self.subscriptions.pop(line, None)

    def received(self, line: Line, frame: str) -> None:
        if frame == "ping":
            line.push("pong")
            return
        message = json.loads(frame)
        if "op" not in message:
            return
        bad = [self.refused[arg.get("id", "")] for arg in message["args"] if arg.get("id") in self.refused]
        if bad and self.whole:
            line.push({"event": "error", "id": message["id"], "code": bad[0][0], "msg": bad[0][1]})
            return
        for arg in message["args"]:
            self._one(line, message, arg)

    def _one(self, line: Line, message: dict[str, Any], arg: dict[str, str]) -> None:
        answers = "quiet" not in line.url
        if arg.get("id") in self.refused:
            code, text = self.refused[arg["id"]]
            line.push({"event": "error", "id": message["id"], "code": code, "msg": text, **({"arg": arg} if self.echo else {})})
            return
        key = json.dumps(arg, sort_keys=True)
        if message["op"] == "subscribe":
            self.subscriptions[line][key] = arg
        else:
            self.subscriptions[line].pop(key, None)
        if self.mute > 0:
            self.mute -= 1
        elif answers:
            line.push({"event": message["op"], "id": message["id"], "arg": {**arg, "note": "as asked"}})

    def say(self, topic: dict[str, str], data: Any, **more: Any) -> int:
        """Send data to everybody who subscribed to the topic; to how many."""
        key = json.dumps(topic, sort_keys=True)
        told = [line for line, topics in self.subscriptions.items() if key in topics]
        for line in told:
            line.push({"arg": topic, **more, "data": data})
        return len(told)

    def trade(self, native_id: str) -> None:
        """The next trade of a market, whether anybody listens or not."""
        sent = Sent(len(self.trades[native_id]) + 1, self.clock.time_ns())
        self.trades[native_id].append(sent)
        row = {"i": str(sent.number), "p": "1.50", "s": "2", "d": "buy", "t": sent.at}
        self.say({"ch": "trades", "id": native_id}, [row])


@dataclass
class Harbor:
    """Announces a number for each subscription, and counts its frames. `hasty` sends data before the ack."""

    clock: VirtualClock
    hasty: bool = False
    greets: bool = True
    channels: dict[Line, dict[int, dict[str, Any]]] = field(default_factory=dict)
    frames: dict[Line, int] = field(default_factory=dict)
    trades: dict[str, list[Sent]] = field(default_factory=lambda: defaultdict(list))
    numbers: int = 100

    def opened(self, line: Line) -> None:
        self.channels[line], self.frames[line] = {}, 0
        line.push({"event": "info", "version": 2})

    def lost(self, line: Line) -> None:
        self.channels.pop(line, None)

    def received(self, line: Line, frame: str) -> None:
        message = json.loads(frame)
        event = message.pop("event")
        if event == "conf" and self.greets:
            line.push({"event": "conf", "status": "OK"})
        elif event == "subscribe" and "NO" in message["symbol"]:
            line.push({"event": "error", "code": 404, "msg": "symbol: invalid", **message})
        elif event == "subscribe":
            self.numbers += 7
            self.channels[line][self.numbers] = message
            if self.hasty and message["channel"] == "trades":
                self.trade(message["symbol"])
            line.push({"event": "subscribed", "chanId": self.numbers, "pair": "x", **message})
        elif event == "unsubscribe":
            self.channels[line].pop(message["chanId"], None)
            line.push({"event": "unsubscribed", "status": "OK", "chanId": message["chanId"]})

    def say(self, channel: str, symbol: str, tag: Any, *data: Any, **more: Any) -> None:
        for line, channels in self.channels.items():
            for number, asked in channels.items():
                if asked["channel"] == channel and asked["symbol"] == symbol and more.items() <= asked.items():
                    self.frames[line] += 1
                    line.push([number, tag, self.frames[line], *data])

    def trade(self, native_id: str) -> None:
        sent = Sent(len(self.trades[native_id]) + 1, self.clock.time_ns())
        self.trades[native_id].append(sent)
        self.say("trades", native_id, "te", [sent.number, sent.at, -2, 1.5])
