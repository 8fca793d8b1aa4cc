"""An unfinished run that is damaged or was planted: it is refused in one line, nothing of it is lost, nothing leads out."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sunbreak.errors import OutputError
from sunbreak.layers import roles
from sunbreak.layers.journal import DamagedJournal, Journal, Point
from sunbreak.layers.output import LayerSet

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes")

SPECS = [roles.reconstructed()]
POINT = Point("clean", "torch", 4, 9, "clean-4.npz")


def layer_set(directory: Path, grid, **options) -> LayerSet:
    return LayerSet(directory, "place", grid, SPECS, provenance={"model": "m"}, inputs=[], **options)


@pytest.fixture
def stopped(grid, tmp_path) -> Path:
    """The hidden folder of a run that was killed after 100 rows."""
    out = tmp_path / "out"
    with layer_set(out, grid) as layers:
        layers.write("reconstructed", 0, np.full((1, 100, grid.width), 0.5, np.float32))
        layers.keep(POINT, {"sum": np.arange(1000.0)})
        layers.continuation.refused = True
    return out / ".sunbreak-place.tmp"


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(stopped: Path, grid) -> str:
    """What resuming says; the unfinished work must stay as it is."""
    before = content(stopped)
    with pytest.raises(OutputError) as caught, layer_set(stopped.parent, grid, resume=True) as layers:
        layers.continuation.point("clean", "torch")
    assert caught.value.exit_status == 2
    assert content(stopped) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_undamaged_one_is_resumed(stopped, grid):
    with layer_set(stopped.parent, grid, resume=True) as layers:
        point, state = layers.continuation.point("clean", "torch")
        assert (point.strips, state["sum"].sum()) == (4, 499500)
        layers.write("reconstructed", 100, np.full((1, 600, grid.width), 0.5, np.float32))
        layers.finish()
    assert (stopped.parent / "place_reconstructed.tif").exists() and not stopped.exists()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(3000))


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4000] ^= 255
    path.write_bytes(content)


def no_arrays(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("sum.npy", b"nothing")


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("sum.npy", bytes(10**7))


def huge_shape(path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000, 100000000), }"
    header += b" " * (118 - len(header) - 1) + b"\n"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("sum.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)


def code(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file, file.open("sum.npy", "w") as member:
        np.lib.format.write_array(member, np.array([print], object), allow_pickle=True)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def missing(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    "damage",
    [cut, emptied, garbage, flipped, no_arrays, bomb, huge_shape, code, pipe, missing],
    ids=lambda f: f.__name__,
)
def test_counts_that_cannot_be_read_are_named_and_kept(stopped, grid, damage):
    damage(stopped / "journal" / "clean-4.npz")
    said = refused(stopped, grid)
    assert "left counts that cannot be used" in said and "leave out --resume" in said and str(stopped) in said


RUN = {"run": {"model": "m"}}
LINES = {
    "no json": b"garbage\n",
    "a number": b"7\n",
    "a list": b"[]\n",
    "deep": b"[" * 100_000 + b"\n",
    "deep objects": b'{"run":' * 50_000 + b"\n",
    "zeros": bytes(4096) + b"\n",
    "run is a list": b'{"run": [1]}\n',
    "run of numbers": b'{"run": {"a": 1}}\n',
    "huge integer": b'{"run": {"a": ' + b"9" * 10_000 + b"}}\n",
    "a point of another kind": json.dumps(RUN).encode() + b'\n{"point": 5, "rows": {}}\n',
    "a point without fields": json.dumps(RUN).encode() + b'\n{"point": {}, "rows": {}}\n',
    "rows as text": json.dumps(RUN).encode()
    + b'\n{"point": {"step": "clean", "runtime": "torch", "strips": 4, "computed": 9, "state": "clean-4.npz"}, '
    b'"rows": {"reconstructed": "100"}}\n',
    "negative rows": json.dumps(RUN).encode()
    + b'\n{"point": {"step": "clean", "runtime": "torch", "strips": 4, "computed": 9, "state": "clean-4.npz"}, '
    b'"rows": {"reconstructed": -5}}\n',
    "counts elsewhere": json.dumps(RUN).encode()
    + b'\n{"point": {"step": "clean", "runtime": "torch", "strips": 4, "computed": 9, "state": "../../../x.npz"}, '
    b'"rows": {}}\n',
    "a layer elsewhere": json.dumps(RUN).encode() + b'\n{"settled": "../../x"}\n',
    "settled is a number": json.dumps(RUN).encode() + b'\n{"settled": 5}\n',
}


@pytest.mark.parametrize("lines", LINES.values(), ids=LINES)
def test_lines_that_no_run_wrote_are_refused_and_kept(stopped, grid, lines):
    (stopped / "journal" / "lines").write_bytes(lines)
    assert "has a journal that cannot be used" in refused(stopped, grid)


def test_a_journal_of_gigabytes_is_not_read(stopped, grid):
    with (stopped / "journal" / "lines").open("r+b") as file:
        file.truncate(2**33)
    assert "too many for a file of Sunbreak" in refused_without_reading(stopped, grid)


def refused_without_reading(stopped: Path, grid) -> str:
    with pytest.raises(OutputError) as caught:
        layer_set(stopped.parent, grid, resume=True)
    return str(caught.value)


def test_more_rows_than_there_are_are_refused(stopped, grid):
    lines = stopped / "journal" / "lines"
    lines.write_text(lines.read_text().replace('"reconstructed": 100', '"reconstructed": 100000'))
    assert "names 100000 rows of 700" in refused(stopped, grid)


def test_rows_that_do_not_fit_how_far_the_run_got_are_refused(stopped, grid):
    lines = stopped / "journal" / "lines"
    lines.write_text(lines.read_text().replace('"reconstructed": 100', '"reconstructed": 50'))
    goes_on = pytest.raises(OutputError, match="names 50 rows of the layer reconstructed, where 100 are needed")
    with goes_on as caught, layer_set(stopped.parent, grid, resume=True) as layers:
        layers.write("reconstructed", 100, np.zeros((1, 600, grid.width), np.float32))
    assert caught.value.code == "damaged-run"
    ends = pytest.raises(OutputError, match="names 50 rows of the layer reconstructed, where 700 are needed")
    with ends, layer_set(stopped.parent, grid, resume=True) as layers:
        layers.finish()
    assert stopped.is_dir()


def test_rows_that_are_missing_are_an_error_and_the_rest_stays(stopped, grid):
    cut(stopped / "reconstructed.0.raw")
    assert "rows are missing" in refused(stopped, grid)


@pytest.mark.parametrize("how", ["link", "second name", "pipe"])
def test_staged_rows_that_lead_elsewhere_are_not_written(stopped, grid, tmp_path, how):
    raw, mine = stopped / "reconstructed.0.raw", tmp_path / "mine"
    mine.write_bytes(raw.read_bytes())
    raw.unlink()
    if how == "pipe":
        os.mkfifo(raw)
    else:
        (os.symlink if how == "link" else os.link)(mine, raw)
    before = mine.read_bytes()
    with pytest.raises(OutputError), layer_set(stopped.parent, grid, resume=True) as layers:
        layers.write("reconstructed", 100, np.zeros((1, 600, grid.width), np.float32))
    assert mine.read_bytes() == before and os.path.lexists(raw)


@pytest.mark.parametrize("name", ["lines", "clean-4.npz"])
def test_a_journal_that_is_a_link_is_not_followed(stopped, grid, tmp_path, name):
    path, mine = stopped / "journal" / name, tmp_path / "mine"
    path.rename(mine)
    path.symlink_to(mine)
    before = mine.read_bytes()
    with pytest.raises(OutputError), layer_set(stopped.parent, grid, resume=True) as layers:
        layers.continuation.point("clean", "torch")
    assert mine.read_bytes() == before and path.is_symlink()


@pytest.mark.parametrize("resume", [False, True])
def test_a_hidden_folder_that_is_a_link_is_refused_and_nothing_behind_it_changes(grid, stopped, tmp_path, resume):
    elsewhere = tmp_path / "elsewhere"
    stopped.rename(elsewhere)
    (elsewhere / "letter.txt").write_text("mine")
    stopped.symlink_to(elsewhere)
    before = content(elsewhere)
    with pytest.raises(OutputError, match="is no folder") as caught:
        layer_set(stopped.parent, grid, resume=resume)
    assert caught.value.code == "foreign-folder"
    assert content(elsewhere) == before


def test_links_among_the_unfinished_files_are_never_written_through(stopped, grid, tmp_path):
    (stopped / "reconstructed.0.vrt").symlink_to(tmp_path / "made elsewhere")
    (stopped / "place_quicklook.png").symlink_to(tmp_path / "made elsewhere")
    with layer_set(stopped.parent, grid, resume=True) as layers:
        layers.write("reconstructed", 100, np.zeros((1, 600, grid.width), np.float32))
        layers.finish()
    assert not (tmp_path / "made elsewhere").exists()
    assert not any(path.is_symlink() for path in stopped.parent.iterdir())


def test_a_failure_before_anything_is_added_keeps_the_unfinished_run(stopped, grid):
    before = content(stopped)
    with pytest.raises(ValueError, match="the model"), layer_set(stopped.parent, grid, resume=True):
        raise ValueError("the model is gone")
    assert content(stopped) == before


def test_a_state_left_without_its_line_does_not_stop_the_journal(tmp_path):
    journal = Journal(tmp_path)
    journal.begin({"model": "m"})
    (journal.folder / "clean-4.npz").write_bytes(b"half")
    journal.keep(POINT, {}, {"sum": np.arange(3)}, 0.0)
    journal.close()
    assert Journal(tmp_path).state(POINT)["sum"].tolist() == [0, 1, 2]
    (journal.folder / "clean-4.npz").write_bytes(b"half")
    with pytest.raises(DamagedJournal, match=r"clean-4\.npz"):
        Journal(tmp_path).state(POINT)
