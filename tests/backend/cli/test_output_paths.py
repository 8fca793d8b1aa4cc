"""Every command looks at where its output goes before it reads or computes anything: one line, exit status 2."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from sunbreak.cli.app import app
from sunbreak.cli.lazy import LazyGroup
from sunbreak.cli.session import session
from sunbreak.scene import S2_BANDS

# None of the inputs exists: a command that reads one of them first says so.
COMMANDS = {
    "clean": "clean no.tif -o OUT",
    "run": "run no.tif -o OUT",
    "classify": "classify no.tif -o OUT",
    "explain": "explain no.tif -o OUT",
    "detect-clouds": "detect-clouds no.tif -o OUT",
    "get": "get --bbox 0,0,1,1 --date 2020-01-01 --profile no.yaml -o OUT",
    "batch": "batch no.csv -o OUT",
    "series": "series no -o OUT",
    "compare": "compare no.tif no2.tif -o OUT",
    "simulate": "simulate -o OUT --size 4096",
    "simulate patches": "simulate -o OUT --layout sen12ms --patches 9999",
    "simulate demo": "simulate -o OUT --demo",
    "evaluate clouds": "evaluate clouds --pred no.tif --reference no2.tif -o OUT",
    "evaluate removal": "evaluate removal --pred no.tif --target no2.tif -o OUT",
    "evaluate removal of folders": "evaluate removal --pred . --target . -o OUT",
    "evaluate removal of a data set": "evaluate removal --data no -o OUT",
    "study downstream": "study downstream -o OUT",
    "study downstream of a table": "study downstream --table no.npz -o OUT",
    "study unpaired": "study unpaired -o OUT",
    "adapt": "adapt no.tif --name m -o OUT --work work",
    "train classifier": "train classifier --name m -o OUT --work work",
    "train removal": "train removal --name m -o OUT --work work",
    "train multilabel": "train multilabel --bigearthnet no --name m -o OUT --work work",
    "train aug-cyclegan": "train aug-cyclegan --bigearthnet no --name m -o OUT --work work",
}
TRAININGS = {
    name: call.replace("-o OUT --work work", "-o models --work OUT")
    for name, call in COMMANDS.items()
    if "work" in call
}
#: The file that a command writes into its folder, where that does not depend on the inputs.
FILES = {
    "simulate": "scene_s2_cloudy.tif",
    "simulate demo": "demo_s1.tif",
    "evaluate clouds": "clouds.csv",
    "evaluate removal of folders": "patches.csv",
    "study downstream": "report.html",
    "study unpaired": "report.html",
    **dict.fromkeys(TRAININGS, "m.safetensors"),
}


def writers(group: typer.core.TyperGroup, before: str = "") -> Iterator[str]:
    commands = group.loaded() if isinstance(group, LazyGroup) else group.commands
    for name, command in commands.items():
        if hasattr(command, "commands"):
            yield from writers(command, f"{name} ")
        elif any(parameter.name == "output" for parameter in command.params):
            yield before + name


def test_every_command_with_an_output_is_in_the_table():
    found = set(writers(typer.main.get_command(app)))
    assert {name for name in found if not any(call.startswith(f"{name} ") for call in COMMANDS.values())} == set()
    assert len(found) == 19


def in_a_file(folder: Path) -> tuple[Path, str]:
    (folder / "file").write_text("mine")
    return folder / "file" / "deeper", "is a file, not a folder"


def a_file(folder: Path) -> tuple[Path, str]:
    (folder / "file").write_text("mine")
    return folder / "file", "is a file, not a folder"


def a_pipe(folder: Path) -> tuple[Path, str]:
    os.mkfifo(folder / "pipe")
    return folder / "pipe" / "deeper", "is a file, not a folder"


def a_link_to_nowhere(folder: Path) -> tuple[Path, str]:
    (folder / "link").symlink_to(folder / "gone")
    return folder / "link", "a link that leads nowhere"


def links_in_a_circle(folder: Path) -> tuple[Path, str]:
    (folder / "one").symlink_to(folder / "two")
    (folder / "two").symlink_to(folder / "one")
    return folder / "one" / "deeper", "a link that leads nowhere"


def read_only(folder: Path) -> tuple[Path, str]:
    (folder / "closed").mkdir(mode=0o500)
    return folder / "closed" / "deeper", "cannot be written"


def forbidden(folder: Path) -> tuple[Path, str]:
    (folder / "closed" / "inside").mkdir(parents=True)
    (folder / "closed").chmod(0)
    return folder / "closed" / "inside" / "deeper", "cannot be written"


KINDS = {
    "a file": a_file,
    "in a file": in_a_file,
    "in a pipe": a_pipe,
    "a link to nowhere": a_link_to_nowhere,
    "links in a circle": links_in_a_circle,
    "a name of 300 bytes": lambda folder: (folder / ("x" * 300), "300 bytes, and 255 are possible"),
    "a path of 5000 bytes": lambda folder: (folder.joinpath(*["x" * 200] * 25), "the path of an output"),
    "not UTF-8": lambda folder: (folder / "a\udcffb", "not UTF-8"),
    **(
        {"a folder of the system": lambda folder: (Path("/proc/x/y"), "/proc cannot be written")}
        if Path("/proc/self").exists()
        else {}
    ),
    "a system of GDAL": lambda folder: (Path("/vsimem/x"), "not a local path"),
    **({} if os.geteuid() == 0 else {"a read-only folder": read_only, "a forbidden folder": forbidden}),
}


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Runs a command of the table in an empty folder; gives its status and the line it ends with."""
    work = tmp_path / "here"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("COLUMNS", "10000")

    def run(text: str, out: Path | str) -> tuple[int, str]:
        done = CliRunner().invoke(app, [str(out) if part == "OUT" else part for part in text.split()])
        assert "Traceback" not in done.output
        assert not isinstance(done.exception, Exception) or isinstance(done.exception, SystemExit)
        lines = [line for line in done.output.splitlines() if line.strip()]
        return done.exit_code, lines[-1]

    return run


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", COMMANDS)
def test_an_impossible_output_folder_is_refused_before_anything_else(tmp_path, call, command, kind):
    out, said = KINDS[kind](tmp_path)
    try:
        status, line = call(COMMANDS[command], out)
    finally:
        if (tmp_path / "closed").exists():
            (tmp_path / "closed").chmod(0o700)
    assert (status, said in line) == (2, True), line
    assert not list(Path().iterdir())
    left = {path.name for path in tmp_path.rglob("*")}
    assert left <= {"here", "file", "pipe", "link", "one", "two", "closed", "inside"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", TRAININGS)
def test_an_impossible_work_folder_is_refused_before_anything_else(tmp_path, call, command, kind):
    out, said = KINDS[kind](tmp_path)
    try:
        status, line = call(TRAININGS[command], out)
    finally:
        if (tmp_path / "closed").exists():
            (tmp_path / "closed").chmod(0o700)
    assert (status, said in line) == (2, True), line
    assert not list(Path().iterdir())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("not UTF-8",)])
