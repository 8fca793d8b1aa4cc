"""A folder of `sunbreak get` says which raster is used for what, and nothing in it leads out of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from fetched_folders import (
    EARLY,
    EARLY_RADAR,
    LATE,
    LATE_RADAR,
    RADAR,
    SCENE,
    USES,
    write_collection,
    write_fetched,
    write_item,
)

from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.scene.fetched_folder import Fetched, fetched_folder
from sunbreak.scene.reference_files import search_folder


@pytest.fixture
def folder(write_raster, cloudy_dn, radar_db) -> Path:
    return write_fetched(write_raster, cloudy_dn, radar_db)


def refused(folder: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        fetched_folder(folder)
    assert "\n" not in str(caught.value)
    assert "sunbreak get again" in caught.value.hint
    return caught.value


def change(path: Path, **properties: object) -> None:
    item = json.loads(path.read_text())
    item["properties"] |= properties
    path.write_text(json.dumps(item))


def test_the_other_dates_are_in_order_and_their_radar_is_in_the_same_order(folder, monkeypatch):
    def path(name: str) -> Path:
        return folder / f"{name}.tif"

    dates, radar = (path(EARLY), path(LATE)), (path(EARLY_RADAR), path(LATE_RADAR))
    assert fetched_folder(folder) == Fetched(path(SCENE), (path(RADAR),), dates, radar)
    monkeypatch.chdir(folder.parent)
    assert fetched_folder(folder.name) == fetched_folder(str(folder)) == fetched_folder(folder)


def test_a_scene_alone_is_enough(folder):
    write_collection(folder, [f"{SCENE}.stac.json"])
    assert fetched_folder(folder) == Fetched(folder / f"{SCENE}.tif")


@pytest.mark.parametrize(
    "content",
    [b"{", b"[1]", b'"sunbreak get"', b'{"type": "Collection", "links": []}', b'{"sunbreak:made_by": "another"}'],
)
def test_a_collection_of_another_program_is_none(folder, content):
    (folder / "collection.json").write_bytes(content)
    assert fetched_folder(folder) is None


def test_what_is_no_such_folder_is_none(folder):
    (folder / "collection.json").unlink()
    (folder / "collection.json").mkdir()
    for path in (folder, folder / f"{SCENE}.tif", folder / "nowhere", "https://example.org/a", "/vsicurl/x", "a\0b"):
        assert fetched_folder(path) is None


@pytest.mark.parametrize(
    "href",
    [
        "../got/{}.stac.json", "other-dates/../{}.stac.json", "/{}.stac.json", "https://example.org/{}.stac.json",
        "file:///{}.stac.json", "C:{}.stac.json", "other-dates\\..\\{}.stac.json", "\\\\host\\{}.stac.json", "", ".",
        "a\0b", None, 3, ["{}"],
    ],
)  # fmt: skip
def test_an_address_that_is_no_path_inside_is_refused(folder, href):
    wrong = href.format(SCENE) if isinstance(href, str) else href
    write_collection(folder, [wrong])
    error = refused(folder)
    assert error.code == "bad-fetched-folder"
    assert "is no relative path inside the folder" in error.message


@pytest.mark.parametrize("href", ["../{}.tif", "/etc/passwd", "https://example.org/{}.tif", None])
def test_an_item_names_no_raster_outside_either(folder, href):
    path = folder / f"{SCENE}.stac.json"
    item = json.loads(path.read_text())
    item["assets"]["data"]["href"] = href and href.format(SCENE)
    path.write_text(json.dumps(item))
    error = refused(folder)
    assert error.message.startswith(f"{path} names ")
    assert error.code == "bad-fetched-folder"


def test_a_link_may_lead_to_another_place_inside_but_not_out(folder, tmp_path):
    raster = folder / f"{SCENE}.tif"
    raster.rename(folder / "other-dates" / "moved.tif")
    raster.symlink_to(folder / "other-dates" / "moved.tif")
    assert fetched_folder(folder).scene == raster
    raster.unlink()
    (folder / "other-dates" / "moved.tif").rename(tmp_path / "outside.tif")
    raster.symlink_to(tmp_path / "outside.tif")
    error = refused(folder)
    assert (error.code, "a link out of the folder" in error.message) == ("bad-fetched-folder", True)


def test_a_folder_of_links_that_lead_out_is_refused_and_a_link_to_the_folder_is_not(folder, tmp_path):
    (tmp_path / "linked").symlink_to(folder)
    assert fetched_folder(tmp_path / "linked").scene == tmp_path / "linked" / f"{SCENE}.tif"
    (folder / "other-dates").rename(tmp_path / "elsewhere")
    (folder / "other-dates").symlink_to(tmp_path / "elsewhere")
    assert refused(folder).code == "bad-fetched-folder"


@pytest.mark.parametrize("missing", [f"{RADAR}.tif", f"{LATE}.stac.json"])
def test_a_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    error = refused(folder)
    assert error.code == "missing-file"
    assert str(folder / missing) in error.message


def test_a_pipe_in_place_of_a_file_is_not_waited_for(folder):
    (folder / f"{RADAR}.tif").unlink()
    os.mkfifo(folder / f"{RADAR}.tif")
    assert "is a named pipe" in refused(folder).message


@pytest.mark.parametrize("use", [None, "mask", ["scene"], 1])
def test_an_item_without_a_known_use_is_refused(folder, use):
    path = folder / f"{RADAR}.stac.json"
    change(path, **{"sunbreak:use": use})
    error = refused(folder)
    assert error.message.startswith(str(path))
    assert "use" in error.message


def test_there_is_one_scene(folder):
    change(folder / f"{LATE}.stac.json", **{"sunbreak:use": "scene"})
    assert "names 2 scenes, not one" in refused(folder).message
    write_collection(folder, [f"{RADAR}.stac.json"])
    assert "names no scene, not one" in refused(folder).message
    write_collection(folder, [f"{SCENE}.stac.json", f"{RADAR}.stac.json", f"./{RADAR}.stac.json"])
    assert f"names {RADAR}.tif twice" in refused(folder).message


def test_a_newer_layout_is_refused(folder):
    hrefs = [f"{SCENE}.stac.json"]
    write_collection(folder, hrefs, **{"sunbreak:version": 2})
    assert "its version is 2, not 1" in refused(folder).message
    write_collection(folder, hrefs, **{"sunbreak:version": "1"})
    assert "does not say its version" in refused(folder).message


@pytest.mark.parametrize("name", ["collection.json", f"{EARLY}.stac.json"])
def test_a_cut_off_file_is_no_other_folder(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    error = refused(folder)
    assert error.code == "bad-fetched-folder"
    assert Path(name).name in error.message


def test_a_folder_that_is_not_finished_is_refused(folder):
    (folder / "collection.json").unlink()
    (folder / ".sunbreak-parts").mkdir()
    assert "is not finished" in refused(folder).message


@pytest.mark.parametrize("text", ["[]", '{"type": "Feature"}', '{"type": "Catalog", "properties": {}}'])
def test_an_item_that_is_none_is_refused(folder, text):
    (folder / f"{SCENE}.stac.json").write_text(text)
    assert "is no STAC item" in refused(folder).message


def test_links_and_assets_that_are_not_there_are_said(folder):
    write_collection(folder, [], links=None)
    assert "has no list of links" in refused(folder).message
    write_collection(folder, ["a"] * 501)
    assert "names 501 items" in refused(folder).message
    path = write_item(folder / f"{SCENE}.tif", "scene")
    path.write_text(path.read_text().replace('"data": {', '"other": {'))
    write_collection(folder, [path.name])
    assert "has no asset data" in refused(folder).message


def test_where_one_scene_is_opened_the_folder_stands_for_its_scene(folder):
    scene = Scene.open(folder)
    assert scene.inputs[0] == folder / f"{SCENE}.tif"
    assert scene.bands == S2_BANDS
    (folder / f"{LATE_RADAR}.tif").unlink()
    with pytest.raises(InputError, match="there is no such file"):
        Scene.open(folder)


def test_searching_the_folder_finds_all_dates_and_all_radar(folder):
    optical, radar = search_folder(folder)
    assert [path.relative_to(folder).with_suffix("").as_posix() for path in optical] == [SCENE, EARLY, LATE]
    assert {path.relative_to(folder).with_suffix("").as_posix() for path in radar} == {
        name for name, (use, _) in USES.items() if use.endswith("radar")
    }
    optical, _ = search_folder(folder, [folder / f"{SCENE}.tif"])
    assert len(optical) == 2
    write_collection(folder, [f"{SCENE}.stac.json"])
    with pytest.raises(InputError, match="holds no other acquisition"):
        search_folder(folder, [folder / f"{SCENE}.tif"])
