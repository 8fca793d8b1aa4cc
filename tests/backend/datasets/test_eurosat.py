"""EuroSAT: bands in native order, mapped classes, fixed split."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from sunbreak.datasets.eurosat import SIMPLIFIED, STORED_BANDS, find_patches
from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS


def write(folder, kind: str, number: int, bands: int = 13):
    path = folder / kind / f"{kind}_{number}.tif"
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.arange(1, bands + 1, dtype=np.uint16)[:, None, None] * np.ones((1, 64, 64), np.uint16)
    with rasterio.open(path, "w", driver="GTiff", count=bands, height=64, width=64, dtype="uint16") as file:
        file.write(values)
    return path


def test_bands_come_in_native_order(tmp_path):
    write(tmp_path, "Forest", 1)
    (patch,) = find_patches(tmp_path)
    values = patch.read()[:, 0, 0]
    assert dict(zip(S2_BANDS, values, strict=True)) == {band: i + 1 for i, band in enumerate(STORED_BANDS)}
    assert values[S2_BANDS.index("B8A")] == 13
    assert patch.label == 1


def test_every_third_patch_of_a_class_is_held_out_by_number_not_by_name(tmp_path):
    for number in (1, 2, 3, 10, 11, 12):
        write(tmp_path, "River", number)
    assert [(p.number, p.held_out) for p in find_patches(tmp_path)] == [
        (1, False), (2, False), (3, True), (10, False), (11, False), (12, True),
    ]  # fmt: skip


def test_classes_map_to_the_five_common_classes():
    assert sorted(set(SIMPLIFIED.values())) == [1, 4, 6, 7, 10]


def test_a_folder_that_is_not_eurosat_is_refused(tmp_path):
    with pytest.raises(InputError, match="no patches of EuroSAT"):
        find_patches(tmp_path)
    write(tmp_path, "Forest", 1, bands=3)
    with pytest.raises(InputError, match="has 3 bands, not 13"):
        find_patches(tmp_path)[0].read()


def test_real_forest_reflects_more_in_b8a_than_in_b07(shared):
    patches = [patch for patch in find_patches(shared / "data" / "eurosat") if patch.kind == "Forest"]
    assert len(patches) == 12
    assert sum(patch.held_out for patch in patches) == 4
    b07, b8a, b10 = (S2_BANDS.index(band) for band in ("B07", "B8A", "B10"))
    for patch in patches:
        values = patch.read().mean(axis=(1, 2))
        assert values[b8a] > values[b07] > 10 * values[b10]
