"""The choice of a detector, of what is replaced and of the margins, from the scene to the layers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from rasterio.windows import Window

from sunbreak.clouds import CloudSettings
from sunbreak.clouds.classes import NO_DATA, SHADOW, THICK_CLOUD, THIN_CLOUD, dilated_classes, replaced
from sunbreak.clouds.margins import Margins
from sunbreak.errors import InputError
from sunbreak.events import Reporter, Silent
from sunbreak.jobs.clean_step import CleanStep
from sunbreak.jobs.single import CleanOptions, clean, detect_clouds
from sunbreak.models.importing import save_uncrtaints
from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig
from sunbreak.removal.guide import guide
from sunbreak.scene import S2_BANDS, Scene

DEMO = Path(__file__).resolve().parents[3] / "resources" / "demo"
WITHOUT_B10 = tuple(band for band in S2_BANDS if band != "B10")
#: Codes of OmniCloudMask, which are those of the program: a thick and a thin cloud and a shadow.
THICK, THIN, SHADE = ((slice(a, a + 14), slice(b, b + 14)) for a, b in ((8, 8), (8, 40), (40, 24)))


class Heard(Reporter):
    """Remembers the messages."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []

    def message(self, text, level="info"):
        self.said.append((level, text))

    def warnings(self, part: str) -> list[str]:
        return [text for level, text in self.said if level == "warning" and part in text]


