"""`lacquer settings`, and the file in deploy/ that it writes."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings
from typer.testing import CliRunner

from media_worker.settings import WorkerSettings
from signaling import cli
from signaling.settings import Settings
from signaling.settings_file import WIDTH, Option, options, settings_file, variables

FILE = Path(__file__).parents[2] / "deploy" / "settings.env"
CLASSES: tuple[type[BaseSettings], ...] = (Settings, WorkerSettings)
ALL = [(kind, option) for kind in CLASSES for option in options(kind)]
OURS = ("Signaling and the media workers", "Signaling", "Media workers")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in CLASSES:
        for name, field in kind.model_fields.items():
            for variable in variables(name, field, "LACQUER_"):
                monkeypatch.delenv(variable, raising=False)


def test_the_file_is_what_the_command_writes() -> None:
    written = CliRunner().invoke(cli.app, ["settings"])
    assert written.exit_code == 0
    difference = difflib.unified_diff(
        FILE.read_text("utf-8").splitlines(), written.stdout.splitlines(), "deploy/settings.env", "settings", "", "", 0
    )
    lines = "\n".join(difference)
    assert not lines, f"run `lacquer settings > deploy/settings.env`, which changes these lines:\n{lines}"


def test_every_option_is_in_the_file_once() -> None:
    named = re.findall(r"^#([A-Z][A-Z0-9_]*)=", FILE.read_text("utf-8"), re.M)
    assert len(named) == len(set(named))
    assert set(named) == {option.variable for _, option in ALL}


def test_what_the_file_shows_is_the_default_or_is_accepted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for kind, option in ALL:
        assert option.description, (
            f"{option.variable}: say what it does, in Field(description=…) or a docstring below it"
        )
        assert option.value is not None or not option.is_default, option.variable
        if option.value is None:
            continue
        name = field_of(kind, option)
        unset = getattr(kind(), name)
        folder = option.variable == "LACQUER_DESIGNS_DIR"  # which must exist
        with monkeypatch.context() as patch:
            patch.setenv("LACQUER_TURN_SECRET", "asked for by TURN_URLS")
            patch.setenv(option.variable, str(tmp_path) if folder else option.value)
            assert (getattr(kind(), name) == unset) == option.is_default, option.variable


def field_of(kind: type[BaseSettings], option: Option) -> str:
    fields = kind.model_fields.items()
    return next(name for name, field in fields if option.variable in variables(name, field, "LACQUER_"))


def test_lines_of_one_option() -> None:
    option = Option("LACQUER_X", ("X",), "What it does.", "7", is_default=False)
    assert list(option.lines()) == ["# What it does. Also read from X. Example:", "#LACQUER_X=7"]
    assert list(Option("LACQUER_X", (), "Word. " * 40, "7", is_default=True).lines())[-1] == "#LACQUER_X=7"
    assert all(len(line) <= WIDTH for line in Option("LACQUER_X", (), "Word. " * 40, None, is_default=False).lines())


def test_options_of_both_are_said_once_and_agree() -> None:
    text = settings_file(Settings, WorkerSettings)
    assert text.count("LACQUER_LOG_LEVEL=") == 1
    assert [title for title in OURS if f"# --- {title} -" in text] == list(OURS)
    for name in Settings.model_fields.keys() & WorkerSettings.model_fields.keys():
        ours, theirs = (next(o for o in options(kind) if o.variable == f"LACQUER_{name.upper()}") for kind in CLASSES)
        # Where signaling works its default out, the file shows an example of it.
        assert (ours.value, ours.is_default) == (theirs.value, theirs.is_default) or not ours.is_default, name
