"""One state of each order, whichever way news of it comes."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any

import pytest

from cexspec import Fill, Order
from cexspec.engine.trading import tracker as module
from cexspec.engine.trading.tracker import Tracker


def news(**fields: Any) -> Order:
    return Order(exchange="venue", symbol="BTC/USDT", **{"order_id": "1", **fields})


# news in order -> status that is known in the end, illegal transitions, late news
COURSES: list[tuple[list[dict[str, Any]], str | None, int, int]] = [
    ([{"status": "new"}, {"status": "partially_filled"}, {"status": "filled"}], "filled", 0, 0),
    ([{"status": "pending"}, {"status": "new"}, {"status": "canceled"}], "canceled", 0, 0),
    ([{"status": "new"}, {"status": None}], "new", 0, 0),
    ([{"status": "filled"}, {"status": "new"}], "filled", 0, 1),
    (
        [{"status": "partially_filled", "filled": Decimal(2)}, {"status": "partially_filled", "filled": Decimal(1)}],
        "partially_filled",
        0,
        1,
    ),
    ([{"status": "partially_filled", "updated": 2}, {"status": "new", "updated": 1}], "partially_filled", 0, 1),
    ([{"status": "filled", "updated": 1}, {"status": "new", "updated": 2}], "new", 1, 0),
    ([{"status": "partially_filled", "updated": 1}, {"status": "new", "updated": 2}], "new", 1, 0),
    ([{"status": "filled"}, {"status": "canceled"}], "canceled", 1, 0),
]


@pytest.mark.parametrize(("course", "status", "illegal", "late"), COURSES)
def test_the_later_state_is_kept(course: list[dict[str, Any]], status: str | None, illegal: int, late: int) -> None:
    tracker = Tracker("venue")
    for each in course:
        tracker.update(news(**each))
    known = tracker.find("1")
    assert known is not None and known.status == status
    assert (tracker.illegal_transitions, tracker.late_news) == (illegal, late)


# what came since it was asked, the answer -> whether the answer is the later of the two
ANSWERS: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({"price": Decimal(11)}, {"price": Decimal(10)}, False),
    ({"price": Decimal(11), "updated": 1}, {"price": Decimal(10), "updated": 2}, True),
    ({"price": Decimal(11), "filled": Decimal(1)}, {"price": Decimal(10), "filled": Decimal(2)}, True),
    ({"price": Decimal(11)}, {"price": Decimal(10), "status": "canceled"}, True),
    ({"price": Decimal(11), "status": "filled"}, {"price": Decimal(10), "status": "filled"}, False),
]


@pytest.mark.parametrize(("since", "answer", "later"), ANSWERS)
def test_an_answer_is_older_than_what_came_since_it_was_asked_for(since: dict[str, Any], answer: dict[str, Any], later: bool) -> None:
    """An amendment, say, that the list of open orders doesn't know of yet."""
    tracker = Tracker("venue")
    tracker.update(news(status="new", price=Decimal(10)))
    asked = tracker.mark
    tracker.update(news(**{"status": "new", **since}))
    told, another = tracker.update(news(**{"status": "new", **answer}), asked)
    assert told.price == (answer if later else since)["price"]
    assert (another, tracker.late_news) == (later, 0 if later else 1)
    assert tracker.update(news(status=told.status, price=Decimal(12)), tracker.mark)[0].price == Decimal(12)


def test_an_illegal_transition_is_told(caplog: pytest.LogCaptureFixture) -> None:
    tracker = Tracker("venue")
    tracker.update(news(status="filled"))
    tracker.update(news(status="canceled"))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "order 1 of BTC/USDT went from filled to canceled" in record.getMessage()
    assert vars(record)["event"] == "illegal_transition"


def test_what_news_leaves_out_is_as_it_was() -> None:
    tracker = Tracker("venue")
    tracker.update(news(status="new", price=Decimal(5), client_order_id="mine"))
    order, is_news = tracker.update(news(status="partially_filled", filled=Decimal(1)))
    assert is_news
    assert (order.price, order.client_order_id, order.filled) == (Decimal(5), "mine", Decimal(1))
    assert tracker.find(client_order_id="mine") == order
    assert tracker.update(order) == (order, False)


