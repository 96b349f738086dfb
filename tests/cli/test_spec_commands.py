"""The commands about specs: validate, rule, fmt; and how commands are found."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cexspec.cli import main
from cexspec.cli._files import complete as exchanges
from cexspec.cli.app import app
from cexspec.cli.rule import complete as rules
from cexspec.cli.validate import print_text
from cexspec.spec import fix
from cexspec.spec.load import shipped

SPEC = """\
cexspec: 1
id: demo
name: Demo
kind: cex
docs: https://example.com/docs
environments:
  live: {rest: https://example.com}
symbols:
  formats: {spot: "{base}-{quote}"}
  examples: {BTC/USDT: BTC-USDT}
errors:
  code: $.code
  message: $.msg
  codes:
    1: InvalidSymbol
rest:
  ticker:
    get: /ticker
    query: {symbol: "{{ id }}"}
    returns: ticker
    fields:
      symbol: {of: request}
      last: $.last
"""
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    Path("demo.yaml").write_text(SPEC, encoding="utf-8")
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, list(arguments), prog_name="cexspec")


def test_validate_is_silent_about_a_good_spec(run: Run) -> None:
    result = run("validate", "demo.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "1 files, 0 errors, 0 warnings\n")


def test_validate_shows_problems_and_exits_with_1(run: Run) -> None:
    Path("demo.yaml").write_text(SPEC.replace("kind: cex", "kind: cx"), encoding="utf-8")
    result = run("validate", ".")
    assert result.exit_code == 1
    assert result.stdout.startswith(
        "demo.yaml:4:7: error CEX015: `cx` is not one of the words here; did you mean `cex`?\n    4 | kind: cx\n"
    )
    assert result.stderr == "1 files, 1 errors, 0 warnings\n"


def test_warnings_do_not_fail(run: Run) -> None:
    Path("demo.yaml").write_text(SPEC.replace("$.last", "$..last"), encoding="utf-8")
    result = run("validate", "demo.yaml")
    assert (result.exit_code, "warning CEX045" in result.stdout) == (0, True)


def test_what_a_spec_takes_from_another_is_told_once(run: Run) -> None:
    Path("demo.yaml").write_text(SPEC.replace("$.last", "$..last"), encoding="utf-8")
    Path("twin.yaml").write_text("cexspec: 1\nid: twin\nname: Twin\nextends: demo\n", encoding="utf-8")
    result = run("validate", ".")
    assert result.stdout.count("warning") == 1
    assert result.stderr == "2 files, 0 errors, 1 warnings\n"


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_machines_read_problems_from_stdout_alone(form: str, run: Run) -> None:
    Path("demo.yaml").write_text(SPEC.replace("kind: cex", "kind: cx"), encoding="utf-8")
    result = run("validate", "demo.yaml", "--format", form)
    assert result.exit_code == 1
    if form == "github":
        assert result.stdout.startswith("::error file=demo.yaml,line=4,col=7,title=CEX015::")
    else:
        assert "CEX015" in json.dumps(json.loads(result.stdout))


def test_on_a_terminal_the_first_line_stands_out(run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_text("head\nbody", "error")
    print_text("head\nbody", "warning")
    red, yellow = "\x1b[31m\x1b[1mhead\x1b[0m", "\x1b[33m\x1b[1mhead\x1b[0m"
    assert capsys.readouterr().out == f"{red}\nbody\n{yellow}\nbody\n"


def test_fix_repairs_what_is_safe_and_formats(run: Run) -> None:
    broken = SPEC.replace("returns: ticker", "retuns: ticker").replace("$.last", "{pth: last}").replace("name: Demo", "name: 'Demo'")
    Path("demo.yaml").write_text(broken, encoding="utf-8")
    result = run("validate", "--fix", "demo.yaml")
    assert (result.exit_code, result.stderr) == (0, "repaired 1 of 1 files\n1 files, 0 errors, 0 warnings\n")
    assert Path("demo.yaml").read_text(encoding="utf-8") == SPEC
    assert run("validate", "--fix", "demo.yaml").stderr.startswith("repaired 0 of 1 files")


def test_fix_gives_up_on_what_does_not_get_better(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("demo.yaml").write_text(SPEC.replace("$.last", "{pth: last}"), encoding="utf-8")
    monkeypatch.setattr(fix, "repaired", lambda text, edits: text)
    assert run("validate", "--fix", "demo.yaml").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["validate", "nowhere.yaml"], "there is no spec file"),
        (["validate", "nowhere"], "unknown exchange"),
        (["validate", "empty"], "no .yaml file in empty"),
        (["validate"], "Missing argument"),
        (["validate", "demo.yaml", "--format", "xml"], "xml"),
        (["fmt", "nowhere.yaml"], "there is no spec file"),
        (["rule", "CEX0123"], "did you mean CEX0"),
        (["rule", "nothing"], "there is no rule nothing"),
        (["validat"], "Did you mean 'validate'?"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_why(arguments: list[str], message: str, run: Run) -> None:
    Path("empty").mkdir()
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_rule_explains_and_lists(run: Run) -> None:
    shown = run("rule", "cex012").stdout
    assert shown.startswith("CEX012 (error): an unknown key\n\nKeys are closed")
    assert "bad:\n    rest:\n" in shown
    assert run("rule").stdout.split("\n")[0].startswith("CEX001  error")
    assert json.loads(run("rule", "CEX012", "--json").stdout)["id"] == "CEX012"
    assert json.loads(run("rule", "--json").stdout)[0]["id"] == "CEX001"


def test_fmt_writes_checks_and_shows(run: Run) -> None:
    Path("demo.yaml").write_text(SPEC.replace("name: Demo", "name: 'Demo'"), encoding="utf-8")
    check, diff = run("fmt", "--check", "."), run("fmt", "--diff", "demo.yaml")
    assert (check.exit_code, check.stdout, check.stderr) == (1, "demo.yaml\n", "1 files, 1 would change\n")
    assert (diff.exit_code, "-name: 'Demo'\n+name: Demo\n" in diff.stdout) == (0, True)
    assert (run("fmt", "demo.yaml").stderr, Path("demo.yaml").read_text(encoding="utf-8")) == ("1 files, 1 changed\n", SPEC)
    assert (run("fmt", "--check", ".").exit_code, run("fmt", "demo.yaml").stderr) == (0, "1 files, 0 changed\n")


def test_fmt_goes_on_after_a_file_that_is_no_spec(run: Run) -> None:
    Path("a.yaml").write_text("a: [", encoding="utf-8")
    Path("b.yaml").write_bytes(b"\xff")
    Path("c.yaml").write_text("id: 'a'\n", encoding="utf-8")
    result = run("fmt", ".")
    assert result.exit_code == 1
    assert result.stderr.endswith("4 files, 1 changed, 2 not formatted\n")
    assert "a.yaml: not formatted: a.yaml:" in result.stderr


def test_every_command_is_listed_with_the_first_line_of_its_file(run: Run) -> None:
    shown = run("--help")
    assert shown.exit_code == 0
    assert re.search(r"^  validate +Check specs: everything is compiled, nothing is sent\.$", shown.stdout, re.MULTILINE)
    assert run("validate", "--help").stdout.startswith("Usage: cexspec validate [OPTIONS]")
    assert run().exit_code == 2
    assert run("--version").stdout.startswith("cexspec 0")


def test_the_installed_command_is_the_same(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["cexspec", "--version"])
    with pytest.raises(SystemExit, match="0"):
        main()
    assert capsys.readouterr().out.startswith("cexspec 0")


def test_help_imports_no_command() -> None:
    heavy = ("pydantic", "jinja2", "aiohttp", "cexspec.compile", "cexspec.engine", "cexspec.spec")
    code = f"import sys, cexspec.cli.app; print([name for name in {heavy!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    shown = subprocess.run([sys.executable, "-m", "cexspec", "--help"], capture_output=True, text=True, check=True)
    assert "Commands:" in shown.stdout


def test_shells_complete_commands_rules_and_exchanges() -> None:
    assert rules("cex01") == [f"CEX01{digit}" for digit in range(10)]
    assert exchanges("") == shipped()
    asked = {"_CEXSPEC_COMPLETE": "complete_bash", "COMP_WORDS": "cexspec val", "COMP_CWORD": "1", "PATH": ""}
    shown = subprocess.run(
        [sys.executable, "-c", "from cexspec.cli.app import app; app(prog_name='cexspec')"], env=asked, capture_output=True, text=True
    )
    assert shown.stdout.strip() == "validate"
