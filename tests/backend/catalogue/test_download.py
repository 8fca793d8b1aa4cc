"""`get` against a server: one grid, the numbers of the source, and what happens when a server fails."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import program
import pytest
import rasterio
from rasterio.windows import from_bounds

from sunbreak.catalogue.connection import Catalogues
from sunbreak.catalogue.download import Selection, download
from sunbreak.catalogue.finding import Wish, find, search_radar, search_scenes
from sunbreak.catalogue.place import place_from_bbox
from sunbreak.catalogue.profile_files import find_profile
from sunbreak.catalogue.selecting import Named, named, proposed
from sunbreak.errors import Cancelled, InputError, OutputError, RunError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.scene import Scene

pytest.importorskip("pystac_client")
DAY = date(2021, 6, 5)
PLACE = place_from_bbox("10.400,48.700,10.420,48.712")
CHECKED = ("B04", "B05", "B09", "SCL")


def wish(catalogue, name: str = "planetary-computer", **more: Any) -> Wish:
    return replace(Wish(find_profile(str(catalogue.profiles[name])), PLACE, DAY), **more)


class Opened:
    """Catalogues and what they have, by day."""

    def __init__(self, asked: Wish, reporter: Reporter | None = None) -> None:
        self.reporter = reporter or Silent()
        self.catalogues = Catalogues(self.reporter)
        everything, _ = search_scenes(asked, self.catalogues, self.reporter, [])
        self.scenes = {f"{one.acquired:%m-%d}": one for one in everything}
        found = search_radar(asked, self.catalogues, self.reporter, [])
        self.radar = {f"{one.acquired:%m-%d}": one for one in found}

    def get(self, folder: Path, scene: str = "06-05", overwrite: bool = False, **more: Any):
        selection = Selection(self.scenes[scene], **more)
        return download(selection, PLACE, folder, self.catalogues, self.reporter, overwrite=overwrite)


def sunbreak(*arguments: object) -> str:
    done = program.sunbreak(*arguments, timeout=150)
    assert done.returncode == 0, done.stderr
    return done.stdout


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_is_proposed_is_fetched_onto_one_grid_with_names_units_offset_and_attribution(catalogue, tmp_path):
    place = place_from_bbox("10.37,48.68,10.46,48.74")
    asked = wish(catalogue, place=place)
    catalogues = Catalogues(Silent())
    found = find(asked, Silent(), catalogues=catalogues)
    folder = download(proposed(found), place, tmp_path / "place", catalogues, Silent())
    assert list(folder.uses.values()) == ["scene", "radar", "reference", "reference", "reference-radar"]
    scene, radar = folder.files[:2]
    with rasterio.open(scene) as s2, rasterio.open(radar) as s1:
        assert (s2.transform, s2.crs, s2.shape) == (s1.transform, s1.crs, s1.shape)
        assert s2.descriptions[-1] == "SCL"
        assert s2.descriptions[:4] == ("B01", "B02", "B03", "B04")
        assert (s2.scales[3], s2.offsets[3], s2.scales[-1]) == (1e-4, -0.1, 1.0)  # baseline 05.00
        assert (s2.dtypes[0], s2.nodata, s2.units[3]) == ("uint16", 0, "reflectance")
        assert "Contains modified Copernicus Sentinel data 2021" in s2.tags()["TIFFTAG_COPYRIGHT"]
        assert s2.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert (s1.descriptions, s1.dtypes[0]) == (("VV", "VH"), "float32")
        assert "linear power" in s1.units[0]
        assert 0 < np.nanmedian(s1.read()) < 1
    opened = Scene.open(scene, radar)
    assert opened.radiometry.offset == -1000
    assert opened.acquired.isoformat().startswith("2021-06-05T10:20:31")
    item = json.loads(scene.with_suffix(".stac.json").read_text())
    assert item["properties"]["sunbreak:use"] == "scene"
    assert item["assets"]["data"]["file:size"] == scene.stat().st_size
    collection = json.loads((tmp_path / "place" / "collection.json").read_text())
    links = [link["href"] for link in collection["links"] if link["rel"] == "item"]
    assert len(links) == 5
    assert all((tmp_path / "place" / link).is_file() for link in links)
    text = "".join(path.read_text() for path in (tmp_path / "place").rglob("*.json"))
    assert "sig=" not in text
    assert catalogue.url not in text
    assert not any("parts" in name or name.startswith(".") for name in names_in(tmp_path / "place"))


@pytest.mark.parametrize(("name", "key"), [("planetary-computer", "B04"), ("earth-search", "red")])
def test_bands_of_ten_metres_are_copied_number_for_number(catalogue, tmp_path, name, key):
    opened = Opened(wish(catalogue, name, level="L2A"))
    folder = opened.get(tmp_path / "place")
    (item,) = (item for item in catalogue.items(name) if item["id"] == opened.scenes["06-05"].id)
    with rasterio.open(folder.files[0]) as ours, rasterio.open(catalogue.path(item["assets"][key]["href"])) as theirs:
        window = from_bounds(*ours.bounds, theirs.transform)
        np.testing.assert_array_equal(ours.read(4), theirs.read(1, window=window))


def test_coarser_bands_are_bilinear_and_classes_are_those_of_the_nearest_pixel(catalogue, tmp_path):
    opened = Opened(wish(catalogue))
    folder = opened.get(tmp_path / "place")
    (item,) = (one for one in catalogue.items("planetary-computer") if one["id"] == opened.scenes["06-05"].id)
    with rasterio.open(folder.files[0]) as ours:
        scl, red_edge = ours.read(13), ours.read(5).astype(float)
        with rasterio.open(catalogue.path(item["assets"]["SCL"]["href"])) as theirs:
            x, y = ours.xy(10, 20)
            row, column = theirs.index(x, y)
            assert scl[10, 20] == theirs.read(1)[row, column]
            assert set(np.unique(scl)) <= set(np.unique(theirs.read(1)))
        with rasterio.open(catalogue.path(item["assets"]["B05"]["href"])) as theirs:
            window = from_bounds(*ours.bounds, theirs.transform)
            coarse = theirs.read(1, window=window.round_offsets().round_lengths()).astype(float)
    means = red_edge[: 2 * (red_edge.shape[0] // 2), : 2 * (red_edge.shape[1] // 2)]
    means = means.reshape(means.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3))
    assert abs(means.mean() - coarse.mean()) < 0.02 * coarse.mean()
    assert len(np.unique(red_edge)) > 1.5 * len(np.unique(coarse))  # not repeated pixels


def test_another_zone_and_two_tiles_of_an_overpass_land_on_the_grid_of_the_scene(catalogue, tmp_path):
    opened = Opened(wish(catalogue))
    others = (opened.scenes["05-31"], opened.scenes["06-02"])
    assert len(others[0].items) >= 1
    folder = opened.get(tmp_path / "place", references=others)
    with rasterio.open(folder.files[0]) as scene:
        grid = (scene.transform, scene.crs, scene.shape)
        own = scene.read(4).astype(float)
        clear = scene.read(13) == 4
    for path in folder.files[1:]:
        with rasterio.open(path) as other:
            assert (other.transform, other.crs, other.shape) == grid
            red, classes = other.read(4).astype(float), other.read(13)
        both = clear & (classes == 4)
        assert both.mean() > 0.05
        # the same fields at the same place: a shift by a pixel is worse
        fits = [abs(own[both] - np.roll(red, shift, 1)[both]).mean() for shift in (0, 2)]
        assert fits[0] < fits[1]


def test_named_images_are_fetched_and_an_unknown_id_is_one_line(catalogue, tmp_path):
    asked = wish(catalogue)
    opened = Opened(asked)
    names = Named(opened.scenes["06-10"].id, opened.radar["06-10"].id, (opened.scenes["06-05"].id,))
    selection = named(asked, names, Catalogues(Silent()), Silent())
    assert f"{selection.scene.acquired:%m-%d}" == "06-10"
    assert [one.use for one in selection.files()] == ["scene", "radar", "reference"]
    with pytest.raises(InputError, match="has no S2X at the place within 30 days of 2021-06-05") as caught:
        named(asked, Named("S2X"), Catalogues(Silent()), Silent())
    assert caught.value.code == "not-found"


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("500", {"times": 2}),
        ("429", {"times": 1, "retry_after": 0}),
        ("half", {"times": 1}),
        ("403", {"times": 1}),
        ("wrong-bytes", {"times": 1, "after": 1}),
    ],
)
def test_a_fault_that_passes_changes_nothing(catalogue, tmp_path, fault, options):
    opened = Opened(wish(catalogue))
    right = opened.get(tmp_path / "right").files[0].read_bytes()
    catalogue.faults.add(r"B04_10m\.tif$", fault, **options)
    again = Opened(wish(catalogue))
    assert again.get(tmp_path / "again").files[0].read_bytes() == right


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("500", "server-error"),
        ("403", "forbidden"),
        ("404", "not-found"),
        ("redirect-host", "redirect"),
        ("redirect-file", "redirect"),
        ("no-ranges", "no-ranges"),
        ("html", "not-a-raster"),
        ("wrong-bytes", "not-a-raster"),
    ],
)
def test_a_fault_that_stays_is_one_line_and_the_next_call_continues(catalogue, tmp_path, fault, code):
    catalogue.faults.add(r"B12_20m\.tif$", fault, times=-1)
    opened = Opened(wish(catalogue))
    with pytest.raises((InputError, RunError)) as caught:
        opened.get(tmp_path / "place")
    text = str(caught.value)
    assert "B12" in text
    assert "\n" not in text
    assert "sig=" not in text
    if fault != "html":
        assert caught.value.code == code
    assert not [name for name in names_in(tmp_path / "place") if name.endswith((".tif", ".json"))]
    catalogue.faults.clear()
    folder = Opened(wish(catalogue)).get(tmp_path / "place")
    assert catalogue.faults.count(r"B12_20m") > 0
    assert catalogue.faults.count(r"B02_10m") == 0  # it was there already
    assert names_in(tmp_path / "place") == {
        "collection.json", folder.files[0].name, folder.files[0].with_suffix(".stac.json").name
    }  # fmt: skip


def test_the_same_call_again_asks_for_nothing_and_another_one_needs_overwrite(catalogue, tmp_path):
    opened = Opened(wish(catalogue))
    first = opened.get(tmp_path / "place", radar=opened.radar["06-04"])
    stamps = [path.stat().st_mtime_ns for path in first.files]
    catalogue.faults.clear()
    again = Opened(wish(catalogue))
    assert again.get(tmp_path / "place", radar=again.radar["06-04"]).files == first.files
    assert [path.stat().st_mtime_ns for path in first.files] == stamps
    assert catalogue.faults.count(r"B02_10m") == 0
    with pytest.raises(OutputError, match="is there already, and is not part of what is fetched now") as caught:
        again.get(tmp_path / "place", scene="06-10")
    assert caught.value.code == "output-exists"
    (tmp_path / "place" / "notes.json").write_text("{}")  # of the user
    again.get(tmp_path / "place", scene="06-10", overwrite=True)
    assert {name[:12] for name in names_in(tmp_path / "place") if name.endswith(".tif")} == {"S2B_20210610"}
    assert (tmp_path / "place" / "notes.json").is_file()


def test_a_cancelled_call_keeps_whole_bands_only(catalogue, tmp_path):
    class StopAt(Reporter):
        def progress(self, done, total, unit="steps"):
            if unit == "bands" and done >= 5:
                self.cancellation.request()

    reporter = StopAt(Cancellation())
    opened = Opened(wish(catalogue), reporter)
    with pytest.raises(Cancelled):
        opened.get(tmp_path / "place")
    kept = names_in(tmp_path / "place")
    assert kept
    assert all(name.endswith(".npy") for name in kept)
    folder = Opened(wish(catalogue)).get(tmp_path / "place")
    right = Opened(wish(catalogue)).get(tmp_path / "right")
    assert folder.files[0].read_bytes() == right.files[0].read_bytes()


def test_a_place_without_data_and_a_size_other_than_the_catalogues_are_refused(catalogue, tmp_path):
    asked = wish(catalogue)
    opened = Opened(asked)
    elsewhere = place_from_bbox("12.0,48.70,12.01,48.71")
    with pytest.raises(InputError, match="has no data at the place") as caught:
        download(Selection(opened.scenes["06-05"]), elsewhere, tmp_path / "a", opened.catalogues, Silent())
    assert caught.value.code == "no-overlap"
    scene = opened.scenes["06-05"]
    item = scene.first
    wrong = replace(item, assets={**item.assets, "B02": replace(item.assets["B02"], size=77)})
    with pytest.raises(InputError, match=r"B02_10m\.tif has \d+ bytes, and 77 by the catalogue") as caught:
        download(Selection(replace(scene, items=(wrong,))), PLACE, tmp_path / "b", opened.catalogues, Silent())
    assert caught.value.code == "wrong-size"


def test_the_command_fetches_all_bands_of_level_1c(catalogue, tmp_path):
    out = sunbreak(
        "get", "--bbox=10.400,48.700,10.420,48.712", "--date", "2021-06-05", "--level", "L1C", "-o", tmp_path / "place",
        "--profile", catalogue.profiles["earth-search"],
    )  # fmt: skip
    assert "_L1C" in out
    (scene,) = (tmp_path / "place").glob("S2*.tif")
    with rasterio.open(scene) as file:
        assert file.count == 13
        assert "B10" in file.descriptions


def test_clean_finds_fetches_and_cleans_in_one_go(catalogue, tmp_path):
    sunbreak(
        "clean", "--find", "10.400,48.700,10.420,48.712", "2021-06-05", "-o", tmp_path,
        "--profile", catalogue.profiles["planetary-computer"],
    )  # fmt: skip
    (cleaned,) = tmp_path.glob("*_cleaned.tif")
    (scene,) = (tmp_path / "inputs").glob("S2*.tif")
    with rasterio.open(cleaned) as after, rasterio.open(scene) as before:
        assert after.transform == before.transform
        assert "S2B_20210602T101021_T33UTP_L2A" in after.tags()["SUNBREAK_REFERENCES"]
        assert "S1A_20210604T052612_DES168_RTC" in str(after.tags())
        assert after.tags()["TIFFTAG_COPYRIGHT"] == (
            "Contains modified Copernicus Sentinel data 2021, from Microsoft Planetary Computer; Contains modified "
            "Copernicus Sentinel data 2021, terrain correction by Catalyst, from Microsoft Planetary Computer"
        )
    assert (red_of(scene) != red_of(cleaned)).any()


def red_of(path: Path) -> np.ndarray:
    with rasterio.open(path) as file:
        return file.read(4)


@pytest.mark.parametrize("kind", ["right", "wrong"])
def test_the_checksum_of_a_small_file_is_compared(catalogue, tmp_path, kind):
    day = date(2020, 6, 15 if kind == "right" else 10)
    opened = Opened(wish(catalogue, wanted=day, days=0))
    if kind == "right":
        assert opened.get(tmp_path / "place", scene=f"{day:%m-%d}").files
        return
    with pytest.raises(InputError, match=r"_60m\.tif has another checksum than by the catalogue") as caught:
        opened.get(tmp_path / "place", scene=f"{day:%m-%d}")
    assert caught.value.code == "wrong-checksum"