# what a venue's stream told of an order, what its list says of it, whether that is another state
STATED = {"status": "partially_filled", "filled": Decimal("0.05"), "quantity": Decimal("0.2"), "price": Decimal(5), "updated": 2_000}
SAID: list[tuple[dict[str, Any], bool]] = [
    ({}, False),
    ({"filled": Decimal("0.0500"), "price": Decimal("5.00")}, False),
    ({"timestamp": 1_000, "fee": Decimal("0.1"), "fee_currency": "USDT", "reason": "", "updated": None}, False),
    ({"time_in_force": "gtc", "post_only": False, "reduce_only": False, "stop_price": Decimal(4), "side": "buy"}, False),
    ({"updated": 2_001}, False),
    ({"average_price": Decimal("5.001")}, False),
    ({"filled": Decimal("0.1")}, True),
    ({"status": "canceled"}, True),
    ({"price": Decimal(6)}, True),
    ({"quantity": Decimal("0.3")}, True),
]


@pytest.mark.parametrize(("said", "another"), SAID)
def test_what_only_says_more_of_a_state_is_kept_but_is_not_another_state(said: dict[str, Any], another: bool) -> None:
    tracker = Tracker("venue")
    tracker.update(news(**STATED))
    order, is_news = tracker.update(news(**{**STATED, **said}))
    assert is_news is another
    kept = {name: getattr(order, name) for name, value in said.items() if value is not None}
    assert kept == {name: value for name, value in said.items() if value is not None}
    assert tracker.find("1") == order


# fields of a state that were not known at first
@pytest.mark.parametrize("learnt", [{"status": "new"}, {"filled": Decimal(1)}, {"order_id": "7"}])
def test_the_first_word_of_what_became_of_an_order_is_news(learnt: dict[str, Any]) -> None:
    tracker = Tracker("venue")
    tracker.update(news(order_id=None, client_order_id="mine", quantity=Decimal(2)))
    assert tracker.update(news(**{"order_id": None, "client_order_id": "mine", **learnt}))[1]


def test_an_order_known_by_its_client_id_gets_its_own() -> None:
    tracker = Tracker("venue")
    tracker.update(news(order_id=None, client_order_id="mine", status="pending"))
    tracker.update(news(order_id="7", client_order_id="mine", status="new"))
    found = tracker.find("7")
    assert found is not None and found == tracker.find(client_order_id="mine")
    assert tracker.open == [found]


def test_a_client_id_that_is_used_again_is_another_order() -> None:
    tracker = Tracker("venue")
    tracker.update(news(order_id="1", client_order_id="mine", status="filled"))
    tracker.update(news(order_id="2", client_order_id="mine", status="new"))
    first, second = tracker.find("1"), tracker.find("2")
    assert first is not None and first.status == "filled"
    assert second is not None and second == tracker.find(client_order_id="mine")


def test_a_stop_order_that_was_triggered_goes_on_under_another_id() -> None:
    tracker = Tracker("venue")
    tracker.update(news(order_id="stop", client_order_id="mine", status="pending", conditional=True, stop_price=Decimal(5)))
    order, is_news = tracker.update(news(order_id="7", client_order_id="mine", status="new"))
    assert is_news and (order.order_id, order.conditional, order.stop_price) == ("7", False, Decimal(5))
    assert tracker.open == [order] and tracker.find("stop") == order
    late = news(order_id="stop", client_order_id="mine", status="pending", conditional=True)
    assert tracker.update(late) == (order, False)
    assert (tracker.late_news, tracker.illegal_transitions) == (1, 0)


def test_a_stop_order_that_has_ended_is_not_triggered() -> None:
    tracker = Tracker("venue")
    tracker.update(news(order_id="stop", client_order_id="mine", status="canceled", conditional=True))
    tracker.update(news(order_id="7", client_order_id="mine", status="new"))
    assert [order.order_id for order in tracker.recent] == ["7", "stop"]


def test_only_the_latest_that_have_ended_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENDED", 2)
    tracker = Tracker("venue")
    for number in range(4):
        tracker.update(news(order_id=str(number), client_order_id=f"c{number}", status="filled"))
    tracker.update(news(order_id="9", status="new"))
    assert [tracker.find(str(number)) is None for number in range(4)] == [True, True, False, False]
    assert tracker.find(client_order_id="c1") is None
    assert [order.order_id for order in tracker.open] == ["9"]


def test_a_fill_that_comes_twice_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILLS", 2)
    tracker = Tracker("venue")

    def fill(id: str | None) -> Fill:
        return Fill(exchange="venue", symbol="BTC/USDT", id=id, side="buy", price=Decimal(1), quantity=Decimal(1))

    assert [tracker.fresh(fill(id)) for id in ("1", "1", "2", None, None, "3", "1")] == [True, False, True, True, True, True, True]
    assert tracker.doubled_fills == 1
