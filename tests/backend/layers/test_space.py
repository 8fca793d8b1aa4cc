"""The space that a run needs at its worst moment is asked for before it begins."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from sunbreak.errors import OutputError
from sunbreak.layers import roles
from sunbreak.layers.journal import Point
from sunbreak.layers.output import LayerSet
from sunbreak.layers.staging import full_bytes, staged_bytes

SPECS = [roles.reconstructed(), roles.cloud_mask()]


def layers(folder: Path, grid, **options) -> LayerSet:
    return LayerSet(folder, "place", grid, SPECS, provenance={}, inputs=[], **options)


@pytest.fixture
def free(monkeypatch):
    """Sets the free bytes of the disk."""
    usage = shutil.disk_usage("/")
    return lambda count: monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=count))


def needed(grid, *, in_parts: bool) -> int:
    staged = [staged_bytes(spec, grid) for spec in SPECS]
    parts = sum(full_bytes(spec, grid) for spec in SPECS) if in_parts else 0
    return sum(staged) + max(staged) + parts


@pytest.mark.parametrize("in_parts", [False, True])
def test_a_disk_with_a_byte_too_few_is_refused_before_anything_is_made(tmp_path, grid, free, in_parts):
    free(needed(grid, in_parts=in_parts) - 1)
    with pytest.raises(OutputError, match="while they are made") as caught:
        layers(tmp_path / "out", grid, in_parts=in_parts)
    assert caught.value.code == "disk-full"
    assert list(tmp_path.iterdir()) == []
    free(needed(grid, in_parts=in_parts))
    layers(tmp_path / "out", grid, in_parts=in_parts)


def test_what_parts_of_an_earlier_run_hold_counts_as_free_when_it_is_resumed(tmp_path, grid, free):
    with pytest.raises(KeyboardInterrupt), layers(tmp_path, grid, in_parts=True) as first:
        for spec in SPECS:
            first.write(spec.role, 0, np.zeros((1, grid.height, grid.width), spec.dtype))
        first.keep(Point("clean", "cpu", 1, 1, "clean-1.npz"), {})
        first.folder_of_parts.mkdir()
        (first.folder_of_parts / "clean.0.raw").write_bytes(bytes(5000))
        shutil.copytree(first.names.folder, tmp_path / "kept")
        raise KeyboardInterrupt
    (tmp_path / "kept").rename(first.names.folder)
    staged = sum(path.stat().st_size for path in first.names.folder.iterdir() if path.is_file())
    free(needed(grid, in_parts=True) - staged - 5000 - 1)
    with pytest.raises(OutputError, match="while they are made"):
        layers(tmp_path, grid, in_parts=True, resume=True)
    free(needed(grid, in_parts=True) - staged - 5000)
    assert layers(tmp_path, grid, in_parts=True, resume=True).resumed
