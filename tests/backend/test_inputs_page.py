"""The page on inputs: each row of its table of sources has a test behind it, which is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = CHECKOUT / "docs" / "inputs.md"
TESTS = CHECKOUT / "tests" / "backend"

BEHIND = {
    "A product as a `.SAFE` folder (Copernicus Data Space)": (
        "scene/test_layouts.py::test_a_product_of_cdse_with_all_that_lies_in_it",
        "scene/test_baselines.py::test_a_product_of_each_baseline_is_read_as_its_metadata_says",
    ),
    "The same, zipped": (
        "scene/test_zip_products.py::test_a_zipped_product_is_cleaned_to_the_same_bytes_and_nothing_is_unpacked",
    ),
    "A product with several granules (until 2016)": (
        "scene/test_zip_products.py::test_of_a_product_with_several_granules_one_is_given_by_its_folder",
    ),
    "Planetary Computer, the bands of one date": ("scene/test_layouts.py::test_a_folder_of_the_planetary_computer",),
    "Earth Search, the bands and the STAC item": ("scene/test_layouts.py::test_a_folder_of_earth_search_with_its_item",),
    "Earth Engine, one file": (
        "scene/test_layouts.py::test_an_export_of_earth_engine_with_all_its_bands",
        "scene/test_cases.py::test_10_a_scene_classification_inside_the_file_is_its_mask",
    ),
    "Earth Engine, a file for each band": (
        "scene/test_layouts.py::test_an_export_of_earth_engine_with_one_file_for_each_band",
    ),
    "Earth Engine, parts of a large export": (
        "scene/test_layouts.py::test_parts_of_one_export_are_refused_with_how_to_join_them",
    ),
    "Sentinel Hub or openEO, with a band `dataMask`": (
        "scene/test_cases.py::test_09_the_data_mask_says_which_pixels_hold_data",
    ),
    "A virtual raster of QGIS or GDAL (`.vrt`)": ("sources/test_vrt.py::test_a_stack_of_files_reads_as_the_files_do",),
    "sen2r, SNAP and others: bands without names, or `Band 1`, `Band 2`, ...": (
        "scene/test_cases.py::test_06_bands_without_names_and_without_b8a_are_known_by_their_spectra",
        "scene/test_cases.py::test_05_descriptions_that_only_count_are_no_names",
    ),
    "Single bands, GeoTIFF or JPEG 2000": ("scene/test_scene.py::test_single_bands_of_mixed_resolution_meet_on_the_10_m_grid",),
    "What `sunbreak get` wrote": ("cli/test_fetched_folder.py::test_cleaning_the_folder_is_cleaning_its_files",),
    "Patches of EuroSAT, SEN12MS, BigEarthNet": ("scene/test_real_data.py::test_eurosat_is_read_in_its_own_order_without_names",),
    "Reflectance in percent, or other numbers": ("scene/test_radiometry.py::test_the_scale_option_says_what_a_stored_number_is",),
    "An array in Python": ("api/test_interface.py::test_cleaning_arrays_gives_the_same_as_cleaning_files",),
    "A true-colour picture (TCI, 8 bits)": ("scene/test_scene.py::test_eight_bit_pictures_are_refused",),
    "NetCDF or HDF5": ("scene/test_real_data.py::test_netcdf_and_patches_without_georeference_are_refused",),
    "ASF HyP3 (RTC)": ("scene/test_radar.py::test_amplitude_is_squared_where_the_name_or_the_user_says_so",),
    "Planetary Computer RTC, Earth Engine, Sentinel Hub": (
        "scene/test_cases.py::test_24_ordinary_files_are_read_right",
    ),
    "SNAP, terrain-corrected": (
        "scene/test_cases.py::test_04_unnamed_radar_with_vh_first_is_read_as_the_named_file",
        "scene/test_cases.py::test_13_zeros_at_the_edge_of_two_radar_files_are_no_data",
    ),
    "A GRD product as downloaded": (
        "scene/test_cases.py::test_17_radar_in_radar_geometry_is_refused_with_what_to_do",
        "scene/test_zip_products.py::test_a_zipped_radar_product_given_as_sentinel_2_is_called_so",
    ),
    "An SLC product (complex numbers)": ("scene/test_radar.py::test_complex_radar_is_refused",),
    "SCL": ("scene/test_cases.py::test_10_a_scene_classification_may_have_any_type",),
    "CLDPRB, MSK_CLASSI, QA60, Cloud Score+": ("scene/test_cases.py::test_16_masks_that_come_with_the_data_are_read",),
    "OmniCloudMask": ("scene/test_cases.py::test_01_the_classes_of_omnicloudmask_are_read_as_they_are",),
    "Fmask, probabilities, 0 and 1": (
        "scene/test_mask_recognition.py::test_fmask_with_a_declared_nodata_of_255_is_fmask_4",
        "scene/test_mask.py::test_binary_masks_are_recognised_and_named",
    ),
    "`cloud_mask` of Sunbreak": (
        "scene/test_mask_recognition.py::test_our_own_mask_is_known_by_its_tag_under_any_name",
    ),
    "Other numbers": (
        "scene/test_cases.py::test_16_a_mask_whose_values_may_mean_several_things_is_refused_with_the_option",
    ),
}  # fmt: skip
"""The tests behind each row."""


def rows() -> list[str]:
    """The first cells of the tables of the section."""
    section = PAGE.read_text(encoding="utf-8").split("## Where files come from")[1].split("\n## ")[0]
    return [
        found[1]
        for found in re.finditer(r"^\| ([^|]+) \|", section, re.MULTILINE)
        if not found[1].startswith("you have")
    ]


def test_each_row_has_a_test_behind_it():
    assert rows() == list(BEHIND)


@pytest.mark.parametrize("test", sorted({test for tests in BEHIND.values() for test in tests}))
def test_the_test_is_there(test):
    path, name = test.split("::")
    assert re.search(rf"^def {name}\(", (TESTS / path).read_text(encoding="utf-8"), re.MULTILINE)
