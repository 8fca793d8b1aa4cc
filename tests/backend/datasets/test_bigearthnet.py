"""BigEarthNet: both layouts, irregular names, cloudy and clear patches, one pixel grid, and broken files."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import date, datetime

import numpy as np
import pytest
import rasterio

from sunbreak.datasets.bigearthnet import (
    BANDS,
    LABELS_19,
    LABELS_43,
    BigEarthNet,
    find_patches,
    label_vector,
    labelled,
    read_bands,
    read_reference_map,
)
from sunbreak.datasets.bigearthnet.bands import to_side
from sunbreak.datasets.bigearthnet.labels import CODES, map_labels, merged
from sunbreak.datasets.bigearthnet.metadata import read_metadata
from sunbreak.datasets.bigearthnet.names import derived_split, parse_name
from sunbreak.datasets.bigearthnet.writing import write_bigearthnet
from sunbreak.errors import InputError

CLOUDY, SNOWY = "patches_with_cloud_and_shadow.csv", "patches_with_seasonal_snow.csv"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return write_bigearthnet(tmp_path_factory.mktemp("ben") / "v1", 6, 1, 1, snowy=1)


@pytest.fixture
def v1(original, tmp_path):
    return shutil.copytree(original, tmp_path / "v1")


@pytest.fixture(scope="module")
def v2(tmp_path_factory):
    pytest.importorskip("pyarrow")
    return write_bigearthnet(tmp_path_factory.mktemp("ben") / "v2", 6, 1, 2, snowy=1)


def only(folder, pattern):
    return sorted(folder.rglob(pattern))[0]


def test_43_classes_merge_into_19_and_eleven_are_dropped():
    assert (len(LABELS_43), len(set(LABELS_43)), len(LABELS_19), len(set(LABELS_19))) == (43, 43, 19, 19)
    assert merged(LABELS_43) == LABELS_19
    assert sum(not merged([name]) for name in LABELS_43) == 11
    assert merged(["Peatbogs", "Inland marshes", "Continuous urban fabric"]) == ("Urban fabric", "Inland wetlands")
    assert merged(["Sparsely vegetated areas"]) == merged(["Natural grassland"])
    assert merged(["Bare rock", "Airports"]) == ()
    assert list(CODES.values()) == sorted(CODES.values())
    assert map_labels(np.array([[311, 999], [412, 332]])) == ("Broad-leaved forest", "Inland wetlands")


def test_label_vectors_follow_the_order_of_the_published_index(tmp_path):
    vector = label_vector(["Marine waters", "Urban fabric"], 19, tmp_path)
    assert np.flatnonzero(vector).tolist() == [0, 18]
    assert np.flatnonzero(label_vector(["Sea and ocean", "Pastures"], 43, tmp_path)).tolist() == [17, 42]
    with pytest.raises(InputError, match="'Sea and ocean' is none of the 19"):
        label_vector(["Sea and ocean"], 19, tmp_path)


def test_names_with_a_missing_zero_or_impossible_seconds_are_parsed():
    short = parse_name("S2B_MSIL2A_20180204T94161_57_38")
    assert short == parse_name("S2B_MSIL2A_20180204T094161_57_38")
    assert (short.day, short.time, short.column, short.row) == (date(2018, 2, 4), "094161", 57, 38)
    assert parse_name("S1A_IW_GRDH_1SDV_20170613T165043_33UUP_87_48").tile == "33UUP"
    assert parse_name("S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57").tile == "33UUP"
    for name in (
        "S2A_MSIL2A_20171331T101031_87_48",
        "S2A_MSIL1C_20170613T101031_87_48",
        "..",
        "S2A_MSIL2A_20170613T1_8_4",
    ):
        assert parse_name(name) is None


def test_derived_splits_keep_neighbours_together_in_official_fractions():
    names = [
        parse_name(f"S2A_MSIL2A_201706{day:02d}T101031_{column}_{row}")
        for day in range(1, 21)
        for column in range(0, 90, 5)
        for row in range(0, 90, 5)
    ]
    splits = {name: derived_split(name) for name in names}
    assert all(
        len({splits[n] for n in names if (n.day.day, n.column // 10, n.row // 10) == (3, c, 4)}) == 1 for c in range(9)
    )
    counts = Counter(splits.values())
    assert counts["train"] / len(names) == pytest.approx(0.52, abs=0.04)
    assert counts["test"] / len(names) == pytest.approx(0.24, abs=0.04)


@pytest.mark.parametrize("version", ["original", "v2"])
def test_cloudy_and_clear_patches_are_assigned_to_splits(version, request):
    collection = find_patches(request.getfixturevalue(version), "required")
    assert collection.version == (1 if version == "original" else 2)
    assert Counter(patch.pile for patch in collection.patches) == {"cloudy": 3, "clear": 3, "snowy": 1}
    for pile in ("cloudy", "clear"):
        assert {patch.split for patch in collection.pile(pile)} == {"train", "validation", "test"}
        assert len(collection.pile(pile, "train")) == 1
    assert {patch.official for patch in collection.pile("clear")} == {True}
    # version 1 has no published split of cloudy patches
    assert {patch.official for patch in collection.pile("cloudy")} == {version == "v2"}
    assert len(collection.notes) == (version == "original")


def test_both_versions_of_a_data_set_have_the_same_content(original, v2):
    order = (*BANDS, "VV", "VH")
    first, second = (find_patches(folder, "required") for folder in (original, v2))
    by_place = {(patch.name.split("_")[-2:][0], patch.name.split("_")[-1]): patch for patch in second.patches}
    for patch in first.patches:
        twin = by_place[(patch.name.split("_")[-2], patch.name.split("_")[-1])]
        assert (twin.pile, twin.split, twin.labels()) == (patch.pile, patch.split, patch.labels())
        np.testing.assert_array_equal(read_bands(twin, order), read_bands(patch, order))
        assert map_labels(read_reference_map(twin)) == twin.labels()


def test_samples_have_the_requested_order_reflectance_and_decibels(original):
    patches = find_patches(original, "required").pile("clear")
    order = ("VH", "B8A", "B02", "VV", "B01")
    pixels, labels = BigEarthNet(patches, order)[0]
    assert (pixels.shape, pixels.dtype, labels.shape, labels.dtype) == ((5, 120, 120), np.float32, (19,), np.float32)
    with rasterio.open(patches[0].s2 / f"{patches[0].name}_B02.tif") as source:
        np.testing.assert_allclose(pixels[2], source.read(1) / 1e4, atol=1e-7)
    with rasterio.open(patches[0].s1 / f"{patches[0].s1.name}_VH.tif") as source:
        np.testing.assert_array_equal(pixels[0], source.read(1))
    assert 0.02 < pixels[2].mean() < 0.3
    everything = BigEarthNet(patches, nomenclature=43)
    assert everything[0][0].shape == (12, 120, 120)
    assert everything.label_matrix().shape == (3, 43)
    assert [labels.sum() for _, labels in everything] == [len(patch.labels(43)) for patch in patches]


def test_coarse_bands_are_interpolated_between_pixel_centres_without_a_shift():
    ramp = np.tile((np.arange(20, dtype=np.float32) + 0.5) * 6, (20, 1))
    fine = to_side(ramp)
    # a linear gradient is exact inside the outermost centres and constant beyond them
    np.testing.assert_allclose(fine[:, 3:117], np.tile(np.arange(3, 117) + 0.5, (120, 1)), atol=1e-4)
    assert (fine[:, 0] == 3).all()
    np.testing.assert_array_equal(to_side(ramp, "nearest"), np.kron(ramp, np.ones((6, 6))))
    noise = np.random.default_rng(0).random((60, 60)).astype(np.float32)
    assert to_side(noise).mean() == pytest.approx(noise.mean(), rel=0.01)
    np.testing.assert_array_equal(to_side(np.ones((60, 60), np.float32)), 1)


def test_bands_are_on_the_grid_of_their_files(original):
    patch = find_patches(original).patches[0]
    place = parse_name(patch.name)
    metadata = read_metadata(patch.labels_file)
    for band, step in (("B02", 10), ("B05", 20), ("B01", 60)):
        with rasterio.open(patch.s2 / f"{patch.name}_{band}.tif") as source:
            assert source.res == (step, step)
            assert tuple(source.bounds) == metadata.bounds
            assert (source.bounds.left, source.bounds.top) == (300000 + 1200 * place.column, 5400000 - 1200 * place.row)


def test_the_same_seed_writes_the_same_pixels_and_cloudy_patches_are_brighter(original, tmp_path):
    again = find_patches(write_bigearthnet(tmp_path / "again", 6, 1, snowy=1))
    first = find_patches(original)
    assert [patch.name for patch in again.patches] == [patch.name for patch in first.patches]
    np.testing.assert_array_equal(read_bands(again.patches[0], BANDS), read_bands(first.patches[0], BANDS))
    blue = {
        pile: np.mean([x.mean() for x, _ in BigEarthNet(first.pile(pile), ["B02"])]) for pile in ("clear", "cloudy")
    }
    assert blue["cloudy"] > 2 * blue["clear"]


def test_lists_match_both_spellings_of_the_hour(v1):
    names = (v1 / CLOUDY).read_text()
    assert "T93020_" in names
    (v1 / CLOUDY).write_text(names.replace("T93020_", "T093020_"))
    assert len(find_patches(v1).pile("cloudy")) == 3


def test_a_patch_without_radar_is_named_or_excluded(v1):
    lost = find_patches(v1, "required").pile("clear")[0]
    shutil.rmtree(lost.s1)
    kept = find_patches(v1)
    assert kept.without_s1 == (lost.name,)
    assert len(kept.patches) == 7
    with pytest.raises(InputError, match=f"{lost.name}: this patch and 0 others have no Sentinel-1 pair"):
        BigEarthNet(kept.patches, ("VV",))
    assert len(find_patches(v1, "required").patches) == 6
    assert find_patches(v1, "none").without_s1 == ()
    shutil.rmtree(v1 / "BigEarthNet-S1-v1.0")
    with pytest.raises(InputError, match="none of the 7 patches has a Sentinel-1 pair"):
        find_patches(v1, "required")


def test_without_the_lists_every_split_is_derived(v1):
    (v1 / CLOUDY).unlink()
    shutil.rmtree(v1 / "splits")
    collection = find_patches(v1, "required")
    assert not any(patch.official for patch in collection.patches)
    assert len(collection.notes) == 2
    with pytest.raises(InputError, match="nothing says which patches are cloudy"):
        collection.pile("cloudy")


def test_a_patch_with_none_of_the_19_labels_has_a_vector_of_zeros(v1):
    patches = find_patches(v1).pile("clear")
    path = patches[0].labels_file
    path.write_text(json.dumps(json.loads(path.read_text()) | {"labels": ["Airports", "Bare rock"]}))
    assert patches[0].labels() == ()
    assert BigEarthNet(patches).label_matrix().any(axis=1).tolist() == [False, True, True]
    assert [len(part) for part in labelled(patches)] == [2, 1]
    assert [len(part) for part in labelled(patches, 43)] == [3, 0]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        (CLOUDY, "", "empty-list"),
        (SNOWY, "\n\n", "empty-list"),
        (CLOUDY, "<html>\n<body>not found</body>\n", "bad-list"),
        (CLOUDY, b"\xff\xfe\x00", "bad-list"),
        ("splits/val.csv", "", "empty-list"),
    ],
)
def test_broken_lists_are_refused_by_name(v1, name, content, code):
    (v1 / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=name.split("/")[-1]) as caught:
        find_patches(v1)
    assert caught.value.code == code
    assert caught.value.hint


def test_a_list_with_a_header_only_gives_no_patches(v1):
    (v1 / CLOUDY).write_text("patch\n")
    with pytest.raises(InputError, match="no cloudy patches") as caught:
        find_patches(v1).pile("cloudy")
    assert caught.value.code == "empty-pile"


def test_a_patch_in_two_splits_is_refused(v1):
    (v1 / "splits" / "test.csv").write_text((v1 / "splits" / "train.csv").read_text())
    with pytest.raises(InputError, match="is in train as well"):
        find_patches(v1)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text[:-20], "bad-metadata"),
        (lambda text: "[1, 2]", "bad-metadata"),
        (lambda text: "[" * 100_000, "bad-metadata"),
        (lambda text: text.replace(":", ": 1" + "0" * 400 + ', "x":', 1), "bad-metadata"),
        (lambda text: text.replace('"labels"', '"label"'), "bad-metadata"),
        (lambda text: text.replace('"coordinates"', '"where"'), "bad-metadata"),
        (lambda text: text.replace("2017-", "later-"), "bad-metadata"),
        (lambda text: json.dumps(json.loads(text) | {"labels": []}), "bad-metadata"),
        (lambda text: json.dumps(json.loads(text) | {"labels": ["Parking lots"]}), "unknown-label"),
        (None, "missing-metadata"),
    ],
)
def test_a_broken_json_is_refused_by_name(v1, change, code):
    patch = find_patches(v1).patches[0]
    path = patch.labels_file
    if change is None:
        path.unlink()
    else:
        path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=path.name) as caught:
        BigEarthNet([patch])[0]
    assert caught.value.code == code
    assert "\n" not in str(caught.value)


def test_a_broken_json_of_a_radar_patch_is_refused_by_name(v1):
    path = find_patches(v1, "required").pile("cloudy")[0].s1
    json_path = path / f"{path.name}_labels_metadata.json"
    json_path.write_text("{")
    with pytest.raises(InputError, match=json_path.name):
        find_patches(v1)
    find_patches(v1, "none")


def test_missing_truncated_and_wrong_bands_are_refused_by_name(v1):
    patch = find_patches(v1).patches[0]
    band = patch.s2 / f"{patch.name}_B05.tif"
    whole = band.read_bytes()
    band.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="B05"):
        BigEarthNet([patch])[0]
    shutil.copy(patch.s2 / f"{patch.name}_B02.tif", band)
    with pytest.raises(InputError, match="120 x 120 pixels, not one of 60 x 60"):
        BigEarthNet([patch])[0]
    band.unlink()
    with pytest.raises(InputError, match=r"B05\.tif: the band is missing"):
        BigEarthNet([patch])[0]


def test_bands_that_the_data_set_lacks_are_refused_before_anything_is_read(original):
    with pytest.raises(InputError, match=r"B10 .*no cirrus"):
        BigEarthNet(find_patches(original).patches, ("B02", "B10"))


def test_empty_and_missing_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="no patches of BigEarthNet"):
        find_patches(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        find_patches(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no metadata\.parquet"):
        find_patches(tmp_path, version=2)


def test_the_real_patches_are_read(shared):
    collection = find_patches(shared / "data" / "bigearthnet", "required")
    assert len(collection.patches) == 6
    by_name = {patch.name: patch for patch in collection.patches}
    night = by_name["S2B_MSIL2A_20180204T94161_57_38"]
    assert night.s1.name == "S1A_IW_GRDH_1SDV_20180204T043253_35VPK_57_38"
    assert night.labels() == ("Arable land", "Coniferous forest", "Mixed forest")
    assert read_metadata(night.labels_file).acquired == datetime(2018, 2, 4, 9, 41, 56)
    radar = read_metadata(night.s1 / f"{night.s1.name}_labels_metadata.json")
    assert radar.s2 == night.name
    assert radar.bounds == read_metadata(night.labels_file).bounds == (668400, 6953220, 669600, 6954420)
    samples = BigEarthNet(collection.patches, (*BANDS, "VV", "VH"))
    assert samples.label_matrix().sum(axis=1).tolist() == [2, 2, 1, 4, 5, 3]
    for pixels, _ in samples:
        assert np.isfinite(pixels).all()
        # bands of 10 m, 20 m and 60 m show one place: neighbouring wavelengths agree
        assert np.corrcoef(pixels[BANDS.index("B08")].ravel(), pixels[BANDS.index("B8A")].ravel())[0, 1] > 0.8
        assert -25 < pixels[-1].mean() < pixels[-2].mean() < 0
