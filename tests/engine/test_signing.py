"""What is signed: with which time, nonce and credentials, and what is refused without them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from cexspec.compile.http_request import HttpRequest
from cexspec.compile.recipe import Moment, RecipePlan, Signed
from cexspec.engine.signing import Signer
from cexspec.models import AuthenticationError, Credentials
from cexspec.spec.source import Position
from cexspec.transport.clock import VirtualClock

SECOND = 1_000_000_000
MS = 1_000_000


@dataclass
class Plan:
    """One recipe that keeps what it was asked with."""

    moments: list[Moment] = field(default_factory=list)
    id: str = "somewhere"
    recv_window: int = 5000

    def completed(self, credentials: Credentials) -> Credentials:
        return credentials

    def recipe(self, name: str) -> RecipePlan:
        def sign(request: HttpRequest, base_url: str, credentials: object, moment: Moment) -> Signed:
            self.moments.append(moment)
            return Signed(request, "text", "signature")

        def values(credentials: object, moment: Moment, given: object) -> dict[str, str]:
            self.moments.append(moment)
            return {"signature": "x"}

        return RecipePlan(name, frozenset({"api_key", "api_secret"}), sign, values, Position("somewhere.yaml", 1, 1))


KEYS = Credentials({"api_key": "k-1", "api_secret": "s-1"})
REQUEST = HttpRequest("GET", "/balances")


def test_the_time_is_the_venues_as_measured_in_the_middle_of_the_call() -> None:
    plan, clock = Plan(), VirtualClock(100 * SECOND)
    signer = Signer(plan, KEYS, clock)
    signer.sign("rest", REQUEST, "https://venue")
    signer.measured(server_time=130 * SECOND, asked=100 * SECOND, answered=102 * SECOND)
    signer.sign("rest", REQUEST, "https://venue")
    assert [moment.now for moment in plan.moments] == [100 * SECOND, 129 * SECOND]


def test_nonces_grow_even_within_a_millisecond_and_over_rest_and_messages_together() -> None:
    plan, clock = Plan(), VirtualClock(100 * SECOND)
    signer = Signer(plan, KEYS, clock)
    signer.sign("rest", REQUEST, "https://venue")
    signer.values("login", {})
    signer.sign("rest", REQUEST, "https://venue")
    assert [moment.nonce for moment in plan.moments] == [100_000, 100_001, 100_002]


@pytest.mark.parametrize(("asked", "sent"), [(None, 5000), (1.5, 1500)])
def test_the_recv_window_is_the_specs_or_the_users(asked: float | None, sent: int) -> None:
    plan = Plan()
    Signer(plan, KEYS, VirtualClock(), recv_window=asked).sign("rest", REQUEST, "https://venue")
    assert plan.moments[0].recv_window == sent


def test_missing_credentials_are_named_and_given_ones_never_shown() -> None:
    signer = Signer(Plan(), Credentials({"api_key": "k-1"}), VirtualClock())
    with pytest.raises(AuthenticationError, match="api_secret missing") as refused:
        signer.sign("rest", REQUEST, "https://venue")
    assert "k-1" not in f"{refused.value} {signer!r}"
