"""The models themselves, as Python code uses them: values of Python's own types are taken as they are."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cexspec.spec.model import Connection, FieldRule, Role


def test_values_of_pythons_types_are_taken_as_they_are() -> None:
    subscribe = {"send": {"args": ["{{ topics }}", 1, 2.5, True, None]}}
    connection = Connection.model_validate({"subscribe": subscribe, "unsubscribe": subscribe, "lifetime": 30.0})
    assert connection.lifetime == 30.0
    assert connection.subscribe.send == subscribe["send"]
    assert Role.model_validate({"match": {"$.a": "b"}, "role": "notice", "reconnect": True}).reconnect is True


def test_nodes_are_frozen_and_remember_what_was_read() -> None:
    rule = FieldRule(path="$.a")
    rule._read.clear()
    assert (rule.path, rule.where, rule._read) == ("$.a", (), {"path"})
    with pytest.raises(ValidationError, match="frozen"):
        rule.path = "$.b"
