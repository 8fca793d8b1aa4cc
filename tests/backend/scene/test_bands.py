from __future__ import annotations

import pytest

from sunbreak.scene.bands import (
    S2_BANDS,
    WAVELENGTHS,
    band_in_file_name,
    band_of_wavelength,
    canonical_band,
    duplicates,
    in_native_order,
    without_band,
)


@pytest.mark.parametrize(
    ("name", "band"),
    [
        ("B04", "B04"),
        ("B4", "B04"),
        ("b8a", "B8A"),
        ("B12", "B12"),
        ("Band 4", "B04"),
        ("B2_10m", "B02"),
        ("B8A, central wavelength 865 nm", "B8A"),
        ("B04 (665 nm)", "B04"),
        ("coastal", "B01"),
        ("red", "B04"),
        ("rededge2", "B06"),
        ("rededge078", "B07"),
        ("nir", "B08"),
        ("nir08", "B8A"),
        ("nir09", "B09"),
        ("Water vapour", "B09"),
        ("swir16", "B11"),
        ("swir22", "B12"),
        ("cirrus", "B10"),
    ],
)
def test_common_names_lead_to_the_canonical_band(name: str, band: str) -> None:
    assert canonical_band(name) == band


@pytest.mark.parametrize("name", [None, "", "QA60", "SCL", "B13", "B0", "bands", "VV", "B4A", "AOT", "1", "B1B2"])
def test_other_names_mean_no_band(name: str | None) -> None:
    assert canonical_band(name) is None


@pytest.mark.parametrize(
    ("stem", "band", "rest"),
    [
        ("T32TQM_20200101T101010_B04_10m", "B04", "T32TQM_20200101T101010"),
        ("T32TQM_20200101T101010_B8A", "B8A", "T32TQM_20200101T101010"),
        ("S2A_MSIL2A_20170613T101031_87_48_B09", "B09", "S2A_MSIL2A_20170613T101031_87_48"),
        ("B12", "B12", ""),
        ("red", "B04", "red"),
    ],
)
def test_file_names_speak_of_their_band(stem: str, band: str, rest: str) -> None:
    assert band_in_file_name(stem) == band
    assert without_band(stem) == rest


@pytest.mark.parametrize("stem", ["T32TQM_20200101T101010_TCI_10m", "B02_B03", "scene"])
def test_file_names_that_name_no_band_or_two_name_none(stem: str) -> None:
    assert band_in_file_name(stem) is None


@pytest.mark.parametrize(
    ("value", "band"), [("842", "B08"), (0.865, "B8A"), ("443", "B01"), (1610, "B11"), ("2190", "B12")]
)
def test_wavelengths_in_nanometres_and_micrometres_are_recognised(value: str | float, band: str) -> None:
    assert band_of_wavelength(value) == band


def test_every_band_is_found_by_its_own_wavelength() -> None:
    assert [band_of_wavelength(WAVELENGTHS[name]) for name in S2_BANDS] == list(S2_BANDS)


@pytest.mark.parametrize("value", [None, "blue", 1000, 12000])
def test_a_wavelength_far_from_every_band_is_none(value: str | float | None) -> None:
    assert band_of_wavelength(value) is None


def test_b8a_is_between_b08_and_b09() -> None:
    assert in_native_order(["B12", "B09", "B8A", "B08"]) == ("B08", "B8A", "B09", "B12")
    assert duplicates(["B12", None, "B02", "B12", None]) == ["B12"]
