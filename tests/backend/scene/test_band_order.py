"""Bands without names are put in order by their spectra, or refused with a proposal."""

from __future__ import annotations

import numpy as np
import pytest

from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.scene.band_order import Profile, measured, orders_of, spectral_order
from sunbreak.scene.bands import BY_COUNT

# of fields and forest, reflectance x 10000
LEVELS = dict(zip(S2_BANDS, (1300, 1050, 1000, 800, 1200, 2400, 2900, 2850, 3150, 1000, 30, 2100, 1200), strict=True))


def land(order: tuple[str, ...], offset: int = 0, pixels: int = 3000) -> np.ndarray:
    """Numbers (band, pixel): mixtures of plants and soil of different wetness under haze, with some noise."""
    rng = np.random.default_rng(0)
    plants, light = rng.uniform(0, 1, pixels), rng.normal(1, 0.15, pixels)
    greening = {
        "B06": 0.5,
        "B07": 0.8,
        "B08": 0.8,
        "B8A": 0.8,
        "B09": 0.7,
        "B05": -0.1,
        "B04": -0.5,
        "B11": -0.3,
        "B12": -0.5,
    }
    wet, haze = rng.normal(0, 1, pixels), rng.normal(0, 1, pixels)
    drying = {"B11": -0.2, "B12": -0.25}
    scattering = {"B01": 0.12, "B02": 0.08, "B03": 0.05, "B04": 0.05, "B09": 0.1}
    rows = []
    for name in order:
        values = LEVELS[name] * light * (1 + greening.get(name, 0.0) * (plants - 0.5))
        values *= 1 + drying.get(name, 0.0) * wet + scattering.get(name, 0.0) * haze
        rows.append(values + offset + rng.normal(0, 8, pixels))
    return np.stack(rows).astype("float32")


def decided(sample: np.ndarray, count: int | None = None, placed=None):
    bands = len(sample)
    return spectral_order("a.tif", sample, placed or range(1, bands + 1), count or bands)


@pytest.mark.parametrize("offset", [0, 1000])
@pytest.mark.parametrize("count", [10, 12, 13])
def test_the_native_order_is_recognised(count, offset) -> None:
    assert decided(land(BY_COUNT[count], offset)) is None


@pytest.mark.parametrize("count", [10, 12, 13])
def test_b8a_at_the_end_is_recognised(count) -> None:
    order = orders_of(count)["B8A last"]
    assert decided(land(order)) == order


def test_reflectance_counts_as_dn_do() -> None:
    order = orders_of(13)["B8A last"]
    assert decided(land(order) / 10000) == order


def test_twelve_bands_without_b8a_are_recognised() -> None:
    order = orders_of(12)["native order without B8A"]
    assert decided(land(order)) == order


@pytest.mark.parametrize("count", [10, 12, 13])
def test_ten_metre_bands_first_are_never_taken_as_native(count) -> None:
    order = orders_of(count)["10 m bands first"]
    with pytest.raises(InputError, match="cannot be told for certain; it looks like 10 m bands first") as caught:
        decided(land(order))
    assert f"--s2-bands {order[0]}" in caught.value.hint


def test_a_proposal_leaves_out_what_is_no_band() -> None:
    sample = np.full((10, 500), 3000, "float32") + np.random.default_rng(0).normal(0, 500, (10, 500)).astype("float32")
    with pytest.raises(InputError, match="cannot be told for certain") as caught:
        decided(sample, count=11, placed=range(2, 12))
    assert caught.value.code == "bands-unknown"
    assert caught.value.hint.split("--s2-bands ")[1].startswith("-,B")


def test_a_scene_is_opened_in_the_order_of_its_spectra(write) -> None:
    order = orders_of(13)["B8A last"]
    values = land(order, pixels=2000).reshape(13, 40, 50).astype("uint16")
    scene = Scene.open(write("a.tif", values))
    assert {source.name: source.index for source in scene.stack.sources} == {
        name: place for place, name in enumerate(order, 1)
    }
    assert any("by their spectra" in note for note in scene.notes)


def test_names_are_believed_whatever_the_spectra(write) -> None:
    values = land(orders_of(13)["B8A last"], pixels=2000).reshape(13, 40, 50).astype("uint16")
    scene = Scene.open(write("a.tif", values, names=S2_BANDS), s2_offset=0)
    assert {source.name: source.index for source in scene.stack.sources}["B8A"] == 9


def test_the_profile_is_that_of_real_images() -> None:
    profile = Profile.load()
    assert profile.ratio.shape == (13, 13)
    np.testing.assert_allclose(profile.ratio, -profile.ratio.T, atol=1e-3)
    cirrus, vapour = S2_BANDS.index("B10"), S2_BANDS.index("B09")
    assert profile.ratio[cirrus, vapour] < -0.5
    medians, likeness = measured(land(S2_BANDS))
    assert profile.distance(S2_BANDS, medians, likeness) < 3