def read(path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()


@pytest.fixture(scope="module")
def demo() -> tuple[np.ndarray, np.ndarray]:
    """300 x 300 pixels of the demo scene with clouds and shadows: DN (13, row, column), and radar."""
    window = Window(200, 300, 300, 300)
    with rasterio.open(DEMO / "demo_s2_cloudy.tif") as s2, rasterio.open(DEMO / "demo_s1.tif") as s1:
        return s2.read(window=window), s1.read(window=window)


@pytest.fixture
def level_2a(demo, write_raster) -> Scene:
    dn = np.delete(demo[0], S2_BANDS.index("B10"), axis=0)
    dn[:, :, 290:] = 0
    s2 = write_raster("l2a.tif", dn, bands=WITHOUT_B10, nodata=0)
    return Scene.open(s2, write_raster("s1.tif", demo[1], bands=("VV", "VH")), s2_offset=0.0)


def scl_of(rows: int, columns: int) -> np.ndarray:
    """A scene classification: vegetation, and one square each of thick cloud, cirrus and shadow, and no data."""
    classes = np.full((rows, columns), 4, np.uint16)
    classes[THICK], classes[THIN], classes[SHADE], classes[:3, :3] = 9, 10, 3, 0
    return classes


@pytest.fixture
def with_scl(write_raster, cloudy_dn, radar_db) -> Scene:
    """Level-2A with its SCL in the same file, as from Earth Engine."""
    dn = np.delete(cloudy_dn(64, 64), S2_BANDS.index("B10"), axis=0)
    s2 = write_raster("both.tif", np.concatenate([dn, scl_of(64, 64)[None]]), bands=(*WITHOUT_B10, "SCL"))
    return Scene.open(s2, write_raster("s1.tif", radar_db(64, 64), bands=("VV", "VH")), s2_offset=0.0)


@pytest.fixture
def masked(write_raster, cloudy_dn, radar_db) -> tuple[Scene, np.ndarray, np.ndarray]:
    """A scene with a given mask of three classes; its DN; its classes."""
    dn = cloudy_dn(64, 64, THICK)
    classes = np.zeros((64, 64), np.uint8)
    classes[THICK], classes[THIN], classes[SHADE] = THICK_CLOUD, THIN_CLOUD, SHADOW
    dn[(slice(None), *SHADE)] //= 3
    s2, s1 = write_raster("place.tif", dn, bands=S2_BANDS), write_raster("s1.tif", radar_db(64, 64))
    mask = write_raster("omnicloudmask.tif", classes[None])
    return Scene.open(s2, s1, mask=mask, mask_coding="omnicloudmask"), dn, classes


def test_a_level_2a_scene_without_a_scene_classification_is_detected_from_end_to_end(level_2a, tmp_path):
    heard = Heard()
    result = detect_clouds(level_2a, tmp_path, CloudSettings(), heard)
    with rasterio.open(result.layers["cloud_mask"]) as layer:
        mask, tags = layer.read(1), layer.tags()
    assert (mask[:, 290:] == NO_DATA).all() and (mask[:, :290] != NO_DATA).all()
    known = mask[:, :290]
    assert set(np.unique(known)) == {0, THICK_CLOUD, THIN_CLOUD, SHADOW}
    expected = {
        "cloud_share": np.isin(known, [1, 2]).mean(),
        "thin_cloud_share": (known == 2).mean(),
        "shadow_share": (known == 3).mean(),
    }
    assert {name: result.numbers[name] for name in expected} == pytest.approx(expected)
    assert json.loads(tags["SUNBREAK_PARAMETERS"]) == {"ukis-csmask": "1.0.0"}
    assert tags["SUNBREAK_MODEL"] == "auto"
    assert ("info", "Clouds: ukis-csmask (L2A, 6 and 4 bands) on blocks of 3 x 3 pixels.") in heard.said
    item = json.loads((tmp_path / "l2a_cloud_mask.stac.json").read_text())
    assert item["properties"]["eo:cloud_cover"] == pytest.approx(100 * expected["cloud_share"], abs=0.01)


def test_the_scene_classification_is_written_as_the_mask(with_scl, tmp_path):
    result = detect_clouds(with_scl, tmp_path, CloudSettings(), Silent(), detector="scl")
    expected = np.zeros((64, 64), np.uint8)
    expected[THICK], expected[THIN], expected[SHADE] = THICK_CLOUD, THIN_CLOUD, SHADOW
    expected[:3, :3] = NO_DATA
    np.testing.assert_array_equal(read(result.layers["cloud_mask"])[0], expected)
    probability = read(result.layers["cloud_probability"])[0]
    assert (probability[THICK] == 10000).all() and (probability[SHADE] == 0).all()
    shares = [result.numbers[name] for name in ("cloud_share", "thin_cloud_share", "shadow_share")]
    assert shares == pytest.approx([2 * 196 / 4087, 196 / 4087, 196 / 4087])


def test_cleaning_with_the_scene_classification_dilates_each_class(with_scl, small_model, tmp_path):
    options = CleanOptions(detector="scl", buffer_thin=1, buffer_shadow=0, device="cpu", runtime="torch")
    heard = Heard()
    layers = clean(with_scl, tmp_path, small_model, options, heard).layers
    found = np.zeros((64, 64), np.uint8)
    found[THICK], found[THIN], found[SHADE] = THICK_CLOUD, THIN_CLOUD, SHADOW
    np.testing.assert_array_equal(read(layers["cloud_mask"])[0], dilated_classes(found, Margins(4, 1, 0)))
    with rasterio.open(layers["cleaned"]) as layer:
        said = json.loads(layer.tags()["SUNBREAK_PARAMETERS"])
    assert said["clouds"] == {"detector": "scl", "source": "the product's scene classification"}
    assert [said[name] for name in ("buffer", "buffer_thin", "buffer_shadow", "feather")] == [4, 1, 0, 0]
    assert ("info", "Clouds: the product's scene classification.") in heard.said


def test_pixels_that_a_given_mask_does_not_know_are_kept_and_have_no_class(
    write_raster, cloudy_dn, radar_db, small_model, tmp_path
):
    dn = cloudy_dn(64, 64)
    s2, s1 = write_raster("a.tif", dn, bands=S2_BANDS), write_raster("s1.tif", radar_db(64, 64))
    scene = Scene.open(s2, s1, mask=write_raster("SCL.tif", scl_of(64, 64)[None]))
    result = clean(scene, tmp_path, small_model, CleanOptions(device="cpu", runtime="torch"), Silent())
    mask = read(result.layers["cloud_mask"])[0]
    assert (mask[:3, :3] == NO_DATA).all() and (mask == NO_DATA).sum() == 9
    np.testing.assert_array_equal(read(result.layers["cleaned"])[:, :3, :3], dn[:, :3, :3])
    assert result.numbers["shadow_share"] == pytest.approx(196 / 4087)


def test_auto_joins_the_scene_classification_of_the_product(demo, write_raster, radar_db, tmp_path):
    dn = np.delete(demo[0], S2_BANDS.index("B10"), axis=0)
    plain = Scene.open(write_raster("plain.tif", dn, bands=WITHOUT_B10), s2_offset=0.0)
    alone = read(detect_clouds(plain, tmp_path / "alone", CloudSettings(), Silent()).layers["cloud_mask"])[0]
    scl = np.where(alone == 0, 9, 4).astype(np.uint16)
    both = write_raster("both.tif", np.concatenate([dn, scl[None]]), bands=(*WITHOUT_B10, "SCL"))
    joined = detect_clouds(Scene.open(both, s2_offset=0.0), tmp_path / "joined", CloudSettings(), Silent())
    mask = read(joined.layers["cloud_mask"])[0]
    # clouds are near everywhere in this part
    assert (alone == 0).mean() > 0.1
    assert np.isin(mask[alone == 0], [THICK_CLOUD, THIN_CLOUD]).mean() > 0.9


def test_only_what_is_chosen_is_replaced_and_a_kept_shadow_is_no_clear_ground(masked, tmp_path):
    scene, dn, classes = masked
    prior = tuple(0.1 + 0.01 * band for band in range(13))
    torch.manual_seed(0)
    untrained = save_uncrtaints(
        UnCRtainTS(UnCRtainTSConfig(width=16, depth=1, guided=True, prior=prior)).eval(), "guided", tmp_path / "model",
        title="t", description="d", licence="CC0-1.0", tile=64, overlap=16,
    )  # fmt: skip
    options = CleanOptions(replace=("clouds",), feather=0, device="cpu", runtime="torch")
    result = clean(scene, tmp_path / "out", untrained, options, Silent())
    after = read(result.layers["cleaned"])
    thick = classes == THICK_CLOUD
    np.testing.assert_array_equal(after[:, ~thick], dn[:, ~thick])
    np.testing.assert_array_equal(read(result.layers["reconstructed"])[0], thick * 10000)
    # the mask still says what is there
    np.testing.assert_array_equal(read(result.layers["cloud_mask"])[0], classes)
    assert result.numbers["reconstructed_share"] == pytest.approx(196 / 4096)
    assert result.numbers["shadow_share"] == pytest.approx(196 / 4096)
    # a network with zero residual returns the guide, which is filled from clear ground
    with scene.reader() as reader:
        radar = reader.s1(Window(0, 0, 64, 64))
    expected, wrong = (
        guide(dn.astype(np.float32) / 1e4, clear, prior, radar) * 1e4 for clear in (classes == 0, ~thick)
    )
    np.testing.assert_allclose(after[:, thick], expected[:, thick], atol=0.51)
    assert np.abs(wrong[:, thick] - expected[:, thick]).max() > 5


@pytest.mark.parametrize(
    ("buffers", "margins"),
    [
        ({}, Margins()),
        ({"buffer": 3}, Margins.all(3)),
        ({"buffer": 2, "buffer_thin": 5, "buffer_shadow": 0}, Margins(2, 5, 0)),
        ({"buffer_shadow": 4}, Margins(0, 0, 4)),
    ],
)
def test_each_class_has_its_own_buffer(masked, small_model, tmp_path, buffers, margins):
    scene, dn, classes = masked
    options = CleanOptions(**buffers, feather=0, device="cpu", runtime="torch")
    layers = clean(scene, tmp_path, small_model, options, Silent()).layers
    expected = dilated_classes(classes, margins)
    np.testing.assert_array_equal(read(layers["cloud_mask"])[0], expected)
    np.testing.assert_array_equal(read(layers["reconstructed"])[0] > 0, replaced(expected))
    clear = ~replaced(expected)
    np.testing.assert_array_equal(read(layers["cleaned"])[:, clear], dn[:, clear])


def test_the_feather_is_at_most_the_buffer_of_what_is_replaced(masked, small_model):
    scene, *_ = masked

    def feather(**options) -> int:
        return CleanStep(scene, small_model, CleanOptions(**options)).task.feather

    assert feather(buffer=3) == 3
    assert feather(buffer=9) == 4
    assert feather(buffer=3, buffer_shadow=1) == 1
    assert feather(buffer=3, buffer_shadow=1, replace=("clouds", "thin")) == 3
    assert feather(buffer=3, buffer_shadow=1, feather=2) == 2


@pytest.mark.parametrize(("covered", "warned"), [(0, "If you see more"), (0.5, None), (0.97, "If you see less")])
def test_very_few_and_very_many_clouds_are_warned_about(
    write_raster, cloudy_dn, radar_db, small_model, tmp_path, covered, warned
):
    mask = np.zeros((1, 64, 64), np.uint8)
    mask[:, : round(64 * covered)] = 1
    s2, s1 = write_raster("a.tif", cloudy_dn(64, 64), bands=S2_BANDS), write_raster("s1.tif", radar_db(64, 64))
    heard = Heard()
    scene = Scene.open(s2, s1, mask=write_raster("mask.tif", mask))
    clean(scene, tmp_path, small_model, CleanOptions(device="cpu", runtime="torch"), heard)
    said = heard.warnings("of the scene. If you see")
    assert len(said) == (0 if warned is None else 1)
    if warned:
        assert warned in said[0] and f"{round(64 * covered) / 64:.1%}" in said[0]


def test_detection_warns_once_of_a_scene_without_clouds(write_raster, cloudy_dn, tmp_path):
    heard = Heard()
    result = detect_clouds(
        Scene.open(write_raster("a.tif", cloudy_dn(40, 50), bands=S2_BANDS)), tmp_path, CloudSettings(), heard
    )
    assert result.numbers["cloud_share"] == 0
    assert len(heard.warnings("cover 0.0% of the scene")) == 1


def test_without_a_mask_and_a_detector_nothing_can_be_cleaned_but_everything(
    scene_files, small_model, masked, tmp_path
):
    scene = Scene.open(*scene_files)
    with pytest.raises(InputError, match="nothing would be replaced") as caught:
        CleanStep(scene, small_model, CleanOptions(detector="none"))
    assert caught.value.code == "no-mask"
    assert CleanStep(scene, small_model, CleanOptions(detector="none", replace_all=True)).task.mask is None
    assert CleanStep(masked[0], small_model, CleanOptions(detector="none")).parameters["clouds"] == (
        "given mask, as omnicloudmask"
    )
    with pytest.raises(InputError, match="no clouds are detected") as caught:
        detect_clouds(scene, tmp_path / "out", CloudSettings(), Silent(), detector="none")
    assert caught.value.code == "no-detector"
    assert not (tmp_path / "out").exists()


def test_a_given_mask_and_a_detector_are_refused_before_anything_is_written(masked, small_model, tmp_path):
    with pytest.raises(InputError) as caught:
        clean(masked[0], tmp_path / "out", small_model, CleanOptions(detector="ukis"), Silent())
    assert caught.value.code == "mask-and-detector"
    assert not (tmp_path / "out").exists()
