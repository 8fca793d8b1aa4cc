"""A folder of `sunbreak get` gives a job its files, and what is given explicitly wins."""

from __future__ import annotations

from pathlib import Path

import pytest
from fetched_folders import EARLY, EARLY_RADAR, LATE, LATE_RADAR, RADAR, SCENE, write_fetched

from sunbreak.errors import InputError
from sunbreak.jobs.fetched_inputs import with_fetched
from sunbreak.jobs.options import task_options
from sunbreak.jobs.spec import JobInputs, JobSpec, make_spec
from sunbreak.scene import Scene, SceneSeries


@pytest.fixture
def folder(write_raster, cloudy_dn, radar_db) -> Path:
    return write_fetched(write_raster, cloudy_dn, radar_db)


def files(folder: Path, *names: str) -> tuple[Path, ...]:
    return tuple(folder / f"{name}.tif" for name in names)


def rasters(opened: Scene | SceneSeries) -> tuple[Path, ...]:
    return tuple(path for path in opened.inputs if path.suffix == ".tif")


@pytest.mark.parametrize("task", ["clean", "run"])
def test_cleaning_takes_everything(folder, task):
    inputs, notes = with_fetched(JobInputs((folder,), window=(1, 2, 30, 40), s2_unit="dn"), task)
    assert inputs == JobInputs(
        files(folder, SCENE),
        files(folder, RADAR),
        window=(1, 2, 30, 40),
        s2_unit="dn",
        found_references=files(folder, EARLY, LATE),
        found_s1=files(folder, EARLY_RADAR, LATE_RADAR),
    )
    assert notes == (f"Taken from the folder: radar {RADAR}, 2 other dates.",)


@pytest.mark.parametrize("task", ["classify", "explain"])
def test_tasks_on_one_date_take_the_scene_and_its_radar(folder, task):
    inputs, notes = with_fetched(JobInputs((folder,)), task)
    assert inputs == JobInputs(files(folder, SCENE), files(folder, RADAR))
    assert notes == (f"Taken from the folder: radar {RADAR}.",)


def test_detecting_clouds_takes_the_scene_alone(folder):
    inputs, notes = with_fetched(JobInputs((folder,)), "detect")
    assert inputs == JobInputs(files(folder, SCENE))
    assert notes == (f"Taken from the folder: the scene {SCENE}.",)


def test_what_is_given_wins(folder):
    own = (Path("own.tif"),)
    taken, notes = with_fetched(JobInputs((folder,), own))
    assert (taken.s1, len(taken.found_references)) == (own, 2)
    assert notes == ("Taken from the folder: 2 other dates.",)
    for given in ({"references": own}, {"found_references": own, "found_s1": own}):
        taken, notes = with_fetched(JobInputs((folder,), **given))
        assert taken == JobInputs(files(folder, SCENE), files(folder, RADAR), **given)
        assert notes == (f"Taken from the folder: radar {RADAR}.",)
    taken, _ = with_fetched(JobInputs((folder,), reference_s1=own))
    assert (taken.found_references, taken.found_s1) == (files(folder, EARLY, LATE), ())
    assert taken.reference_s1 == own


def test_several_files_and_other_folders_stay_as_they_are(folder):
    for given in (JobInputs((folder, folder)), JobInputs((folder / "other-dates",)), JobInputs((Path("a.tif"),))):
        assert with_fetched(given) == (given, ())


def test_a_folder_that_cannot_be_used_is_refused(folder):
    (folder / f"{RADAR}.tif").unlink()
    with pytest.raises(InputError, match="there is no such file"):
        with_fetched(JobInputs((folder,)), "detect")


def test_radar_belongs_to_the_date_that_it_was_made_for(folder):
    series = with_fetched(JobInputs((folder,)))[0].open_series()
    assert rasters(series.target) == files(folder, SCENE, RADAR)
    assert [rasters(scene) for scene in series.others] == [
        files(folder, EARLY, EARLY_RADAR), files(folder, LATE, LATE_RADAR),
    ]  # fmt: skip
    assert series.days == (-10, 15)
    assert all(scene.radar.unit == "linear" for scene in (series.target, *series.others))


def test_a_job_that_travels_names_files(folder, small_model, tmp_path):
    inputs, _ = with_fetched(JobInputs((folder,)), "clean")
    spec = make_spec("clean", inputs, tmp_path / "out", task_options("clean"), removal=str(small_model.path))
    (folder / "collection.json").unlink()
    series = JobSpec.from_json(spec.to_json()).inputs.open_series()
    assert rasters(series) == files(folder, SCENE, RADAR, EARLY, EARLY_RADAR, LATE, LATE_RADAR)
