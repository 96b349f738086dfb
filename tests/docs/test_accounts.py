"""What docs/accounts.md says of configurations and commands is so."""

from __future__ import annotations

import re
from pathlib import Path

from cexspec import Registry
from cexspec.configuration.settings import Settings
from tests.docs import commands

TEXT = (Path(__file__).parents[2] / "docs" / "accounts.md").read_text(encoding="utf-8")


def test_every_key_of_an_exchange_is_told_of() -> None:
    table = TEXT[TEXT.index("| key |") : TEXT.index("`${NAME}` in a value")]
    assert set(Settings.model_fields) <= set(re.findall(r"`(\w+)`", table))


def test_the_configuration_can_be_used(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path / "exchanges.yaml"
    path.write_text(block, encoding="utf-8")
    found = Registry.from_config(path, {"BINANCE_API_KEY": "k", "BINANCE_API_SECRET": "s"})
    assert list(found) == ["binance", "second"]


def test_the_commands_exist_and_take_these_options() -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    lines = [line.split() for line in block.splitlines()]
    assert len(lines) >= 7
    for _, *words in lines:
        commands.check(words)
