"""A folder of `sunbreak get` is a scene of a batch, with its radar and its other dates."""

from __future__ import annotations

from pathlib import Path

import pytest
from fetched_folders import EARLY, EARLY_RADAR, LATE, LATE_RADAR, RADAR, SCENE, write_fetched

from sunbreak.batches.manifest import BatchScene, find_scenes, read_manifest
from sunbreak.batches.other_dates import with_other_dates
from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Scene


@pytest.fixture
def folder(write_raster, cloudy_dn, radar_db) -> Path:
    return write_fetched(write_raster, cloudy_dn, radar_db)


def files(folder: Path, *names: str) -> tuple[Path, ...]:
    return tuple(folder / f"{name}.tif" for name in names)


def whole(folder: Path, name: str) -> BatchScene:
    return BatchScene(
        name,
        files(folder, SCENE),
        files(folder, RADAR),
        found_references=files(folder, EARLY, LATE),
        found_s1=files(folder, EARLY_RADAR, LATE_RADAR),
    )


def rows(tmp_path: Path, text: str) -> tuple[list[BatchScene], list[str]]:
    path = tmp_path / "scenes.csv"
    path.write_text(text)
    return read_manifest(path)


def test_a_row_is_called_after_its_folder_and_what_it_gives_wins(folder, tmp_path):
    scenes, notes = rows(
        tmp_path,
        "s2,s1,references,reference_s1,name\ngot,,,,\ngot,r.tif,,,b\ngot,,d.tif,,c\ngot,,,r.tif,d\na.tif,,,,e\n",
    )
    first, with_radar, with_dates, with_their_radar, plain = scenes
    assert first == whole(folder, "got")
    assert (with_radar.s1, len(with_radar.found_references)) == ((tmp_path / "r.tif",), 2)
    assert (with_dates.references, with_dates.found_references, with_dates.found_s1) == ((tmp_path / "d.tif",), (), ())
    assert with_dates.s1 == files(folder, RADAR)
    assert (with_their_radar.reference_s1, with_their_radar.found_s1) == ((tmp_path / "r.tif",), ())
    assert len(with_their_radar.found_references) == 2
    assert plain == BatchScene("e", (tmp_path / "a.tif",))
    assert notes == [
        "4 scenes are folders of sunbreak get: radar and other dates that are not given are taken from there."
    ]


def test_a_pattern_finds_folders(folder, write_raster, cloudy_dn, radar_db, tmp_path):
    second = write_fetched(write_raster, cloudy_dn, radar_db, "got-2")
    scenes, notes = find_scenes([str(tmp_path / "got*")])
    assert scenes == [whole(folder, "got"), whole(second, "got-2")]
    assert notes[-1].startswith("2 scenes are folders of sunbreak get")
    scenes, _ = find_scenes([str(folder)], "../radar.tif")
    assert (scenes[0].s1, len(scenes[0].found_references)) == ((folder.parent / "../radar.tif",), 2)


def test_a_broken_folder_stays_and_is_refused_when_it_is_opened(folder, tmp_path):
    (folder / f"{EARLY}.tif").unlink()
    scenes, notes = rows(tmp_path, "s2\ngot\n")
    assert (scenes, notes) == ([BatchScene("got", (folder,))], [])
    with pytest.raises(InputError, match="there is no such file"):
        Scene.open(scenes[0].s2)


def test_dates_of_the_folder_are_not_replaced_by_those_of_the_table(folder, write_raster, cloudy_dn, tmp_path):
    write_raster("S2A_20180620.tif", cloudy_dn(70, 90), bands=S2_BANDS)
    scenes, _ = with_other_dates(rows(tmp_path, "s2\ngot\nS2A_20180620.tif\n")[0])
    assert scenes[0] == whole(folder, "got")
    assert scenes[1].found_references == files(folder, SCENE)
