"""Commands are imported when they run; the list of commands says what they say of themselves."""

from __future__ import annotations

import importlib
import inspect
import os
import subprocess
import sys
from typing import ClassVar

import pytest
import typer
from typer.testing import CliRunner

from sunbreak.cli import app as apps
from sunbreak.cli.lazy import Entry, LazyGroup

TABLE = apps._Commands.table


@pytest.mark.parametrize("name", TABLE)
def test_the_line_in_the_list_is_the_first_one_of_the_command(name):
    module, _, attribute = TABLE[name].place.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    text = found.info.help if isinstance(found, typer.Typer) else inspect.getdoc(found)
    assert TABLE[name].line == text.splitlines()[0]


def test_every_module_with_a_command_is_in_the_table():
    group = typer.main.get_command(apps.app)
    assert list(group.commands) == list(TABLE)
    assert {"clean", "models", "serve"} <= set(TABLE)


def loaded_after(code: str) -> set[str]:
    """Names of the modules; under `--events` the protocol has standard output, and input that ends would cancel."""
    reading, writing = os.pipe()
    try:
        code += "\nprint(*sys.modules, file=sys.stderr)"
        done = subprocess.run(
            [sys.executable, "-c", code], stdin=reading, capture_output=True, text=True, check=True, timeout=60
        )
    finally:
        os.close(reading)
        os.close(writing)
    return set(done.stderr.splitlines()[-1].split())


def test_the_help_imports_no_command_and_no_library_for_data():
    modules = loaded_after("import sys, sunbreak.cli.app as c\ntry: c.app(['--help'])\nexcept SystemExit: pass")
    assert not {name for name in modules if name.startswith(("sunbreak.cli.clean", "sunbreak.models", "sunbreak.jobs"))}
    assert not modules & {"numpy", "rasterio", "pydantic", "torch", "jsonschema"}


def test_a_command_for_programs_takes_its_options_without_rich():
    code = (
        "import sys, sunbreak.cli.app as c\n"
        "try: c.app(['clean', 'none.tif', '-o', 'out', '--events', '--executor', 'local', '--parts', '2'])\n"
        "except SystemExit as end: assert end.code == 2"
    )
    modules = loaded_after(code)
    assert "sunbreak.cli.clean" in modules and "sunbreak.cli.classify" not in modules
    assert "rich" not in modules


def test_a_group_imports_the_command_that_is_called_and_lists_the_others(monkeypatch, tmp_path):
    (tmp_path / "spoken.py").write_text('def spoken(word: str) -> None:\n    """Say a word."""\n    print(word)\n')
    monkeypatch.syspath_prepend(tmp_path)

    class Group(LazyGroup):
        table: ClassVar = {"say": Entry("spoken:spoken", "Say a word."), "lost": Entry("nowhere:lost", "Is lost.")}

    group = typer.Typer(cls=Group, add_completion=False)
    group.callback()(lambda: None)
    said = CliRunner().invoke(group, ["say", "hello"])
    assert (said.exit_code, said.stdout) == (0, "hello\n")
    listed = CliRunner().invoke(group, ["--help"]).stdout
    assert "Say a word." in listed and "Is lost." in listed
    near = CliRunner().invoke(group, ["sya"])
    assert near.exit_code == 2 and "'say'" in near.output


def test_a_command_for_programs_is_not_in_the_list_but_runs():
    listed = CliRunner().invoke(apps.app, ["--help"]).stdout
    assert "detect-clouds" in listed and "keeps the networks loaded" not in listed
    assert "--idle" in CliRunner().invoke(apps.app, ["serve", "--help"]).stdout
