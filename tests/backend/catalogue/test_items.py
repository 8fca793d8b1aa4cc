"""Items of the catalogues are read as they are: bands, offset, tile, orbit; what cannot be used says why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from stac_items import optical, radar, read

from sunbreak.catalogue.items import read_item
from sunbreak.catalogue.profile_files import find_profile


def test_an_item_of_planetary_computer_is_read_without_the_signature_of_its_addresses():
    item = read(optical("S2A_1", "2024-06-10T10:30:21.024000Z"))
    assert item.acquired == datetime(2024, 6, 10, 10, 30, 21, 24000, tzinfo=timezone.utc)
    assert (item.platform, item.tile, item.tile_cloud, item.relative_orbit) == ("sentinel-2a", "32UMA", 40.0, 108)
    assert item.assets["B04"].href == "https://files.test/c/S2A_1/B04.tif"
    assert set(item.assets) == {*item.collection.bands}


@pytest.mark.parametrize(("baseline", "offset"), [("05.09", -1000), ("04.00", -1000), ("03.01", 0), (None, None)])
def test_the_offset_is_that_of_the_processing_baseline_whatever_the_date(baseline, offset):
    facts = {"s2:processing_baseline": baseline} if baseline else {"s2:processing_baseline": None}
    assert read(optical("a", "2019-01-01T10:00:00Z", **facts)).offset == offset


def earth_search(**properties):
    content = optical("S2B_32UMA_20240610_0_L2A", "2024-06-10T10:30:21Z", **properties)
    profile = find_profile("earth-search")
    names = next(one for one in profile.collections if one.name == "sentinel-2-l2a").bands
    content["assets"] = {keys[0]: {"href": f"https://e.test/{band}.tif"} for band, keys in names.items()}
    return content, profile


@pytest.mark.parametrize(
    ("applied", "stated", "offset"),
    [(True, None, 0), (False, None, -1000), (None, -0.1, -1000), (None, 0.0, None), (None, None, -1000)],
)
def test_earth_search_says_whether_the_offset_was_applied_and_is_not_trusted_against_the_baseline(
    applied, stated, offset
):
    content, profile = earth_search(**({} if applied is None else {"earthsearch:boa_offset_applied": applied}))
    if stated is not None:
        for asset in content["assets"].values():
            asset["raster:bands"] = [{"scale": 0.0001, "offset": stated}]
    assert read(content, profile).offset == offset


def test_an_address_in_alternate_is_taken_where_the_profile_says_so():
    profile = replace(find_profile("planetary-computer"), address="alternate.https")
    content = optical("a", "2024-06-10T10:30:21Z")
    for asset in content["assets"].values():
        asset["alternate"] = {"https": {"href": asset["href"].replace("files.test", "other.test")}}
        asset["href"] = "s3://eodata/x"
    assert read(content, profile).assets["B02"].href == "https://other.test/c/a/B02.tif"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": ""}, "an item has no id"),
        ({"geometry": None}, "a has no geometry"),
        ({"geometry": {"type": "Polygon", "coordinates": [[["x"]]]}}, "a has no geometry"),
        ({"properties": {"datetime": "yesterday"}}, "a has no date"),
        ({"assets": {}}, "a has no file of B01, B02, B03, B04, ..."),
    ],
)
def test_an_item_that_cannot_be_used_says_why(change, said):
    profile = find_profile("planetary-computer")
    content = optical("a", "2024-06-10T10:30:21Z") | change
    assert read_item(content, profile.optical()[0], profile) == said


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"sar:instrument_mode": "EW"}, "r is of the mode EW, not IW"),
        ({"sar:product_type": "GRD"}, "r is GRD, without terrain correction"),
    ],
)
def test_radar_of_another_mode_or_without_terrain_correction_is_never_used(properties, said):
    profile = find_profile("planetary-computer")
    content = radar("r", "2024-06-10T05:00:00Z", **properties)
    profile = replace(profile, collections=tuple(replace(one, name="s1") for one in profile.collections))
    assert read_item(content, profile.radar()[0], profile) == said
    del content["assets"]["vh"]
    content["properties"] |= {"sar:instrument_mode": "IW", "sar:product_type": "RTC"}
    assert read_item(content, profile.radar()[0], profile) == "r has no file of VH"


def test_real_items_are_read(shared):
    folder = shared / "data" / "stac_items"
    content = json.loads((folder / "S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531.json").read_text())
    item = read({**content, "collection": "sentinel-2-l2a"})
    assert (item.tile, item.baseline, item.offset, item.orbit) == ("06VVN", "02.12", 0, "descending")
    assert item.picture is not None
    assert item.assets["SCL"].href.endswith("SCL_20m.tif")
    old = json.loads((folder / "S2A_28QCH_20200714_0_L2A.json").read_text())
    item = read({**old, "collection": "sentinel-2-l2a"})  # STAC 1.0.0-beta.1, bands named as in Planetary Computer
    assert (item.tile, item.baseline, item.tile_cloud) == ("28QCH", "02.14", 2.36)
    profile = find_profile("planetary-computer")
    grd = next(folder.glob("s1_grd_S1A*.json"))
    own = replace(profile.radar()[0], name="sentinel-1-grd")
    assert "without terrain correction" in str(read_item(json.loads(grd.read_text()), own, profile))
    aws = json.loads(next(folder.glob("s1_rtc_sentinel1-rtc-aws_2020*.json")).read_text())
    collection = replace(profile.radar()[0], bands={"VV": ("gamma0_vv", "vv"), "VH": ("gamma0_vh", "vh")})
    item = read_item(aws, collection, profile)
    assert not isinstance(item, str), item
    assert (item.orbit, set(item.assets)) == ("ascending", {"VV", "VH"})
