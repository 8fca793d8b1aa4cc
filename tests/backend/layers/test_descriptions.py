"""Styles, STAC items and the quicklook say what is in the layers."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from xml.etree import ElementTree

import numpy as np
import pystac
import pytest
from affine import Affine
from PIL import Image
from rasterio.crs import CRS

from sunbreak.layers import roles
from sunbreak.layers.output import LayerSet
from sunbreak.layers.quicklook import Thumbnail, legend_of
from sunbreak.layers.stac import footprint, write_item
from sunbreak.layers.style import write_style
from sunbreak.scene import S2_BANDS, Grid


def style(spec, tmp_path) -> ElementTree.Element:
    write_style(tmp_path / "a.qml", spec)
    return ElementTree.parse(tmp_path / "a.qml").getroot()


def test_the_cleaned_scene_is_shown_in_true_colour_with_a_fixed_stretch(tmp_path):
    root = style(roles.cleaned(S2_BANDS, "uint16", 0, 1e-4, 0), tmp_path)
    renderer = root.find("pipe/rasterrenderer")
    assert renderer.get("type") == "multibandcolor"
    assert [renderer.get(f"{c}Band") for c in ("red", "green", "blue")] == ["4", "3", "2"]
    assert float(renderer.findtext("redContrastEnhancement/maxValue")) == pytest.approx(0.3)


def test_untouched_pixels_are_transparent_and_clear_ones_too(tmp_path):
    items = style(roles.reconstructed(), tmp_path).findall(".//colorrampshader/item")
    assert (float(items[0].get("value")), items[0].get("alpha")) == (0.0, "0")
    assert int(items[1].get("alpha")) > 0
    entries = {entry.get("label"): entry for entry in style(roles.cloud_mask(), tmp_path).findall(".//paletteEntry")}
    assert entries["clear"].get("alpha") == "0"
    assert [entries[name].get("alpha") for name in ("thick cloud", "thin cloud", "shadow")] == ["255"] * 3
    assert len({entry.get("color") for entry in entries.values()}) == 4


def test_the_item_is_valid_stac_and_holds_place_bands_and_model(grid, tmp_path):
    path = tmp_path / "place_uncertainty.stac.json"
    write_item(
        path, "place_uncertainty.tif", roles.uncertainty(S2_BANDS), grid,
        acquired=datetime(2020, 6, 1, 10, tzinfo=timezone.utc), provenance={"model": "m", "weights_sha256": "ab"},
        inputs=[tmp_path / "in.tif"], companions={"style": "place_uncertainty.qml"},
    )  # fmt: skip
    item = pystac.Item.from_dict(json.loads(path.read_text()))
    assert item.datetime == datetime(2020, 6, 1, 10, tzinfo=timezone.utc)
    assert item.properties["mlm:name"] == "m"
    assert item.properties["sunbreak:inputs"] == ["in.tif"]
    data = json.loads(path.read_text())["assets"]["data"]
    assert data["href"] == "./place_uncertainty.tif"
    assert [band["name"] for band in data["bands"]] == list(S2_BANDS)
    west, south, east, north = item.bbox
    assert 9 <= west < east < 9.2
    assert 47.7 < south < north < 47.9


def test_the_item_gives_cloud_and_shadow_of_the_scene_in_percent(grid, tmp_path):
    path = tmp_path / "a.stac.json"
    numbers = {"cloud_share": 0.32, "thin_cloud_share": 0.1234, "shadow_share": 0.0, "model": "m", "seconds": 3.0}
    write_item(
        path, "a.tif", roles.reconstructed(), grid, acquired=None, provenance={}, inputs=[], companions={},
        numbers=numbers,
    )  # fmt: skip
    item = json.loads(path.read_text())
    covers = {key: value for key, value in item["properties"].items() if key.endswith("_cover")}
    assert covers == {"eo:cloud_cover": 32.0, "sunbreak:thin_cloud_cover": 12.34, "sunbreak:shadow_cover": 0.0}
    assert "https://stac-extensions.github.io/eo/v2.0.0/schema.json" in item["stac_extensions"]
    write_item(path, "a.tif", roles.reconstructed(), grid, acquired=None, provenance={}, inputs=[], companions={})
    plain = json.loads(path.read_text())
    assert not [key for key in plain["properties"] if key.endswith("_cover")]
    assert not [url for url in plain["stac_extensions"] if "/eo/" in url]


def test_without_a_date_the_item_gives_the_time_that_is_possible(grid, tmp_path):
    path = tmp_path / "a.stac.json"
    write_item(path, "a.tif", roles.reconstructed(), grid, acquired=None, provenance={}, inputs=[], companions={})
    item = json.loads(path.read_text())
    assert item["properties"]["datetime"] is None
    assert item["properties"]["start_datetime"].startswith("2015-06-23")


def test_a_scene_across_the_180th_meridian_has_two_parts():
    grid = Grid(CRS.from_epsg(4326), Affine(0.01, 0, 179.5, 0, -0.01, 10), 100, 50)
    geometry, bbox = footprint(grid)
    assert geometry["type"] == "MultiPolygon"
    assert bbox[0] > bbox[2]


def test_the_quicklook_shows_before_cloud_after_and_sigma_side_by_side(grid, tmp_path):
    specs = [
        roles.cleaned(S2_BANDS, "uint16", 0, 1e-4, 0),
        roles.uncertainty(S2_BANDS),
        roles.cloud_mask(),
        roles.cloud_probability(),
    ]
    classes = np.zeros((1, *grid.shape), np.float32)
    # quarters from left to right
    for code in range(4):
        classes[..., code * grid.width // 4 : (code + 1) * grid.width // 4] = code
    with LayerSet(tmp_path / "out", "a", grid, specs, provenance={}, inputs=[]) as layers:
        layers.write("cleaned", 0, np.full((13, *grid.shape), 1500, np.uint16))
        layers.write("uncertainty", 0, np.full((13, *grid.shape), 0.05, np.float32))
        layers.write("cloud_mask", 0, classes)
        layers.write("cloud_probability", 0, np.ones((1, *grid.shape), np.float32))
        layers.finish(np.full((3, 175, 275), 0.3, np.float32))
    with Image.open(tmp_path / "out" / "a_quicklook.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    width = pixels.shape[1]
    middle = [pixels[pixels.shape[0] // 2, int(width * share)] for share in (0.125, 0.375, 0.625, 0.875)]
    clouds = [pixels[pixels.shape[0] // 2, int(width * (0.25 + 0.25 * part / 8))] for part in (1.5, 3, 5, 6.5)]
    assert (middle[0] >= 250).all()
    for pixel, category in zip(clouds, specs[2].categories, strict=True):
        assert np.abs(pixel - category.rgb).max() <= 3, category.name
    assert np.abs(middle[2] - 127).max() <= 3
    assert not np.array_equal(middle[3], middle[2])


def colours_in(pixels: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(colour) for colour in pixels.reshape(-1, 3).tolist()}


def test_the_quicklook_shows_from_which_date_pixels_come_and_names_only_those_dates(grid, tmp_path):
    source = roles.source([(10, "2020-05-01 (40 days before)"), (11, "2020-06-20 (10 days after)"), (12, "never")])
    specs = [
        roles.cleaned(S2_BANDS, "uint16", 0, 1e-4, 0),
        roles.uncertainty(S2_BANDS),
        roles.cloud_mask(),
        source,
        roles.changed(),
    ]
    columns = {0: slice(0, 30), 10: slice(30, grid.width // 2), 11: slice(grid.width // 2, None)}
    codes = np.zeros((1, *grid.shape), np.uint8)
    for code, part in columns.items():
        codes[..., part] = code
    with LayerSet(tmp_path / "out", "a", grid, specs, provenance={}, inputs=[]) as layers:
        layers.write("cleaned", 0, np.full((13, *grid.shape), 1500, np.uint16))
        layers.write("uncertainty", 0, np.full((13, *grid.shape), 0.05, np.float32))
        layers.write("cloud_mask", 0, np.zeros((1, *grid.shape), np.uint8))
        layers.write("source", 0, codes)
        layers.write("changed", 0, np.full((1, *grid.shape), 3, np.uint8))
        files = layers.finish(np.full((3, 175, 275), 0.3, np.float32))
    with Image.open(tmp_path / "out" / "a_quicklook.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    # two rows of three: before, clouds, after; sigma, source, changed
    height, width = pixels.shape[:2]
    middle = pixels[3 * height // 4]
    first, second = (category.rgb for category in source.categories[3:5])
    assert tuple(middle[int(width * 0.45)]) == first and tuple(middle[int(width * 0.6)]) == second
    assert tuple(middle[int(width * 0.85)]) == roles.changed().categories[3].rgb
    legend = pixels[-50:, width // 3 : 2 * width // 3]
    shown = {category.name for category in source.categories if category.rgb in colours_in(legend)}
    assert shown == {"observed", "2020-05-01 (40 days before)", "2020-06-20 (10 days after)"}
    assert [category.value for category in legend_of(source, files["source"])] == [0, 10, 11]
    assert legend_of(specs[2], files["cloud_mask"]) == ()


def test_a_long_legend_has_a_line_for_each_date_and_cuts_names_that_do_not_fit(tmp_path):
    grid = Grid(CRS.from_epsg(32632), Affine(10, 0, 500_000, 0, -10, 5_300_000), 60, 40)
    names = [(10 + i, f"2020-05-{i + 1:02} ({200 - i} days before)") for i in range(12)]
    heights = []
    for count in (1, 12):
        codes = np.arange(2400).reshape(1, 40, 60) % count + 10
        with LayerSet(tmp_path / f"{count}", "a", grid, [roles.source(names)], provenance={}, inputs=[]) as layers:
            layers.write("source", 0, codes.astype(np.uint8))
            layers.finish()
        with Image.open(tmp_path / f"{count}" / "a_quicklook.png") as picture:
            heights.append(picture.height)
            pixels = np.asarray(picture.convert("RGB"))
            assert (pixels[:, -8:] == 255).all()
    assert heights[1] - heights[0] >= 11 * 15
    drawn = colours_in(pixels[-12 * 18 - 12 :])
    assert all(category.rgb in drawn for category in roles.source(names).categories[3:])


def test_other_dates_have_colours_of_their_own():
    colours = [category.colour for category in roles.source([(10 + i, str(i)) for i in range(24)]).categories]
    assert len(set(colours)) == len(colours)


def test_the_item_of_source_lists_the_dates_as_classes(grid, tmp_path):
    path = tmp_path / "a_source.stac.json"
    spec = roles.source([(10, "2020-05-01 (40 days before)")])
    write_item(path, "a_source.tif", spec, grid, acquired=None, provenance={}, inputs=[], companions={})
    item = json.loads(path.read_text())
    classes = item["assets"]["data"]["bands"][0]["classification:classes"]
    assert [(one["value"], one["title"]) for one in classes] == [
        (0, "observed"), (1, "network"), (2, "clear pixels around"), (10, "2020-05-01 (40 days before)"),
    ]  # fmt: skip
    assert all(re.fullmatch(r"[0-9A-Za-z_-]+", one["name"]) for one in classes)
    assert any("/classification/" in url for url in item["stac_extensions"])


def test_observed_and_unchanged_ground_are_transparent(tmp_path):
    for spec, clear in ((roles.source([(10, "a date")]), "observed"), (roles.changed(), "no change")):
        entries = {entry.get("label"): entry.get("alpha") for entry in style(spec, tmp_path).findall(".//paletteEntry")}
        assert entries.pop(clear) == "0"
        assert set(entries.values()) == {"255"}


def test_the_thumbnail_is_the_same_whatever_the_strips(grid):
    image = np.random.default_rng(0).integers(1, 5000, (3, *grid.shape)).astype(np.uint16)
    unknown = np.zeros(grid.shape, bool)
    unknown[100:300, 200:500] = True

    def collected(step: int) -> np.ndarray:
        thumbnail = Thumbnail(grid)
        for row in range(0, grid.height, step):
            thumbnail.add(row, image[:, row : row + step], unknown[row : row + step], lambda raw: raw / np.float32(1e4))
        return thumbnail.rgb

    np.testing.assert_array_equal(collected(37), collected(700))
    assert np.isnan(collected(37)).any()
    assert max(collected(37).shape) <= 512
