"""What docs/accounts.md says of configurations and commands is so."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command

from cexspec import Registry
from cexspec.cli.app import _load, app
from cexspec.configuration.settings import Settings

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
    for _, name, *words in lines:
        assert name in get_command(app).commands  # type: ignore[attr-defined]
        command = _load(name)
        if below := getattr(command, "commands", None):
            command = below[words[0]]
        known = {text for parameter in command.params for text in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known
