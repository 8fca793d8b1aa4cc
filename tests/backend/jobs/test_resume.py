"""A run whose process was killed: the same command with --resume resumes where it stopped and ends with the same bytes.

The killing is real. It happens in a process of its own, right after a line of the journal was written.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from program import RUN, sunbreak
from rasterio.transform import from_origin

from sunbreak.datasets.simulation import simulate_scene
from sunbreak.errors import Cancelled, OutputError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.jobs.single import CleanOptions, clean
from sunbreak.layers.journal import Journal, Point
from sunbreak.layers.lock import OutputLock
from sunbreak.models.registry import find_model
from sunbreak.scene import S2_BANDS, Scene

# kills itself after the n-th line of the journal that speaks of something
SUICIDE = """
import os, signal
from sunbreak.layers import journal
journal._SHARE = 1e9
whole, seen = journal.Journal._line, []
def line(self, content):
    whole(self, content)
    if {word!r} in repr(content):
        seen.append(1)
        if len(seen) == {number}:
            os.kill(os.getpid(), signal.SIGKILL)
journal.Journal._line = line
"""


def write_scene(folder: Path, rows: int, columns: int = 66) -> tuple[Path, Path]:
    """A cloudy scene: S2 and S1."""
    folder.mkdir()
    made = simulate_scene((rows, columns), 4, cover=0.4)
    for name, values, bands in (("s2", made.cloudy, S2_BANDS), ("s1", made.s1, ("VV", "VH"))):
        profile = {"driver": "GTiff", "count": len(values), "height": rows, "width": columns, "dtype": values.dtype}
        place = {"crs": "EPSG:32632", "transform": from_origin(500000, 5300000, 10, 10)}
        with rasterio.open(folder / f"{name}.tif", "w", **profile, **place) as target:
            target.write(values)
            for index, band in enumerate(bands, 1):
                target.set_band_description(index, band)
    return folder / "s2.tif", folder / "s1.tif"


@pytest.fixture(scope="module")
def place(tmp_path_factory, small_model, small_classifier, small_pixels) -> dict[str, list[object]]:
    """The commands on narrow scenes.

    1100 rows for cleaning: two strips of cloud detection, 23 of cleaning. 250 rows for the others: 13 strips of patches
    in 66 columns, 8 strips of one tile for pixels in 32 columns.
    """
    root = tmp_path_factory.mktemp("place")
    (s2, s1), (short_s2, short_s1) = (write_scene(root / str(rows), rows) for rows in (1100, 250))
    thin_s2, thin_s1 = write_scene(root / "thin", 250, 32)
    models = ["--model", small_model.path, "--classifier", small_classifier.path]
    how = ["--device", "cpu", "--runtime", "torch"]
    # starts faster than the default, which the command that only detects uses
    quick = ["--detector", "s2cloudless"]
    return {
        "detect": ["detect-clouds", s2],
        "clean": ["clean", s2, "--s1", s1, *models[:2], *quick, *how],
        "run": ["run", short_s2, "--s1", short_s1, *quick, *how, *models, "--stride", 32],
        "classify": ["classify", short_s2, "--model", small_classifier.path, *how],
        "pixels": ["classify", thin_s2, "--model", small_pixels.path, "--probabilities", *how],
        "run-pixels": [
            "run", thin_s2, "--s1", thin_s1, *quick, *how, "--model", small_model.path, "--classifier",
            small_pixels.path, "--class", "none",
        ],
        "explain": ["explain", short_s2, "--model", small_classifier.path, "--device", "cpu"],
        "gradcam": ["explain", thin_s2, "--model", small_pixels.path, "--device", "cpu", "--method", "gradcam"],
        "integrated": ["explain", thin_s2, "--model", small_pixels.path, "--device", "cpu"],
        "hirescam": ["explain", thin_s2, "--model", small_pixels.path, "--device", "cpu", "--method", "hirescam"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def whole(place, tmp_path_factory):
    """The folders of uninterrupted runs, created on demand."""
    made: dict[str, Path] = {}

    def folder(command: str) -> Path:
        if command not in made:
            made[command] = tmp_path_factory.mktemp(command) / "out"
            call(place[command], made[command])
        return made[command]

    return folder


def call(command: list[object], out: Path, *more: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = sunbreak(*command, "-o", out, *more)
    assert done.returncode == status, done.stderr
    return done


def kill(command: list[object], out: Path, word: str, number: int, *more: object) -> None:
    """Run a command until its process kills itself."""
    done = sunbreak(*command, "-o", out, *more, first=SUICIDE.format(word=word, number=number))
    assert done.returncode == -9, done.stderr


def rasters(folder: Path) -> dict[str, bytes]:
    """What lies in a folder; of STAC items, which hold the time, only that they are there."""
    return {path.name: b"" if path.suffix == ".json" else path.read_bytes() for path in folder.iterdir()}


def share(folder: Path) -> float:
    """Mean of the layer `reconstructed`."""
    with rasterio.open(folder / "s2_reconstructed.tif") as source:
        return float(source.read(1).mean()) / 1e4


def skipped(folder: Path) -> int:
    """Tiles of 64 px every 48 px without a pixel to replace."""
    with rasterio.open(folder / "s2_reconstructed.tif") as source:
        values = source.read(1)
    rows = [*range(0, 1100 - 64, 48), 1100 - 64]
    return sum(not values[row : row + 64, col : col + 64].any() for row in rows for col in (0, 2))


def hidden(folder: Path) -> Path:
    return folder / ".sunbreak-s2.tmp"


@pytest.mark.parametrize(
    ("command", "word", "number"),
    [
        ("detect", "'step': 'clouds'", 1),
        ("clean", "'settled'", 2),
        ("clean", "'publishing'", 1),
        ("classify", "'step': 'classify'", 8),
        ("pixels", "'step': 'classify'", 5),
        ("run-pixels", "'step': 'classify'", 5),
        ("explain", "'step': 'explain'", 8),
        ("gradcam", "'step': 'weights'", 4),
        ("gradcam", "'step': 'explain'", 3),
        ("hirescam", "'step': 'explain'", 5),
        ("integrated", "'step': 'explain'", 5),
        ("run", "'step': 'explain'", 3),
    ],
)
def test_a_killed_run_resumes_and_ends_with_the_same_bytes(place, whole, tmp_path, command, word, number):
    out = tmp_path / "out"
    kill(place[command], out, word, number)
    assert [path.name for path in out.iterdir() if not path.name.startswith(".")] == []
    said = call(place[command], out, "--resume")
    assert "Resuming the unfinished run where it stopped" in said.stdout + said.stderr
    assert rasters(out) == rasters(whole(command))
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def test_staged_rows_that_a_killed_run_had_not_deleted_are_not_published(place, whole, tmp_path):
    out = tmp_path / "out"
    kill(place["clean"], out, "'settled'", 3)
    settled = Journal(hidden(out)).read().settled
    assert settled
    for role in settled:
        (hidden(out) / f"{role}.0.raw").write_bytes(b"rows")
    call(place["clean"], out, "--resume")
    assert rasters(out) == rasters(whole("clean"))


@pytest.mark.parametrize("command", ["detect", "clean", "classify", "explain", "run"])
def test_a_run_that_was_killed_behind_its_last_file_is_done(place, whole, tmp_path, command):
    out = tmp_path / "out"
    shutil.copytree(whole(command), out)
    said = call(place[command], out, "--resume")
    assert "nothing is left to do" in said.stderr
    assert rasters(out) == rasters(whole(command))
    assert "exists already" in call(place[command], out, status=2).stderr


def test_killed_twice_it_resumes_twice_and_counts_the_same(place, whole, tmp_path):
    out = tmp_path / "out"
    kill(place["clean"], out, "'step': 'clouds'", 1)
    kill(place["clean"], out, "'step': 'clean'", 12, "--resume")
    past = Journal(hidden(out)).read()
    assert past is not None
    assert (past.points["clouds"].strips, past.points["clean"].strips) == (2, 12)
    events = [json.loads(line) for line in call(place["clean"], out, "--resume", "--events").stdout.splitlines()]
    assert rasters(out) == rasters(whole("clean"))
    tiles = [event["done"] for event in events if event["event"] == "progress" and event["unit"] == "tiles"]
    # of the twelve strips of two tiles that were finished, the last one reaches into the rows that are missing
    assert tiles[0] == 22
    numbers = events[-1]["numbers"]
    assert numbers["tiles_computed"] == numbers["tiles"] - skipped(out)
    assert numbers["reconstructed_share"] == pytest.approx(share(out), abs=1e-4)


def test_killed_from_outside_at_any_moment_it_resumes(place, whole, tmp_path):
    out = tmp_path / "out"
    running = subprocess.Popen(
        [*RUN, *map(str, (*place["clean"], "-o", out))], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while running.poll() is None and not (hidden(out) / "cleaned.0.raw").exists():
        time.sleep(0.002)
    time.sleep(0.3)
    running.kill()
    running.wait()
    call(place["clean"], out, "--resume")
    assert rasters(out) == rasters(whole("clean"))


def test_a_torn_line_of_the_journal_counts_as_not_written(tmp_path):
    journal = Journal(tmp_path)
    journal.begin({"task": "a"})
    for strips in (4, 5):
        state = {"sum": np.array(strips)}
        journal.keep(Point("clean", "torch", strips, 9, f"clean-{strips}.npz"), {"cleaned": 12 * strips}, state, 0.0)
        if strips == 4:
            kept = (journal.folder / "clean-4.npz").read_bytes()
    journal.close()
    # cut in the middle of the second line: the state of the first point is removed only after that line is whole
    lines = journal.folder / "lines"
    lines.write_bytes(lines.read_bytes()[:-10])
    (journal.folder / "clean-4.npz").write_bytes(kept)
    again = Journal(tmp_path)
    past = again.read()
    assert past is not None
    assert (past.points["clean"].strips, past.rows) == (4, {"cleaned": 48})
    assert again.state(past.points["clean"])["sum"] == 4
    again.go_on()
    again.settled("cleaned")
    again.close()
    past = Journal(tmp_path).read()
    assert past is not None
    assert past.settled == {"cleaned"}


def test_another_run_is_not_resumed_and_not_removed(place, tmp_path):
    out = tmp_path / "out"
    kill(place["clean"], out, "'step': 'clean'", 5)
    refused = call(place["clean"], out, "--resume", "--feather", 7, status=2)
    assert "was a different one (parameters)" in refused.stderr
    refused = call(place["clean"], out, "--resume", "--detector", "auto", status=2)
    assert "was a different one (parameters)" in refused.stderr
    refused = call([*place["clean"][:-1], "openvino"], out, "--resume", status=2)
    assert "ran with torch" in refused.stderr
    assert "--resume" in refused.stderr
    # another card beside the same weights is another model
    card = find_model(str(place["clean"][place["clean"].index("--model") + 1]))
    cards = tmp_path / "cards"
    cards.mkdir()
    shutil.copy(card.weights, cards)
    other = replace(card.card, tolerance=0.5).write(cards)
    refused = call([*place["clean"], "--model", other], out, "--resume", status=2)
    assert "was a different one (card of small)" in refused.stderr
    # staged rows that are not there are an error, not a hole
    raw = hidden(out) / "cleaned.0.raw"
    raw.write_bytes(raw.read_bytes()[:1000])
    assert "rows are missing" in call(place["clean"], out, "--resume", status=2).stderr


def test_a_cancelled_run_leaves_nothing_to_resume(scene_files, small_model, tmp_path):
    class Impatient(Reporter):
        def progress(self, done, total, unit="tiles"):
            if unit == "tiles" and done:
                self.cancellation.request()

    with pytest.raises(Cancelled):
        clean(Scene.open(*scene_files), tmp_path / "out", small_model, CleanOptions(), Impatient(Cancellation()))
    assert not (tmp_path / "out").exists()


def test_the_lock_of_a_live_run_is_respected(scene_files, small_model, tmp_path):
    (tmp_path / "out").mkdir()
    lock = OutputLock(tmp_path / "out" / ".sunbreak-place.lock")
    lock.acquire()
    with pytest.raises(OutputError, match="Another run"):
        clean(Scene.open(*scene_files), tmp_path / "out", small_model, CleanOptions(), Silent(), resume=True)
    lock.release()


def test_without_an_unfinished_run_it_starts_and_says_so(scene_files, small_model, tmp_path):
    class Remembering(Reporter):
        said: list[str] = []  # noqa: RUF012 (one test)

        def message(self, text, level="info"):
            self.said.append(text)

    reporter = Remembering()
    clean(Scene.open(*scene_files), tmp_path / "out", small_model, CleanOptions(), reporter, resume=True)
    assert "No unfinished run: starting from the beginning." in reporter.said


def test_the_journals_counts_come_back_as_they_were(tmp_path):
    journal = Journal(tmp_path)
    journal.begin({"task": "a"})
    state = {"sums": np.array([0.1, 1e300]), "mask": np.zeros((3, 2), np.uint8)}
    journal.keep(Point("clean", "torch", 4, 9, "clean-4.npz"), {"cleaned": 48}, state, time.monotonic())
    journal.close()
    past = Journal(tmp_path).read()
    assert past is not None
    assert (past.run, past.rows) == ({"task": "a"}, {"cleaned": 48})
    read = Journal(tmp_path).state(past.points["clean"])
    assert {name: value.dtype for name, value in read.items()} == {"sums": np.float64, "mask": np.uint8}
    np.testing.assert_array_equal(read["sums"], state["sums"])