@pytest.mark.parametrize("text", ["models import no.pth --name m", "adapt no.tif --name m --work work"])
def test_a_model_folder_that_cannot_be_is_refused_before_anything_else(tmp_path, call, monkeypatch, text, kind):
    folder, said = KINDS[kind](tmp_path)
    monkeypatch.setenv("SUNBREAK_MODELS", str(folder))
    try:
        status, line = call(text, "")
    finally:
        if (tmp_path / "closed").exists():
            (tmp_path / "closed").chmod(0o700)
    assert (status, said in line) == (2, True), line
    assert not list(Path().iterdir())


@pytest.mark.skipif(os.name == "nt", reason="other permissions")
def test_a_file_that_may_not_be_looked_at_is_named_with_the_status_of_bad_input(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("COLUMNS", "10000")
    (tmp_path / "closed").mkdir()
    model = tmp_path / "closed" / "model.json"
    with pytest.raises(typer.Exit) as end, session("clean", events=False):
        (tmp_path / "closed").chmod(0)
        try:
            if model.is_file() or os.geteuid() == 0:  # root may look
                raise PermissionError(errno.EACCES, "Permission denied", str(model))
        finally:
            (tmp_path / "closed").chmod(0o700)
    assert end.value.exit_code == 2
    assert f"{model}: Permission denied" in capfd.readouterr().err


@pytest.mark.parametrize("command", FILES)
def test_a_folder_where_a_file_is_written_is_refused(tmp_path, call, command):
    (tmp_path / "out" / FILES[command]).mkdir(parents=True)
    status, line = call(COMMANDS[command] + (" --overwrite" if "train" not in command else ""), tmp_path / "out")
    assert (status, "is a folder" in line, FILES[command] in line) == (2, True, True), line


@pytest.mark.parametrize("name", ["csv", "figures", "steps"])
def test_a_file_where_a_study_has_a_folder_is_refused_before_hours_of_work(tmp_path, call, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("mine")
    status, line = call("study downstream -o OUT --overwrite", tmp_path / "out")
    assert (status, f"{name} is a file, not a folder" in line) == (2, True), line
    assert (tmp_path / "out" / name).read_text() == "mine"


@pytest.mark.parametrize("name", ["../m", "a/b", "x" * 101, "a b", ""])
@pytest.mark.parametrize("command", [name for name in TRAININGS if name != "adapt"])
def test_a_name_that_no_model_can_have_is_refused_before_a_training(tmp_path, call, command, name):
    words = COMMANDS[command].split()
    words[words.index("--name") + 1] = "OUT"
    status, line = call(" ".join(words).replace("-o OUT", "-o models"), name)
    assert (status, "cannot be a model's name" in line) == (2, True), line
    assert not list(Path().iterdir())


@pytest.mark.parametrize("name", ["m/state.pt", "m/log.csv"])
@pytest.mark.parametrize("command", TRAININGS)
def test_a_folder_where_a_training_keeps_a_file_is_refused(tmp_path, call, command, name):
    (tmp_path / "work" / name).mkdir(parents=True)
    status, line = call(TRAININGS[command], tmp_path / "work")
    assert (status, f"{name} is a folder" in line) == (2, True), line


@pytest.mark.parametrize("name", ["m/samples", "scenes", "masks", "landcover"])
@pytest.mark.parametrize("command", TRAININGS)
def test_a_file_where_a_training_keeps_a_folder_is_refused_and_stays(tmp_path, call, command, name):
    path = tmp_path / "work" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    status, line = call(TRAININGS[command], tmp_path / "work")
    assert (status, f"{name} is a file, not a folder" in line) == (2, True), line
    assert path.read_text() == "mine"


# an output that is an input: by its own name, by a link, by a second name


def standing(path: Path, content: bytes, way: str) -> Path:
    """A file with this content, which `path` leads to; what it is called when it is given as an input."""
    path.parent.mkdir(exist_ok=True)
    other = path.parent.parent / f"given{path.suffix}"
    other.write_bytes(content)
    if way == "itself":
        other.replace(path)
        return path
    path.symlink_to(other) if way == "a link" else os.link(other, path)
    return other


@pytest.mark.parametrize("way", ["itself", "a link", "a second name"])
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("batch GIVEN -o OUT --overwrite", "summary.csv"),
        ("study downstream --table GIVEN -o OUT --overwrite", "csv/numbers.npz"),
        ("study downstream --table GIVEN -o OUT --overwrite", "report.html"),
        ("evaluate clouds --pred GIVEN --reference GIVEN -o OUT --overwrite", "clouds.csv"),
        ("models import GIVEN --name m --overwrite", "m.safetensors"),
        ("models import no.safetensors --config GIVEN --name m --overwrite", "m.json"),
    ],
)
def test_an_output_that_is_an_input_is_refused_and_stays(tmp_path, call, monkeypatch, text, name, way):
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setenv("SUNBREAK_MODELS", str(out))
    given = standing(out / name, b"s2,s1\nno.tif,\n", way)
    before = (given.read_bytes(), given.stat().st_mtime_ns)
    status, line = call(text.replace("GIVEN", str(given)), out)
    assert (status, "is an input of this run" in line, Path(name).name in line) == (2, True, True), line
    assert (given.read_bytes(), given.stat().st_mtime_ns) == before


