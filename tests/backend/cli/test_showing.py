"""Names of files and texts of cards are shown in the terminal, and never act there."""

from __future__ import annotations

import ast
import io
import json
import logging
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from rich.console import Console as Terminal
from typer.testing import CliRunner

from sunbreak.cli.app import app
from sunbreak.cli.console import Console
from sunbreak.cli.showing import add_row, plain_table, say, say_json, tame_libraries
from sunbreak.errors import InputError

HOSTILE = "a\x1b]0;title\x07\x9b2J\nb\u202ec[link=file:///etc/passwd]d[/link]\udcff"
SHOWN = r"a\x1b]0;title\x07\x9b2J\nb\u202ec[link=file:///etc/passwd]d[/link]\xff"
CLI = Path(__file__).parents[3] / "backend" / "sunbreak" / "cli"


def printed(terminal: Terminal, *content: object) -> str:
    for one in content:
        terminal.print(one)
    return terminal.file.getvalue()


def test_every_event_of_a_run_is_shown_without_acting(capsys):
    console = Console()
    for terminal in (console._out, console._err):
        terminal.width = 1000
    console.message(HOSTILE)
    console.message(HOSTILE, "warning")
    console.progress(1, 2, HOSTILE)
    console.result({HOSTILE: Path(HOSTILE)}, {"report": HOSTILE, "predicted_class": HOSTILE, f"hectares_{HOSTILE}": 1})
    console.error(InputError(HOSTILE, HOSTILE))
    out, err = capsys.readouterr()
    assert out.count(SHOWN) == 4 and SHOWN.replace("_", " ") in out
    assert err.count(SHOWN) >= 4
    for text in (out, err):
        assert not set(text) & set("\x1b\x9b\x07\u202e\udcff")


def test_an_error_is_one_line(capsys):
    Console().error(InputError("a\nb", "c\r\nd"))
    assert capsys.readouterr().err == "a\\nb c\\r\\nd\n"


def test_tables_show_markup_as_it_is():
    table = plain_table("name", "[bold]")
    add_row(table, HOSTILE, "[red]x")
    text = printed(Terminal(file=io.StringIO(), width=1000, force_terminal=False), table)
    assert SHOWN in text and "[red]x" in text and "[bold]" in text


def test_lines_and_json_are_shown_without_acting(capsys):
    say(HOSTILE)
    say_json({"title": HOSTILE}, ensure_ascii=False)
    out = capsys.readouterr().out
    assert out.splitlines()[0] == SHOWN
    assert json.loads("\n".join(out.splitlines()[1:])) == {"title": HOSTILE}
    assert not set(out) & set("\x1b\x9b\x07\u202e\udcff")


def test_warnings_and_logs_of_libraries_are_shown_without_acting(capsys, monkeypatch):
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    tame_libraries()
    assert r"\x1b]0" in warnings.formatwarning(HOSTILE, UserWarning, "x", 1)
    record = logging.makeLogRecord({"msg": "%s", "args": (HOSTILE,)})
    assert r"\x1b]0" in logging.lastResort.format(record)


@pytest.mark.parametrize(
    "call", [["clean", "x.tif", "-o", "out", "--s1-unit", HOSTILE], [HOSTILE], ["clean", f"--{HOSTILE}"]]
)
def test_errors_in_the_call_quote_it_without_acting(call):
    done = CliRunner().invoke(app, call, color=True)
    assert done.exit_code == 2
    assert r"\x1b]0;title" in done.output.replace("│", "").replace("\n", "")
    assert not set(done.output) & set("\x9b\x07\u202e")


@pytest.mark.skipif(sys.platform == "win32", reason="no such names")
@pytest.mark.parametrize("debug", [False, True])
def test_a_file_with_such_a_name_is_named_in_one_line(tmp_path, debug):
    path = tmp_path / "a\x1b[31mb\n\u202e.tif"
    path.write_bytes(b"nothing")
    done = subprocess.run(
        [sys.executable, "-m", "sunbreak", "clean", str(path), "-o", str(tmp_path / "out"), *(["--debug"] * debug)],
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 2
    assert r"a\x1b[31mb\n\u202e.tif" in done.stderr
    assert not set(done.stderr) & set("\x1b\u202e")
    assert debug or done.stderr.count("\n") == 1


def test_commands_print_through_these_functions_only():
    wrong = []
    for path in sorted(CLI.glob("*.py")):
        if path.name in ("showing.py", "console.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            # tables and empty lines are what is left for rich
            other = name.endswith(".print") and not all(isinstance(one, ast.Name) for one in node.args)
            if name in ("print", "typer.echo", "Table", "Text") or name.endswith(".add_row") or other:
                wrong.append(f"{path.name}: {ast.unparse(node)}")
    assert wrong == ["app.py: typer.echo(f'sunbreak {__version__}')"]
