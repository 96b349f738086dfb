"""The wheel as a stranger gets it: built, installed into an empty environment, used from another folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

import cexspec

ROOT = Path(__file__).parents[2]
NO_INDEX = ("NewConnectionError", "Temporary failure in name resolution", "ConnectTimeoutError", "ProxyError", "Network is unreachable")

pytestmark = pytest.mark.slow


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run outside the checkout, with nothing of its environment leading back to it."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "COV_", "COVERAGE_", "PYTEST_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    arguments = [str(part) for part in command]
    return subprocess.run(arguments, cwd=folder, env=clean, capture_output=True, text=True, timeout=300, check=False)


def pip(python: Path, *arguments: str | Path, folder: Path) -> None:
    done = run(python, "-m", "pip", "--disable-pip-version-check", *arguments, folder=folder)
    if done.returncode and any(sign in done.stderr for sign in NO_INDEX):
        pytest.skip(f"the package index can't be reached: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip(Path(sys.executable), "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT, folder=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of an environment that holds the wheel and what it depends on."""
    environment = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(environment, with_pip=True)
    commands = environment / ("Scripts" if os.name == "nt" else "bin")
    pip(commands / "python", "install", "--quiet", wheel, folder=environment)
    return commands


def shipped(folder: str, pattern: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob(pattern)}


def test_the_wheel_holds_specs_samples_schemas_and_types(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    wanted = shipped("exchanges", "*.yaml") | shipped("schemas", "*.json") | {"py.typed"}
    assert {name for name in wanted if f"cexspec/{name}" not in names} == set()
    assert any(name.startswith("exchanges/samples/") for name in wanted)


def test_the_wheel_holds_nothing_else_of_the_checkout(wheel: Path) -> None:
    roots = {name.split("/")[0] for name in ZipFile(wheel).namelist()}
    assert roots == {"cexspec", f"cexspec-{cexspec.__version__}.dist-info"}


def test_the_installed_specs_validate(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-c", "import cexspec; print(cexspec.__path__[0])", folder=tmp_path).stdout.strip()
    assert Path(where).is_relative_to(installed.parent)
    done = run(installed / "cexspec", "validate", Path(where) / "exchanges", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_installed_package_lists_the_shipped_exchanges(installed: Path, tmp_path: Path) -> None:
    done = run(installed / "cexspec", "list", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(spec.stem in done.stdout for spec in (ROOT / "exchanges").glob("*.yaml"))


def test_the_demo_runs_from_another_folder(installed: Path, tmp_path: Path) -> None:
    done = run(installed / "cexspec", "demo", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"ticker", "trade", "book"} <= {line.get("type") for line in lines}


def test_the_package_runs_as_a_module(installed: Path, tmp_path: Path) -> None:
    done = run(installed / "python", "-m", "cexspec", "--help", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "validate" in done.stdout


def test_metrics_say_what_they_need_and_work_once_it_is_there(installed: Path, tmp_path: Path) -> None:
    asked = run(installed / "python", "-c", "import cexspec.metrics", folder=tmp_path)
    assert "pip install 'cexspec[prometheus]'" in asked.stderr, "an empty environment has no prometheus_client"
    pip(installed / "python", "install", "--quiet", "prometheus_client", folder=tmp_path)
    done = run(installed / "python", "-c", "import cexspec.metrics", folder=tmp_path)
    assert done.returncode == 0, done.stderr
