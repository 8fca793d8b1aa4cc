"""The Python interface takes a folder of `sunbreak get` as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from fetched_folders import EARLY, LATE, RADAR, SCENE, write_fetched

import sunbreak
from sunbreak.events import Reporter


class Heard(Reporter):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[object] = []

    def _emit(self, event: str, **fields: object) -> None:
        if event == "message":
            self.texts.append(fields["text"])


@pytest.fixture
def folder(write_raster, cloudy_dn, radar_db) -> Path:
    return write_fetched(write_raster, cloudy_dn, radar_db)


def tags(result, role: str = "cleaned") -> dict[str, str]:
    with result.open(role) as raster:
        return raster.tags()


BOTH = f"{Path(EARLY).name}.tif (2018-05-31), {Path(LATE).name}.tif (2018-06-25)"


def test_cleaning_takes_the_radar_and_the_other_dates(folder, small_model):
    heard = Heard()
    result = sunbreak.clean(str(folder), model=small_model.path, detector="s2cloudless", reporter=heard)
    assert tags(result)["SUNBREAK_INPUTS"] == f"{SCENE}.tif, {SCENE}.stac.json, {RADAR}.tif"
    assert tags(result)["SUNBREAK_REFERENCES"] == BOTH
    assert f"Taken from the folder: radar {RADAR}, 2 other dates." in heard.texts


def test_references_that_are_given_win(folder, small_model):
    how = {"model": small_model.path, "detector": "s2cloudless"}
    result = sunbreak.clean(folder, references=folder / f"{LATE}.tif", **how)
    assert tags(result)["SUNBREAK_REFERENCES"] == f"{Path(LATE).name}.tif (2018-06-25)"
    # the folder as other dates of a scene outside of it
    scene = folder / f"{SCENE}.tif"
    assert tags(sunbreak.clean(scene, folder / f"{RADAR}.tif", references=folder, **how))["SUNBREAK_REFERENCES"] == BOTH


def test_an_opened_folder_is_its_scene_with_radar(folder, small_classifier):
    scene = sunbreak.open_scene(folder)
    assert scene.has_s1
    assert scene.notes[0] == f"Taken from the folder: radar {RADAR}."
    assert scene.stem == SCENE
    how = {"model": small_classifier.path}
    by_path, opened = sunbreak.classify(folder, **how), sunbreak.classify(scene, **how)
    with by_path.open("landcover") as one, opened.open("landcover") as two:
        assert (one.read() == two.read()).all()


def test_inspecting_shows_the_other_dates(folder):
    found = sunbreak.inspect(folder)
    assert [date.name for date in found.dates] == [f"{Path(EARLY).name}.tif", f"{Path(LATE).name}.tif"]
    assert f"Taken from the folder: radar {RADAR}, 2 other dates." in found.notes


def test_a_batch_takes_the_other_dates_of_a_folder(folder, small_model, tmp_path):
    heard = Heard()
    how = {"task": "clean", "model": small_model.path, "options": {"detector": "s2cloudless"}}
    done = sunbreak.batch(folder, tmp_path / "out", reporter=heard, **how)
    assert [(outcome.name, outcome.status) for outcome in done.outcomes] == [("got", "done")]
    assert (tmp_path / "out" / "got" / f"{SCENE}_source.tif").is_file()
    assert heard.texts[0] == (
        "1 scene is a folder of sunbreak get: radar and other dates that are not given are taken from there."
    )
    again = sunbreak.batch(folder, tmp_path / "out", resume=True, **how)
    assert [outcome.status for outcome in again.outcomes] == ["skipped"]
