"""`find` against a server: what is proposed in each layout, and what is said when a server fails."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sunbreak.catalogue.finding import Wish, find
from sunbreak.catalogue.place import place_from_bbox
from sunbreak.catalogue.profile_files import find_profile
from sunbreak.errors import InputError, RunError
from sunbreak.events import Silent
from sunbreak.scene.fetched_folder import RADAR, REFERENCE, SCENE

pytest.importorskip("pystac_client")
DAY = date(2021, 6, 5)
BBOX = "10.37,48.68,10.46,48.74"


def wish(catalogue, name: str = "planetary-computer", **more: Any) -> Wish:
    return replace(Wish(find_profile(str(catalogue.profiles[name])), place_from_bbox(BBOX), DAY), **more)


def ids_of(found, role: str) -> list[str]:
    return [one.acquired.strftime("%m-%d") for one in found.chosen(role)]


def test_scene_radar_and_other_dates_are_proposed_with_reasons(catalogue, tmp_path):
    found = find(wish(catalogue), Silent(), thumbnails=tmp_path / "pictures")
    assert ids_of(found, SCENE) == ["06-05"]
    assert ids_of(found, RADAR) == ["06-04"]  # that of 06-05 covers two thirds
    assert ids_of(found, REFERENCE) == ["05-31", "06-02"]
    content = found.to_dict()
    scene = next(one for one in content["scenes"] if one["use"] == "scene")
    assert scene["days"] == 0
    assert 0.3 < scene["area_cloud"] < 0.6
    assert scene["why"] == "of the date, covers the place"
    two_tiles = next(one for one in content["scenes"] if one["datetime"].startswith("2021-05-31"))
    assert two_tiles["tiles"] == ["32UNU", "32UPU"]
    assert two_tiles["covers"] == 1.0
    assert {one["collection"] for one in content["radar"]} == {"sentinel-1-rtc"}
    assert [one["attribution"] for one in content["licence"]] == [
        "Contains modified Copernicus Sentinel data 2021, from Microsoft Planetary Computer",
        "Contains modified Copernicus Sentinel data 2021, terrain correction by Catalyst, from Microsoft Planetary "
        "Computer",
    ]
    text = json.dumps(content)
    assert "sig=" not in text
    assert "http://" not in text.replace("https://", "")
    with Image.open(scene["thumbnail"]) as picture:
        pixels = np.asarray(picture)
    assert max(pixels.shape[:2]) == 192
    assert (pixels[..., 3] == 255).all()
    assert 0.2 < (pixels[..., :3].min(axis=-1) > 200).mean() < 0.6  # clouds are white


def test_the_footprints_are_geojson_with_flat_fields(catalogue):
    content = find(wish(catalogue), Silent()).to_geojson()
    assert {one["properties"]["kind"] for one in content["features"]} == {"scenes", "radar"}
    assert all(not isinstance(value, list) for one in content["features"] for value in one["properties"].values())
    assert all(one["geometry"]["type"] in ("Polygon", "MultiPolygon") for one in content["features"])


@pytest.mark.parametrize(("name", "level"), [("earth-search", "L2A"), ("earth-search", "L1C"), ("static", "L2A")])
def test_other_layouts_give_the_same_scene_and_its_cloud_cover(catalogue, name, level):
    found = find(wish(catalogue, name, level=level), Silent())
    assert ids_of(found, SCENE) == ["06-05"]
    (scene,) = found.chosen(SCENE)
    assert scene.level == level
    cover = next(one.cover for one in found.scenes if one.overpass is scene)
    assert cover is not None  # of Level-1C: that of the Level-2A of the same overpass
    assert 0.3 < cover.cloud_share < 0.6
    assert ids_of(found, RADAR) == ["06-04"]


def test_cdse_asks_for_an_account_only_when_files_are_read(catalogue, monkeypatch):
    monkeypatch.delenv("SUNBREAK_CDSE_TOKEN", raising=False)
    found = find(wish(catalogue, "cdse"), Silent())
    assert ids_of(found, SCENE) == ["06-05"]
    assert any("gives files only with an account" in text for text in found.warnings)
    monkeypatch.setenv("SUNBREAK_CDSE_TOKEN", catalogue.bearer)
    found = find(wish(catalogue, "cdse", level="L2A"), Silent())
    assert all(one.cover is not None for one in found.scenes)
    assert catalogue.bearer not in json.dumps(found.to_dict())


def test_only_so_much_cloud_is_listed_and_too_little_is_refused_with_the_least(catalogue):
    found = find(wish(catalogue, max_cloud=30), Silent())
    assert all(one.cloud <= 0.3 for one in found.scenes)
    assert ids_of(found, SCENE) != ["06-05"]
    with pytest.raises(InputError, match="have more cloud than 0 %; the least is") as caught:
        find(wish(catalogue, max_cloud=0, days=0), Silent())
    assert caught.value.code == "nothing-found"


def test_nothing_found_names_the_days_and_what_to_change(catalogue):
    with pytest.raises(InputError, match="no Sentinel-2 scene of the place from 2011-05-06 to 2011-07-05") as caught:
        find(wish(catalogue, wanted=date(2011, 6, 5)), Silent())
    assert caught.value.code == "nothing-found"
    with pytest.raises(InputError, match="There are scenes of L2A: leave --level out"):
        find(wish(catalogue, level="L1C"), Silent())


def test_items_that_cannot_be_used_are_left_out_and_said(catalogue):
    found = find(wish(catalogue, wanted=date(2020, 6, 10)), Silent())
    assert any(text.startswith("Left out: ") and "has no file of" in text for text in found.warnings)


def test_a_search_that_fails_twice_succeeds_and_one_that_always_fails_is_one_line(catalogue):
    catalogue.faults.add("/search", "500", times=2)
    assert ids_of(find(wish(catalogue), Silent()), SCENE) == ["06-05"]
    catalogue.faults.add("/search", "503", times=-1, retry_after=0)
    with pytest.raises(RunError, match=r"the server has failed \(503\), 4 times") as caught:
        find(wish(catalogue), Silent())
    assert caught.value.code == "server-error"
    assert "\n" not in str(caught.value)


def test_an_answer_that_is_no_stac_is_one_line(catalogue):
    catalogue.faults.add("/stac/v1$", "html", times=-1)
    with pytest.raises(RunError, match="is no STAC API") as caught:
        find(wish(catalogue), Silent())
    assert caught.value.code == "bad-catalogue"


def test_radar_that_cannot_be_searched_is_a_warning(catalogue):
    catalogue.faults.add("/planetary-computer/api/stac/v1", "404", times=-1)
    found = find(wish(catalogue, "earth-search"), Silent())
    assert ids_of(found, SCENE) == ["06-05"]
    assert any(text.startswith("No radar: ") for text in found.warnings)
    assert not found.radar


def test_signatures_that_have_expired_are_renewed_whatever_this_clock_says(catalogue):
    catalogue.tokens.seconds, catalogue.tokens.ahead_seconds = 3600, 7200  # the files' clock is two hours ahead
    found = find(wish(catalogue), Silent())
    assert any("the server refuses access (403)" in text for text in found.warnings)
    assert not any("sig=" in text or "?" in text for text in found.warnings)
    catalogue.tokens.ahead_seconds = 0
    catalogue.faults.add(r"SCL_20m\.tif$", "403", times=1)
    assert all(one.cover is not None for one in find(wish(catalogue), Silent()).scenes)


def test_addresses_on_other_hosts_and_in_files_are_not_asked(catalogue):
    found = find(wish(catalogue, wanted=date(2020, 6, 10), days=25), Silent())
    assert set(catalogue.faults.hosts) == {"127.0.0.1"}
    assert any("is not asked" in text for text in found.warnings)
