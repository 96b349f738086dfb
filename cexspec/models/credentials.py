"""Credentials: texts that sign private calls, and never show themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST = 5
"""Characters of a value that is masked: a shorter one would be found in texts that don't hold it."""


class Credentials(Mapping[str, str]):
    """Name -> secret text (`api_key`, `api_secret`, `passphrase`, ...), as the spec's `auth.credentials` names them.

    No repr, text form, pickle or JSON of it holds a value.
    """

    __slots__ = ("__values",)

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.__values = {str(name): str(value) for name, value in (values or {}).items() if value}

    def __getitem__(self, name: str) -> str:
        return self.__values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__values)

    def __len__(self) -> int:
        return len(self.__values)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={MASK}" for name in self.__values)
        return f"Credentials({shown})"

    def __reduce__(self) -> str:
        raise TypeError("credentials are not written down")

    def masked(self, text: str) -> str:
        """The text with `***` in place of every value, as it is or as JSON and URLs write it (longest first)."""
        long = [value for value in self.__values.values() if len(value) >= SHORTEST]
        forms = {form for value in long for form in (value, json.dumps(value)[1:-1], quote(value, safe=""), quote_plus(value))}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, MASK)
        return text
