"""Folders of cloud masks: files are paired by name, counts add up, and a table holds every mask."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from sunbreak.errors import InputError, OutputError
from sunbreak.evaluation.cloud_folders import (
    check_cloud_table,
    compare_mask_folders,
    mask_place,
    match_masks,
    write_cloud_table,
)
from sunbreak.evaluation.clouds import CLASSES, CloudAgreement, figures_of


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("S2_cloud_mask.tif", "S2"),
        ("T32TPT_20200101_SCL_20m.tif", "T32TPT_20200101"),
        ("S2_reference_mask.tif", "S2"),
        ("S2.tif", "S2"),
        ("17_s2_cloudy_cloud_mask.tif", "17"),
        ("17_labels.tif", "17"),
        ("mask.tif", "mask"),
        ("unmask_hill.tif", "unmask_hill"),
    ],
)
def test_a_name_without_its_kind_of_mask_is_the_place(name, place):
    assert mask_place(Path(name)) == place


@pytest.fixture
def folders(tmp_path, write):
    """Two pairs; the masks of the second have more cloud. A third mask has no reference."""
    for number in (1, 2):
        truth = np.zeros((1, 40, 50), "uint8")
        truth[0, : 10 * number] = 1
        guess = truth.copy()
        guess[0, : 10 * number, :number] = 0
        write(f"pred/{number}_s2_cloud_mask.tif", guess, nodata=255)
        write(f"pred/{number}_s2_cloud_probability.tif", guess.astype("float32"))
        write(f"ref/{number}_mask.tif", truth)
    write("pred/3_s2_cloud_mask.tif", np.zeros((1, 40, 50), "uint8"), nodata=255)
    return tmp_path / "pred", tmp_path / "ref"


def test_counts_add_up_over_pairs_and_other_layers_are_no_masks(folders):
    pairs, alone = match_masks(*folders)
    assert [pair.name for pair in pairs] == ["1", "2"] and alone == ["3_s2_cloud_mask.tif"]
    seen = []
    single = compare_mask_folders(pairs, checkpoint=lambda done, total: seen.append((done, total)))
    assert set(seen) == {(0, 2), (1, 2), (2, 2)}
    total = sum(single.values(), CloudAgreement())
    assert [single[name].classes["cloud"].exact.fn for name in "12"] == [10, 40]
    # not the mean of the recalls, 0.98 and 0.96
    assert figures_of(total, 0)["cloud"]["recall"] == pytest.approx(1 - 50 / 1500)


def test_classes_that_are_not_told_have_no_figures(folders):
    single = compare_mask_folders(match_masks(*folders)[0], tolerance=1)
    figures = figures_of(single["1"], 1)
    assert list(figures) == list(CLASSES)
    assert all(math.isnan(value) for value in figures["shadow"].values())
    assert figures["cloud"]["recall"] == pytest.approx(0.98) and figures["cloud"]["recall_tolerant"] == 1


def test_the_table_holds_every_mask_and_all_of_them(folders, tmp_path):
    single = compare_mask_folders(match_masks(*folders)[0], tolerance=1)
    total = sum(single.values(), CloudAgreement())
    path = write_cloud_table(tmp_path / "out" / "clouds.csv", total, single, 1)
    with path.open(newline="", encoding="utf-8") as file:
        rows = {(row["mask"], row["class"]): row for row in csv.DictReader(file)}
    assert len(rows) == 3 * len(CLASSES)
    assert float(rows["all", "cloud"]["recall"]) == pytest.approx(1 - 50 / 1500)
    assert rows["2", "cloud"]["fn"] == "40" and rows["2", "shadow"]["f1"] == rows["2", "shadow"]["tp"] == ""
    with pytest.raises(OutputError, match="exists"):
        check_cloud_table(path, overwrite=False)
    check_cloud_table(path, overwrite=True)


def test_folders_without_matching_names_are_refused(folders, tmp_path, write):
    write("other/z.tif", np.zeros((1, 9, 9), "uint8"))
    with pytest.raises(InputError, match=r"1_s2_cloud_mask\.tif would belong to 1\.tif"):
        match_masks(folders[0], tmp_path / "other")
    write("ref/1_labels.tif", np.zeros((1, 9, 9), "uint8"))
    with pytest.raises(InputError, match=r"1_labels\.tif and 1_mask\.tif both belong to 1"):
        match_masks(*folders)
    with pytest.raises(InputError, match="not a folder"):
        match_masks(folders[0], tmp_path / "ref" / "2_mask.tif")