@pytest.mark.parametrize("way", ["itself", "a link", "a second name"])
@pytest.mark.parametrize("command", ["adapt no.tif --model GIVEN --overwrite", "train removal --start GIVEN"])
def test_a_model_is_not_replaced_by_one_that_is_made_from_it(tmp_path, call, small_model, command, way):
    out = tmp_path / "out"
    out.mkdir()
    given = standing(out / "m.json", small_model.path.read_bytes(), way)
    shutil.copy(small_model.weights, given.with_suffix(".safetensors"))
    text = command.replace("GIVEN", str(given))
    status, line = call(f"{text} --name m -o OUT --work work", out)
    assert (status, "m.json is an input of this run" in line) == (2, True), line
    assert not list(Path().iterdir())


def raster(path: Path, seed: int) -> Path:
    from rasterio import open as open_raster

    bands = {"driver": "GTiff", "dtype": "uint16", "width": 64, "height": 64, "crs": "EPSG:32632"}
    with open_raster(path, "w", count=13, transform=(10, 0, 6e5, 0, -10, 54e5), **bands) as target:
        target.write(np.random.default_rng(seed).integers(500, 4000, (13, 64, 64)).astype("uint16"))
        target.descriptions = S2_BANDS
    return path


@pytest.mark.parametrize("way", ["itself", "a link", "a second name"])
def test_a_layer_is_not_written_over_a_file_that_the_run_reads(tmp_path, call, way):
    out = tmp_path / "out"
    out.mkdir()
    content = raster(tmp_path / "s.tif", 1).read_bytes()
    given = standing(out / "s_error.tif", content, way)
    status, line = call(f"compare {tmp_path / 's.tif'} {given} -o OUT --overwrite", out)
    assert (status, "s_error.tif is an input of this run" in line) == (2, True), line
    assert given.read_bytes() == content


def test_two_rasters_make_no_table_and_the_output_folder_says_so(tmp_path, call):
    first, second = raster(tmp_path / "a.tif", 1), raster(tmp_path / "b.tif", 2)
    words = ["evaluate", "removal", "--pred", str(first), "--target", str(second), "-o", str(tmp_path / "o")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "Nothing is written to" in " ".join(done.output.split())
    assert not (tmp_path / "o").exists()
