from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from rasterio.windows import Window

from sunbreak.clouds.classes import replaced
from sunbreak.clouds.given_masks import given_classes
from sunbreak.errors import InputError
from sunbreak.scene import Scene


@pytest.fixture
def s2(write, make_surface):
    return write("s2.tif", make_surface())


def mask_of(s2, mask, **options) -> np.ndarray:
    scene = Scene.open(s2, mask=mask, **options)
    assert scene.has_mask
    assert mask in scene.inputs
    with scene.reader() as reader:
        found = replaced(given_classes(reader, scene.grid.window))
    assert found.dtype == bool
    return found


def test_cloud_and_shadow_classes_of_scl_are_cloud(s2, write) -> None:
    classes = np.resize(np.arange(12, dtype="uint8"), (1, 40, 50))
    found = mask_of(s2, write("SCL.tif", classes))
    assert np.array_equal(found, np.isin(classes[0], [3, 8, 9, 10]))


def test_an_scl_at_20_m_is_laid_under_every_10_m_pixel(s2, write) -> None:
    classes = np.random.default_rng(0).choice([4, 5, 9], (1, 20, 25)).astype("uint8")
    mask = write("T32_SCL_20m.tif", classes, transform=Affine(20, 0, 600_000, 0, -20, 5_200_000))
    expected = np.kron(classes[0] == 9, np.ones((2, 2), bool))
    assert np.array_equal(mask_of(s2, mask), expected)
    assert np.array_equal(mask_of(s2, mask, window=(5, 3, 31, 17)), expected[3:20, 5:36])


@pytest.mark.parametrize("cloud", [1, 255])
def test_binary_masks_are_recognised_and_named(s2, write, cloud) -> None:
    values = (np.random.default_rng(0).random((1, 40, 50)) < 0.3).astype("uint8") * np.uint8(cloud)
    mask = write("mask.tif", values)
    assert np.array_equal(mask_of(s2, mask), values[0] > 0)
    assert any(f"{cloud} is cloud" in note for note in Scene.open(s2, mask=mask).notes)


def test_declared_nodata_is_clear(s2, write) -> None:
    values = np.zeros((1, 40, 50), "uint8")
    values[0, 0, :3] = 1, 255, 1
    assert mask_of(s2, write("mask.tif", values, nodata=255)).sum() == 2


def test_an_scl_of_zeros_and_ones_holds_no_cloud_if_it_is_called_scl(s2, write) -> None:
    values = np.ones((1, 40, 50), "uint8")
    assert mask_of(s2, write("x_SCL_20m.tif", values)).sum() == 0
    assert mask_of(s2, write("cloudmask.tif", values)).all()


def test_probabilities_are_cut_at_one_half(s2, write) -> None:
    values = np.linspace(0, 1, 2000, dtype="float32").reshape(1, 40, 50)
    values[0, 0, 0] = np.nan
    assert np.array_equal(mask_of(s2, write("cloud_prob.tif", values)), np.nan_to_num(values[0]) >= 0.5)


def test_our_own_probability_layer_is_recognised(s2, write) -> None:
    values = np.full((1, 40, 50), 3000, "uint16")
    values[0, 0, :3] = 5000, 10000, 65535
    mask = write("x_cloud_probability.tif", values, nodata=65535, scales=[1e-4], offsets=[0.0])
    assert np.flatnonzero(mask_of(s2, mask)).tolist() == [0, 1]


@pytest.mark.parametrize(
    "values",
    [
        np.full((1, 40, 50), 17, "uint8"),
        np.resize(np.array([0, 1, 255], "uint8"), (1, 40, 50)),
        np.full((1, 40, 50), 1.5, "float32"),
        np.full((1, 40, 50), np.nan, "float32"),
    ],
)
def test_numbers_that_are_no_mask_are_refused(s2, write, values) -> None:
    with pytest.raises(InputError) as caught:
        Scene.open(s2, mask=write("m.tif", values))
    assert caught.value.code == "mask-values"


def test_one_stray_number_in_a_large_mask_is_seen(s2, write) -> None:
    values = np.zeros((1, 3000, 3000), "uint8")
    values[0, 2999, 5] = 77
    with pytest.raises(InputError, match="77"):
        Scene.open(s2, mask=write("m.tif", values, compress="deflate"))


def test_a_mask_of_several_bands_or_elsewhere_is_refused(s2, write) -> None:
    with pytest.raises(InputError) as caught:
        Scene.open(s2, mask=write("m.tif", np.zeros((2, 40, 50), "uint8")))
    assert caught.value.code == "mask-bands"
    elsewhere = write("far.tif", np.zeros((1, 40, 50), "uint8"), transform=Affine(10, 0, 0, 0, -10, 0))
    with pytest.raises(InputError) as caught:
        Scene.open(s2, mask=elsewhere)
    assert caught.value.code == "no-overlap"


def test_a_mask_that_covers_half_is_warned_about(s2, write) -> None:
    mask = write("m.tif", np.ones((1, 40, 25), "uint8"))
    scene = Scene.open(s2, mask=mask)
    assert any("50%" in text for text in scene.warnings)
    with scene.reader() as reader:
        found = replaced(given_classes(reader, scene.grid.window))
        assert found[:, :25].all()
        assert not found[:, 25:].any()
        assert not replaced(given_classes(reader, Window(30, 0, 10, 10))).any()
