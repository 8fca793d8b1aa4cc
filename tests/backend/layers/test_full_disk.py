"""The disk fills up at any moment of a run: one line names the disk and the file, and nothing is left behind."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sunbreak.errors import RunError
from sunbreak.layers import cog, describing, output, publish, quicklook, roles
from sunbreak.layers.journal import Journal, Point
from sunbreak.layers.output import LayerSet
from sunbreak.layers.staging import Staging

resource = pytest.importorskip("resource")
signal = pytest.importorskip("signal")

SPECS = [roles.reconstructed(), roles.cloud_mask()]
# whose call comes right after the disk is full
MOMENTS: dict[str, tuple[Any, str]] = {
    "the lock and the folder": (output.OutputLock, "acquire"),
    "staged rows": (Staging, "append"),
    "journal": (Journal, "keep"),
    "VRT": (Staging, "describe"),
    "COG": (cog, "convert"),
    "quicklook": (quicklook, "write_quicklook"),
    "style": (describing, "write_style"),
    "STAC item": (describing, "write_item"),
}


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of its own, 12 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = sys.platform == "linux" and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> None:
    """Take every byte that is free."""
    with (place / "filler").open("wb", buffering=0) as file:
        for size in (2**16, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass


def run(out: Path, grid, beside: Callable[[Path], None] = lambda folder: None) -> None:
    with LayerSet(out, "place", grid, SPECS, provenance={"model": "m"}, inputs=[], beside=("report.html",)) as layers:
        rng = np.random.default_rng(0)
        for row in (0, 350):
            for spec in SPECS:
                layers.write(spec.role, row, rng.random((1, 350, grid.width), np.float32).round(row and 2))
            layers.keep(Point("clean", "torch", row, 9, f"clean-{row}.npz"), {"sum": np.arange(100_000)})
        layers.finish(beside=lambda folder, _: beside(folder))


def before_the_call(monkeypatch, moment: str, action: Callable[[], None]) -> None:
    owner, name = MOMENTS[moment]
    whole = getattr(owner, name)

    def wrapped(*arguments, **named):
        action()
        return whole(*arguments, **named)

    monkeypatch.setattr(owner, name, wrapped)


def check(error: RunError, out: Path) -> None:
    assert (error.code, error.exit_status) == ("disk-full", 1)
    assert f"The disk of {out} is full" in error.message and "could not be written" in error.message
    assert "\n" not in str(error)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_disk_that_takes_no_more_is_named(small_disk, grid, monkeypatch, moment):
    before_the_call(monkeypatch, moment, lambda: fill(small_disk))
    with pytest.raises(RunError) as caught:
        run(small_disk / "out", grid)
    check(caught.value, small_disk / "out")
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_a_report_that_does_not_fit_is_named(small_disk, grid):
    def report(folder: Path) -> None:
        fill(small_disk)
        (folder / "place_report.html").write_text("page" * 10_000)

    with pytest.raises(RunError, match=r"place_report\.html|report\.html") as caught:
        run(small_disk / "out", grid, report)
    check(caught.value, small_disk / "out")
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


@pytest.mark.parametrize("room", range(0, 1_200_000, 200_000))
def test_a_disk_that_is_full_in_the_middle_of_a_file_is_named(small_disk, grid, monkeypatch, room):
    """Some room is left when the first layer is converted: enough for a part of the files."""

    def nearly_fill() -> None:
        if not (small_disk / "filler").exists():
            fill(small_disk)
            os.truncate(small_disk / "filler", (small_disk / "filler").stat().st_size - room)

    before_the_call(monkeypatch, "COG", nearly_fill)
    with pytest.raises(RunError) as caught:
        run(small_disk / "out", grid)
    check(caught.value, small_disk / "out")
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


@contextlib.contextmanager
def limited() -> Iterator[Callable[[], None]]:
    """From the call on to the end of the block, no file can grow beyond 50 bytes, as if the quota were used up.

    A fixture would end too late: what pytest prints after the test may go into a file too.
    """
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50, before[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("moment", [moment for moment in MOMENTS if moment != "the lock and the folder"])
def test_files_that_cannot_grow_are_named_too(tmp_path, grid, monkeypatch, moment):
    with limited() as limit:
        before_the_call(monkeypatch, moment, limit)
        with pytest.raises(RunError) as caught:
            run(tmp_path / "out", grid)
    assert str(tmp_path / "out") in caught.value.message and "\n" not in str(caught.value)
    assert caught.value.code == "disk-full"
    assert not (tmp_path / "out").exists()


def test_a_layer_that_cannot_be_published_leaves_what_was_there(tmp_path, grid, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publish, "move_to_free_name", fail)
    with pytest.raises(Exception, match="No space left on device") as caught:
        run(tmp_path / "out", grid)
    assert "place_" in str(caught.value) and not (tmp_path / "out").exists()
