"""What a resumed study reads back from its folder may be damaged or made by others: it counts as missing then."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sunbreak.errors import InputError
from sunbreak.studies.downstream.covers import cover_key, read_cover
from sunbreak.studies.downstream.quadruplets import Pairs, Quadruplet
from sunbreak.studies.downstream.remarks import Remark
from sunbreak.studies.downstream.store import is_current, read_arrays, write_arrays
from sunbreak.studies.downstream.teaching import read_curve, taught


def test_arrays_come_back_under_their_key_only(tmp_path):
    path = write_arrays(tmp_path / "a.npz", "key", {"x": np.arange(3), "y": np.zeros((2, 2))})
    found = read_arrays(path, "key")
    assert found is not None and list(found) == ["x", "y"]
    assert read_arrays(path, "key", ["y"])["y"].shape == (2, 2)
    assert is_current(path, "key") and not is_current(path, "other")
    assert read_arrays(path, "key", ["absent"]) is None


def packed(path: Path) -> None:
    """The right key, and zeros that are packed a thousandfold."""
    values = io.BytesIO()
    np.save(values, np.zeros(2**24))
    key = io.BytesIO()
    np.save(key, np.array("key"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("key.npy", key.getvalue())
        archive.writestr("x.npy", values.getvalue())
        archive.writestr("y.npy", values.getvalue())


@pytest.mark.parametrize(
    "make", [packed, os.mkfifo, os.mkdir, lambda path: path.write_bytes(b""), lambda path: path.write_bytes(b"PK" * 99)]
)
def test_what_is_no_step_of_ours_counts_as_missing(tmp_path, make):
    make(tmp_path / "a.npz")
    assert read_arrays(tmp_path / "a.npz", "key") is None


def patch(folder: Path) -> Quadruplet:
    for kind in ("s1", "s2", "s2_cloudy"):
        (folder / kind).touch()
    return Quadruplet("p", "test", 1, {kind: folder / kind for kind in ("s1", "s2", "s2_cloudy")})


@pytest.mark.parametrize("shape", [(10**6, 10**6), (2**32, 2**32), (4, -4), (16,), (0, 4)])
def test_a_mask_that_claims_more_pixels_than_it_stores_is_detected_again(tmp_path, shape):
    one = patch(tmp_path)
    content = {"shape": np.array(shape), "mask": np.zeros(2, np.uint8), "cover": np.array(0.5)}
    write_arrays(tmp_path / "p.npz", cover_key(one), content)
    with pytest.raises(InputError, match="not detected yet"):
        read_cover(one, tmp_path)
    write_arrays(tmp_path / "p.npz", cover_key(one), {**content, "shape": np.array((4, 4))})
    assert read_cover(one, tmp_path).mask.shape == (4, 4)


PAIRS = {
    "patches": [{"name": "p", "split": "test", "label": 1, "files": {"s1": "a.tif"}}],
    "remarks": [{"topic": "pairing", "count": 1, "text": "one"}],
}


@pytest.mark.parametrize(
    "content",
    [
        [],
        5,
        {},
        {**PAIRS, "patches": 5},
        {**PAIRS, "patches": [5]},
        {**PAIRS, "remarks": [{"colour": 1}]},
        {**PAIRS, "patches": [{**PAIRS["patches"][0], "files": ["a"]}]},
        {**PAIRS, "patches": [{**PAIRS["patches"][0], "files": {"s1": 5}}]},
        {**PAIRS, "patches": [{**PAIRS["patches"][0], "label": None}]},
    ],
)
def test_pairs_of_another_form_count_as_missing(tmp_path, content):
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps(PAIRS))
    assert Pairs.read(path) == Pairs(
        (Quadruplet("p", "test", 1, {"s1": Path("a.tif")}),), (Remark("pairing", 1, "one"),)
    )
    path.write_text(json.dumps(content))
    assert Pairs.read(path) is None


@pytest.mark.parametrize("facts", [[], 5, {}, {"key": "k"}, {"key": "k", "card": 5}, {"key": "k", "card": ["x"]}])
def test_a_note_about_a_training_that_says_nothing_counts_as_missing(tmp_path, facts):
    (tmp_path / "taught.json").write_text(json.dumps(facts))
    assert taught(tmp_path, "k") is None


def test_a_study_does_not_take_a_model_from_outside_its_folder(tmp_path, small_classifier):
    (tmp_path / "taught.json").write_text(json.dumps({"key": "k", "card": str(small_classifier.path)}))
    assert taught(tmp_path, "k") is None


def test_a_curve_leaves_out_the_row_that_a_kill_cut_short(tmp_path):
    (tmp_path / "log.csv").write_text("step,loss\n0,1.5\n1,1.25\n2,1.1")
    (tmp_path / "checks.csv").write_text("step,loss,macro_f1,accuracy\n1,1,0.5,0.5\n2,0.5\n")
    curve = read_curve(tmp_path)
    assert curve is not None
    assert [list(values) for values in (curve.loss, curve.checks)] == [[1.5, 1.25], [1]]
    (tmp_path / "log.csv").write_text("step,loss\na,b\n")
    with pytest.raises(InputError, match=r"log\.csv.*log of a training"):
        read_curve(tmp_path)
