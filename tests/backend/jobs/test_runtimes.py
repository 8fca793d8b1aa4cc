"""What is kept between jobs: the clouds of scenes, within a number of bytes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rasterio.windows import Window

from sunbreak.clouds.choice import choose
from sunbreak.clouds.class_counts import ClassCounts
from sunbreak.clouds.mask_rows import MaskRows
from sunbreak.clouds.settings import CloudSettings
from sunbreak.events import Silent
from sunbreak.jobs.execute import run
from sunbreak.jobs.options import CleanOptions
from sunbreak.jobs.runtimes import CloudMemory, Runtimes
from sunbreak.jobs.spec import JobInputs, make_spec
from sunbreak.scene import Scene


@pytest.fixture
def scene(scene_files) -> Scene:
    return Scene.open(*scene_files)


def detector_of(scene: Scene, **settings):
    return choose("s2cloudless", CloudSettings(**settings), scene).detector


def test_clouds_are_found_again_for_the_same_part_reading_and_detector_only(scene, scene_files):
    memory, detector = CloudMemory(), detector_of(scene)
    mask, counts = MaskRows(70, 90), ClassCounts()
    memory.put(scene, detector, mask, counts)
    assert memory.get(Scene.open(*scene_files), detector_of(scene)) == (mask, counts)
    assert memory.get(Scene.open(scene_files[0]), detector) == (mask, counts)  # radar has no part in it
    assert memory.get(scene.cropped(Window(1, 0, 89, 70)), detector) is None
    assert memory.get(scene, detector_of(scene, threshold=0.7)) is None
    assert memory.get(replace(scene, level="L2A"), detector) is None
    os.utime(scene_files[0], (1, 1))
    assert memory.get(scene, detector) is None


def test_the_oldest_clouds_are_dropped_when_there_is_no_room(scene):
    detector = detector_of(scene)
    parts = [scene.cropped(Window(column, 0, 40, 70)) for column in (0, 10, 20)]
    memory = CloudMemory(limit=2 * 70 * 10)  # four pixels to a byte
    for part in parts:
        memory.put(part, detector, MaskRows(70, 40), ClassCounts())
    assert memory.bytes == 1400
    assert [memory.get(part, detector) is not None for part in parts] == [False, True, True]
    memory.put(scene, detector, MaskRows(70, 400), ClassCounts())
    assert (memory.bytes, memory.get(scene, detector)) == (0, None)


def test_a_job_leaves_the_clouds_that_it_detected_for_the_next_one(scene, scene_files, small_model, tmp_path: Path):
    options = CleanOptions(detector="s2cloudless", runtime="torch", device="cpu")
    inputs = JobInputs((scene_files[0],), (scene_files[1],))
    spec = make_spec("clean", inputs, tmp_path / "out", options, removal=str(small_model.path))
    runtimes = Runtimes()
    result = run(spec, Silent(), runtimes=runtimes)
    found = runtimes.scenes.clouds.get(scene, detector_of(scene))
    assert found is not None
    mask, counts = found
    assert counts.shares()["cloud_share"] == result.numbers["cloud_share"]
    assert np.count_nonzero(mask.get(0, 70)) == 70 * 90 - counts.clear
