"""The fixture that cexspec gives to its users, used here as well."""

from cexspec.mock.fixture import mock_venue

__all__ = ["mock_venue"]
