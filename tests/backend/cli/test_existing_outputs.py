"""Every command asks before it replaces a file: it is refused before anything is read or computed, and stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sunbreak.cli.app import app

# the command, and the file of the user's that it would replace in the folder out
COMMANDS = {
    "simulate": (["simulate", "-o", "out", "--size", "64"], "scene_s2_cloudy.tif"),
    "evaluate removal": (["evaluate", "removal", "--pred", ".", "--target", ".", "-o", "out"], "patches.csv"),
    "evaluate clouds": (["evaluate", "clouds", "--pred", ".", "--reference", ".", "-o", "out"], "clouds.csv"),
    "study of a table": (["study", "downstream", "--table", "none.npz", "-o", "out"], "report.html"),
    "study of images": (["study", "downstream", "-o", "out"], "report.html"),
    "study of images that leaves its table": (["study", "downstream", "-o", "out"], "patches.npz"),
    "study unpaired": (["study", "unpaired", "-o", "out"], "report.html"),
    "models import": (["models", "import", "none.safetensors", "--name", "mine"], "mine.safetensors"),
    "adapt": (["adapt", "none.tif", "--name", "mine", "-o", "out", "--work", "work"], "mine.safetensors"),
}


@pytest.mark.parametrize("kind", ["file", "link"])
@pytest.mark.parametrize("command", COMMANDS)
def test_an_existing_file_is_refused_and_stays(tmp_path, monkeypatch, command, kind):
    call, name = COMMANDS[command]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUNBREAK_MODELS", str(tmp_path / "out"))
    (tmp_path / "out").mkdir()
    path, mine = tmp_path / "out" / name, tmp_path / "mine"
    mine.write_text("mine")
    path.symlink_to(mine) if kind == "link" else path.write_text("mine")
    done = CliRunner().invoke(app, call)
    assert done.exit_code == 2, done.output
    assert name in done.output and "exists already" in " ".join(done.output.split())
    assert (path.read_text(), path.is_symlink()) == ("mine", kind == "link")
    assert [one.name for one in (tmp_path / "out").iterdir()] == [name]


@pytest.mark.skipif(os.name == "nt", reason="other limits")
@pytest.mark.parametrize("folder", ["x" * 300, "a\udcffb"])
@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("models import",)])
def test_an_impossible_folder_is_refused_by_name(tmp_path, monkeypatch, command, folder):
    call, _ = COMMANDS[command]
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [folder if one == "out" else one for one in call])
    assert done.exit_code == 2, done.output
    assert "the name of an output" in " ".join(done.output.split())
    assert not list(Path().iterdir())
