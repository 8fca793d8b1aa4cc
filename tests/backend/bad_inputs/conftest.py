"""The good inputs that the rows of the suite change, a listener that nothing may connect to, and the models."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from bad_input_files import write_raster
from bad_input_frame import Listener, Place, Row, check, run_here


@pytest.fixture(scope="session")
def good_inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scene of 64 x 64 pixels, its radar and a mask of it; not to be changed."""
    from sunbreak.datasets.simulation import simulate_scene
    from sunbreak.scene import S2_BANDS

    folder = tmp_path_factory.mktemp("good")
    made = simulate_scene((64, 64), 4, cover=0.4)
    write_raster(folder / "s2.tif", made.cloudy, S2_BANDS)
    write_raster(folder / "s1.tif", made.s1, ("VV", "VH"))
    write_raster(folder / "mask.tif", (np.indices((1, 64, 64))[2] // 16 % 2).astype("uint8"))
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory, small_model, small_classifier) -> Path:
    """The folder of the tiny models ``small`` (cloud removal) and ``small-landcover``; not to be changed."""
    folder = tmp_path_factory.mktemp("tiny")
    for files in (small_model, small_classifier):
        for path in (files.path, files.weights, *files.converted):
            shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="session")
def listener() -> Iterator[Listener]:
    """A server that nothing may connect to."""
    server = Listener()
    yield server
    server.close()


@pytest.fixture
def place(tmp_path, good_inputs, models, listener) -> Place:
    """A copy of the good inputs, and where the output goes."""
    shutil.copytree(good_inputs, tmp_path / "in")
    return Place(tmp_path / "in", tmp_path / "out", models, listener.port)


@pytest.fixture(scope="session")
def warm(tmp_path_factory, good_inputs, models) -> None:
    """One good run, so that what is imported once counts for no row."""
    place = Place(good_inputs, tmp_path_factory.mktemp("warm") / "out", models, 0)
    assert run_here(place.clean()) == 0
    place = Place(good_inputs, tmp_path_factory.mktemp("warm") / "out", models, 0)
    assert run_here(place.classify()) == 0


@pytest.fixture
def judged(place, warm, listener, capfd, monkeypatch) -> Callable[[Row], None]:
    """Run a row and check everything that holds for every row."""
    monkeypatch.setenv("COLUMNS", "1000")  # on a narrow terminal a long path is broken anywhere

    def judge(row: Row) -> None:
        check(row, place, listener, capfd)

    return judge
