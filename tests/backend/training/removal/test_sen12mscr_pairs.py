"""Pairs on disk: read when they are drawn, masks are cached, and unreadable pairs are replaced."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sunbreak.datasets.sen12mscr import find_pairs
from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.training.removal import data_folders, samples
from sunbreak.training.removal.data_folders import gather_pairs
from sunbreak.training.removal.network_batches import Draws
from sunbreak.training.removal.samples import with_masks
from sunbreak.training.removal.sen12mscr_pairs import StoredPairs, real_samples


class Listening(Reporter):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def message(self, text, level="info"):
        self.said.append(text)


@pytest.fixture
def folder(tmp_path, write_raster, cloudy_dn, radar_db):
    """Two training scenes, one validation scene and one test scene; one patch each, scene 9 has six."""
    for scene, patches in ((9, 6), (8, 1), (17, 1), (106, 1)):
        for patch in range(30, 30 + patches):
            base, cloud = "ROIs1158_spring", (slice(5, 20), slice(8, 24))
            seed = scene * 100 + patch
            for kind, values in (
                ("s1", radar_db(32, 32, seed)),
                ("s2", cloudy_dn(32, 32, seed=seed)),
                ("s2_cloudy", cloudy_dn(32, 32, cloud, seed=seed)),
            ):
                write_raster(f"cr/{base}_{kind}/{kind}_{scene}/{base}_{kind}_{scene}_p{patch}.tif", values)
    return tmp_path / "cr"


def cut_short(folder, scene, patch):
    """Truncate the pixels of a cloudy image, but not its header."""
    path = folder / f"ROIs1158_spring_s2_cloudy/s2_cloudy_{scene}/ROIs1158_spring_s2_cloudy_{scene}_p{patch}.tif"
    path.write_bytes(path.read_bytes()[:2000])
    return path


def test_stored_pairs_equal_direct_reads_and_have_cleaning_masks(folder, tmp_path):
    stored = StoredPairs(find_pairs(folder).patches, tmp_path / "masks")
    at_once = with_masks(real_samples(folder), workers=1)
    assert len(stored) == len(at_once) == 9
    for lazy, eager in zip(stored, at_once, strict=True):
        assert lazy.name == eager.name
        for part in ("s1", "clear", "cloudy", "hidden"):
            np.testing.assert_array_equal(getattr(lazy, part), getattr(eager, part))
    assert stored[0].hidden.any() and not stored[0].hidden.all()


def test_pairs_mark_what_is_opaque_inside_of_what_is_hidden(folder, tmp_path):
    patches = find_pairs(folder).patches
    first = StoredPairs(patches, tmp_path / "masks", opaque=True)[0]
    again = StoredPairs(patches, tmp_path / "masks", opaque=True)[0]
    (at_once,) = with_masks(real_samples(folder)[:1], workers=1, opaque=True)
    for sample in (first, again):
        np.testing.assert_array_equal(sample.hidden, at_once.hidden)
        np.testing.assert_array_equal(sample.opaque, at_once.opaque)
    assert first.opaque.any()
    assert not (first.opaque & ~first.hidden).any()


def test_a_pair_whose_ground_changed_is_left_out_and_said(folder, tmp_path, write_raster):
    snow = np.full((13, 32, 32), 7000, np.uint16)
    write_raster("cr/ROIs1158_spring_s2/s2_8/ROIs1158_spring_s2_8_p30.tif", snow)
    heard = Listening()
    pairs = gather_pairs([folder], tmp_path / "work", heard, opaque=True)
    assert not any("spring_8_" in sample.name for sample in pairs.learnt)
    assert len(pairs.learnt) == 8
    assert "sen12ms-cr 1158_spring_8_p30" not in pairs.facts["real_pairs"]
    assert any("spring_8_p30: the ground differs" in text for text in heard.said)
    assert len(gather_pairs([folder], tmp_path / "work", Listening()).learnt) == 9


def test_the_cache_stays_within_its_limit_and_draws_are_equal(folder, tmp_path):
    patches = find_pairs(folder).patches
    one = StoredPairs(patches, tmp_path / "masks")[0]
    size = StoredPairs(patches).size(one)
    small = StoredPairs(patches, tmp_path / "masks", kept_bytes=2 * size)
    large = StoredPairs(patches, tmp_path / "masks")
    prior = tuple([0.2] * 13)
    for number in range(6):
        batches = [Draws([(1.0, stored)], 1, prior=prior).batch(number, 4, 16) for stored in (small, large)]
        np.testing.assert_array_equal(batches[0].x, batches[1].x)
    assert len(small._kept) == 2 and small._held <= 2 * size
    assert len(large._kept) > 2


def test_masks_are_cached_and_computed_again_for_a_changed_image(
    folder, tmp_path, monkeypatch, write_raster, cloudy_dn
):
    found = []
    find = samples.hidden_by_clouds
    monkeypatch.setattr(samples, "hidden_by_clouds", lambda image: found.append(1) or find(image))
    patches = find_pairs(folder).patches
    first = StoredPairs(patches, tmp_path / "masks").read(0)
    again = StoredPairs(patches, tmp_path / "masks").read(0)
    assert len(found) == 1
    np.testing.assert_array_equal(first.hidden, again.hidden)
    path = patches[0].files["s2_cloudy"]
    write_raster(str(path.relative_to(tmp_path)), cloudy_dn(32, 32, seed=77))
    assert not StoredPairs(patches, tmp_path / "masks").read(0).hidden.any()
    assert len(found) == 2
    # an incomplete mask file of a killed run is computed again
    kept = next((tmp_path / "masks").rglob("*.npz"))
    kept.write_bytes(kept.read_bytes()[:40])
    StoredPairs(patches, tmp_path / "masks").read(0)
    assert len(found) == 3


def test_an_unreadable_pair_is_named_once_and_replaced_by_the_next(folder):
    patches = find_pairs(folder).patches
    broken = cut_short(folder, patches[2].place.scene, patches[2].place.patch)
    said = []
    stored = StoredPairs(patches, say=said.append)
    assert stored[2].name == stored[3].name == stored[2].name
    assert len(said) == 1 and str(broken) in said[0] and said[0].endswith("It is left out.")
    with pytest.raises(InputError, match="cannot be read"):
        stored.read(2)
    with pytest.raises(IndexError):
        stored[len(stored)]
    assert [sample.name for sample in stored[:2]] == [stored[0].name, stored[1].name]
    assert len(real_samples(folder)) == 8


def test_a_data_set_without_readable_pairs_is_refused(folder):
    patches = find_pairs(folder, ["1158_spring_17_p30"]).patches[:2]
    for patch in patches:
        cut_short(folder, patch.place.scene, patch.place.patch)
    with pytest.raises(InputError, match="None of 2 samples can be read"):
        StoredPairs(patches)[1]


def test_radar_that_is_nan_everywhere_counts_as_missing(folder, write_raster):
    name = "cr/ROIs1158_spring_s1/s1_8/ROIs1158_spring_s1_8_p30.tif"
    write_raster(name, np.full((2, 32, 32), np.nan, np.float32))
    (sample,) = [one for one in real_samples(folder) if one.name.endswith("spring_8_p30")]
    assert sample.s1 is None


def test_the_official_split_holds_out_validation_and_excludes_test(folder, tmp_path):
    listening = Listening()
    found = gather_pairs([folder], tmp_path, listening, splits="official")
    assert {sample.name.split("_")[2] for sample in found.learnt} == {"8", "9"}
    assert [sample.name for sample in found.held_out] == ["sen12ms-cr 1158_spring_17_p30"]
    assert found.facts["split"] == "official: 7 training, 1 validation patches, 1 test left out"
    assert all(sample.hidden is not None for sample in [*found.learnt, *found.held_out])
    with pytest.raises(InputError, match="validation scene of the split 'glf-cr'"):
        gather_pairs([folder], tmp_path, listening, splits="glf-cr")


def test_a_warning_names_test_scenes_without_a_split(folder, tmp_path):
    listening = Listening()
    found = gather_pairs([folder], tmp_path, listening, hold_out=["1158_spring_9_p31"], masked=False)
    assert len(found.learnt) == 8
    assert [sample.name for sample in found.held_out] == ["sen12ms-cr 1158_spring_9_p31"]
    assert any("--split official leaves them out" in text for text in listening.said)


def test_a_large_data_set_stays_on_disk(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(data_folders, "_IN_MEMORY", 4)
    listening = Listening()
    found = gather_pairs([folder], tmp_path, listening, splits="official")
    assert isinstance(found.learnt, StoredPairs)
    assert not found.learnt._kept
    assert found.facts["real_pairs"] == "7 of SEN12MS-CR"
    assert any("are read from disk when they are drawn" in text for text in listening.said)
    monkeypatch.setattr(data_folders, "_TRANSPLANT_FROM", 3)
    moved = data_folders.transplants([], found.learnt, 1, 1)
    assert len(moved) == 3
    assert replace(moved[0], hidden=None).hidden is None
