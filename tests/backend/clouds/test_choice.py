"""Which detector a scene gets."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import numpy as np
import pytest

from sunbreak.clouds import CloudSettings
from sunbreak.clouds.choice import GivenMask, choose
from sunbreak.clouds.classes import NO_DATA, SHADOW, THICK_CLOUD, THIN_CLOUD
from sunbreak.clouds.detector import JoinsGiven
from sunbreak.clouds.joint import Joint
from sunbreak.clouds.s2cloudless import S2Cloudless
from sunbreak.clouds.ukis import Ukis
from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Scene

WITHOUT_B10 = tuple(band for band in S2_BANDS if band != "B10")
SETTINGS = CloudSettings()


@pytest.fixture
def scenes(write_raster, cloudy_dn) -> dict[str, Scene]:
    """The same place at each level, with the product's mask and with one that the user gives."""
    dn = cloudy_dn(20, 30)
    classes = np.full((1, 20, 30), 4, np.uint8)
    level_1c = write_raster("l1c.tif", dn, bands=S2_BANDS)
    level_2a = write_raster("l2a.tif", np.delete(dn, S2_BANDS.index("B10"), axis=0), bands=WITHOUT_B10)
    scl = write_raster("SCL.tif", classes)
    given = Scene.open(level_2a, mask=scl, s2_offset=0.0)
    return {
        "L1C": Scene.open(level_1c),
        "L2A": Scene.open(level_2a, s2_offset=0.0),
        "L2A and SCL": replace(given, cloud_mask=replace(given.cloud_mask, of_product=True)),
        "L2A and mask": given,
    }


@pytest.fixture
def no_networks(monkeypatch) -> None:
    whole = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "ukis_csmask" else whole(name, *more)
    )


@pytest.mark.parametrize(
    ("scene", "name", "kind"),
    [
        ("L1C", "auto", Joint),
        ("L1C", "ukis", Ukis),
        ("L1C", "s2cloudless", S2Cloudless),
        ("L2A", "auto", Joint),
        ("L2A and SCL", "auto", Joint),
        ("L2A and SCL", "ukis", Ukis),
        ("L2A and SCL", "scl", GivenMask),
        ("L1C", "none", type(None)),
        ("L2A and SCL", "none", type(None)),
        ("L2A and mask", "none", type(None)),
        ("L2A and mask", "auto", type(None)),
    ],
)
def test_each_name_gives_its_detector(scenes, scene, name, kind):
    choice = choose(name, SETTINGS, scenes[scene])
    assert type(choice.detector) is kind
    assert choice.warnings == ()
    if choice.detector is not None:
        assert choice.detector.name == name


def test_the_level_of_the_scene_chooses_the_networks(scenes):
    assert "(L1C, " in choose("auto", SETTINGS, scenes["L1C"]).detector.label
    assert "(L2A, " in choose("ukis", SETTINGS, scenes["L2A"]).detector.label


@pytest.mark.parametrize("name", ["ukis", "s2cloudless", "scl", "another"])
def test_a_given_mask_and_a_detector_exclude_each_other(scenes, name):
    with pytest.raises(InputError, match=rf"SCL\.tif and the detector {name} are given") as caught:
        choose(name, SETTINGS, scenes["L2A and mask"])
    assert caught.value.code == "mask-and-detector"


@pytest.mark.parametrize("scene", ["L1C", "L2A"])
def test_without_a_scene_classification_there_is_nothing_to_take(scenes, scene):
    with pytest.raises(InputError, match="no scene classification") as caught:
        choose("scl", SETTINGS, scenes[scene])
    assert caught.value.code == "no-scl" and "--mask" in caught.value.hint


def test_an_unknown_name_is_refused_with_the_names_there_are(scenes):
    with pytest.raises(InputError, match="'fmask'") as caught:
        choose("fmask", SETTINGS, scenes["L1C"])
    assert caught.value.code == "unknown-detector"
    assert caught.value.hint == "Choose auto, s2cloudless, ukis, scl or none."


def test_without_the_networks_auto_falls_back_with_one_warning(scenes, no_networks):
    level_1c = choose("auto", SETTINGS, scenes["L1C"])
    assert type(level_1c.detector) is S2Cloudless
    level_2a = choose("auto", SETTINGS, scenes["L2A and SCL"])
    assert type(level_2a.detector) is GivenMask
    for choice, said in ((level_1c, "No cloud shadows are detected"), (level_2a, "Clouds are those of the product")):
        (warning,) = choice.warnings
        assert said in warning and "pip install 'sunbreak[clouds]'" in warning and "\n" not in warning


@pytest.mark.parametrize(
    ("scene", "name"), [("L2A", "auto"), ("L2A", "ukis"), ("L1C", "ukis"), ("L2A and SCL", "ukis")]
)
def test_without_the_networks_and_anything_else_the_hint_says_what_to_install(scenes, no_networks, scene, name):
    with pytest.raises(InputError, match="ukis-csmask are not installed") as caught:
        choose(name, SETTINGS, scenes[scene])
    assert caught.value.code == "no-cloud-network" and "pip install 'sunbreak[clouds]'" in caught.value.hint


def test_the_other_detectors_do_not_need_the_networks(scenes, no_networks):
    assert choose("s2cloudless", SETTINGS, scenes["L1C"]).warnings == ()
    assert choose("scl", SETTINGS, scenes["L2A and SCL"]).warnings == ()
    assert choose("auto", SETTINGS, scenes["L2A and mask"]).warnings == ()


def test_the_product_s_mask_as_a_detector_gives_its_classes_and_a_probability_of_0_or_1(scenes):
    detector = GivenMask(scenes["L2A and SCL"])
    assert isinstance(detector, JoinsGiven) and detector.halo == 0
    given = np.array([[0, THICK_CLOUD, THIN_CLOUD, SHADOW, NO_DATA]], np.uint8)
    found = detector.predict_with(np.zeros((12, 1, 5), np.float32), given)
    np.testing.assert_array_equal(found.classes, given)
    np.testing.assert_array_equal(found.probability, [[0, 1, 1, 0, np.nan]])
    with pytest.raises(ValueError, match="not in the image"):
        detector.predict(np.zeros((12, 1, 5), np.float32))


def test_without_a_band_of_the_networks_auto_takes_the_product_s_mask_or_names_the_band(scenes):
    few = tuple(band for band in WITHOUT_B10 if band != "B08")
    choice = choose("auto", SETTINGS, replace(scenes["L2A and SCL"], bands=few))
    assert isinstance(choice.detector, GivenMask)
    assert choice.warnings == ("Clouds are those of the product alone: B08 is not there.",)
    with pytest.raises(InputError, match="without B08") as caught:
        choose("auto", SETTINGS, replace(scenes["L2A"], bands=few))
    assert caught.value.code == "no-cloud-bands"
