"""The models themselves, as Python code uses them: values of Python's own types are taken as they are."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cexspec.spec.model import Connection, FieldRule, Role
from cexspec.spec.model.node import note_reads, values_of


def test_values_of_pythons_types_are_taken_as_they_are() -> None:
    subscribe = {"send": {"args": ["{{ topics }}", 1, 2.5, True, None]}}
    connection = Connection.model_validate({"subscribe": subscribe, "unsubscribe": subscribe, "lifetime": 30.0})
    assert connection.lifetime == 30.0
    assert connection.subscribe.send == subscribe["send"]
    assert Role.model_validate({"match": {"$.a": "b"}, "role": "notice", "reconnect": True}).reconnect is True


def test_nodes_are_frozen_and_note_what_is_read_when_asked_to() -> None:
    rule = FieldRule(path="$.a")
    read: set[str] = set()
    note_reads(rule, read)
    assert (rule.path, rule.where, read) == ("$.a", (), {"path"})
    assert values_of(rule).keys() == FieldRule.model_fields.keys()
    assert read == {"path"}
    with pytest.raises(ValidationError, match="frozen"):
        rule.path = "$.b"
