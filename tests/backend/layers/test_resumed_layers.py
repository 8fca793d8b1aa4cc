"""Staged rows that go on after the process that wrote them is gone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.transform import from_origin

from sunbreak.layers import roles
from sunbreak.layers.resume import run_identity
from sunbreak.layers.staging import Staging
from sunbreak.scene.grid import Grid


def grid(height: int, width: int = 5) -> Grid:
    return Grid(CRS.from_epsg(32632), from_origin(500000, 5300000, 10, 10), width, height)


def spec(kind: str) -> roles.LayerSpec:
    return roles.uncertainty(("B02", "B03")) if kind == "numbers" else roles.cloud_mask()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    height=st.integers(1100, 2100),
    kind=st.sampled_from(["numbers", "classes"]),
    cuts=st.lists(st.integers(1, 2099), min_size=1, max_size=6),
    kept=st.integers(0, 6),
)
def test_resumed_rows_of_all_sizes_equal_those_of_an_uninterrupted_run(tmp_path, height, kind, cuts, kept):
    layer = spec(kind)
    rng = np.random.default_rng(height)
    values = rng.integers(0, 2 if kind == "classes" else 3000, (len(layer.bands), height, 5)).astype(layer.dtype)
    edges = sorted({0, height, *(cut for cut in cuts if cut < height)})
    parts = [values[:, first:stop] for first, stop in pairwise(edges)]
    at = min(kept, len(parts))
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    for folder in (whole, stopped):
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
    once = Staging(whole, layer, grid(height))
    for part in parts:
        once.append(part)
    once.close()
    first = Staging(stopped, layer, grid(height))
    # rows beyond the point that was written down may be there; they are written again
    for part in parts[: at + 1]:
        first.append(part)
    first.close()
    second = Staging(stopped, layer, grid(height), edges[at])
    assert second.next_row == edges[at]
    for part in parts[at:]:
        second.append(part)
    second.close()
    assert {path.name: path.read_bytes() for path in whole.iterdir()} == {
        path.name: path.read_bytes() for path in stopped.iterdir()
    }


def test_files_that_are_too_short_are_refused(tmp_path):
    staging = Staging(tmp_path, spec("numbers"), grid(600))
    staging.append(np.zeros((2, 300, 5), np.uint16))
    staging.close()
    with pytest.raises(OSError, match="rows are missing"):
        Staging(tmp_path, spec("numbers"), grid(600), 301)


def test_a_changed_input_makes_another_run(tmp_path):
    scene = tmp_path / "scene.tif"
    scene.write_bytes(b"one")
    specs = [spec("numbers")]
    first = run_identity({"model": "a"}, [scene], specs, grid(600))
    assert first == run_identity({"model": "a"}, [scene], specs, grid(600))
    scene.write_bytes(b"other")
    second = run_identity({"model": "a"}, [scene], specs, grid(600))
    assert {name for name in first if first[name] != second[name]} == {"input files"}
    third = run_identity({"model": "a"}, [scene], [*specs, spec("classes")], grid(601))
    assert {name for name in second if second[name] != third[name]} == {"layers", "grid"}


def test_a_point_that_did_not_wait_for_the_disk_holds_until_the_machine_starts_anew(tmp_path, monkeypatch):
    from sunbreak.layers import journal

    monkeypatch.setattr(journal, "_boot", lambda: "this start")
    book = journal.Journal(tmp_path)
    book.begin({"command": "clean"})
    point = journal.Point("clean", "torch", 2, 5, "clean-2.npz")
    book.keep(point, {"cleaned": 300}, {"seen": np.arange(3)}, 0.0, on_disk=False)
    book.close()
    past = journal.Journal(tmp_path).read()
    assert past is not None
    assert past.points == {"clean": point}
    assert past.rows == {"cleaned": 300}
    monkeypatch.setattr(journal, "_boot", lambda: "another start")
    assert journal.Journal(tmp_path).read() is None
