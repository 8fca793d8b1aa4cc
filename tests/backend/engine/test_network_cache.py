"""The cache of converted networks tells models apart by everything that goes into them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sunbreak import __version__
from sunbreak.engine import network_cache
from sunbreak.engine.network_cache import cache_folder
from sunbreak.engine.openvino_core import openvino_core
from sunbreak.engine.openvino_runtime import OpenVinoRuntime
from sunbreak.engine.runtime import make_runtime
from sunbreak.errors import ModelError
from sunbreak.jobs.runtimes import Runtimes
from sunbreak.models.importing import save_uncrtaints
from sunbreak.models.registry import ModelFiles, find_model
from sunbreak.models.uncrtaints import UnCRtainTS
from sunbreak.models.uncrtaints_config import UnCRtainTSConfig


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SUNBREAK_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def unconverted(small_classifier) -> ModelFiles:
    """The classifier as if nobody had converted it beforehand, so that the cache is used."""
    return replace(small_classifier, card=replace(small_classifier.card, converted=None))


@pytest.fixture(scope="module")
def filled(unconverted, tmp_path_factory) -> Path:
    """A cache that holds this network; not to be changed."""
    folder = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUNBREAK_CACHE", str(folder))
        OpenVinoRuntime.for_model(unconverted)
    return folder


@pytest.fixture
def network(filled, own_cache) -> Path:
    """The stored network in a copy of that cache, which is the cache of this test."""
    shutil.copytree(filled, cache_folder())
    (path,) = cache_folder().glob("*.xml")
    return path


def beside(files: ModelFiles, folder, **changes) -> ModelFiles:
    """A model with the same weights and another card."""
    folder.mkdir()
    card = replace(files.card, **changes)
    shutil.copy(files.weights, folder / f"{card.name}.safetensors")
    return find_model(str(card.write(folder)))


def outputs(runtime, channels: int = 10) -> np.ndarray:
    runtime.submit({"x": np.random.default_rng(1).normal(size=(1, channels, 64, 64)).astype(np.float32)})
    return runtime.collect()[0].copy()


@pytest.mark.parametrize("name", ["torch", "openvino"])
def test_a_card_that_shares_the_weights_does_not_change_the_other_model(unconverted, tmp_path, name):
    first = outputs(make_runtime(unconverted, "cpu", name))
    flat = outputs(make_runtime(beside(unconverted, tmp_path / "flat", temperature=(50.0,)), "cpu", name))
    several = outputs(make_runtime(beside(unconverted, tmp_path / "several", multi_label=True), "cpu", name))
    again = outputs(make_runtime(unconverted, "cpu", name))
    np.testing.assert_array_equal(again, first)
    assert np.ptp(flat) < np.ptp(first) / 10  # nearly the same probability for all ten classes
    assert abs(several.sum() - 1) > 0.1  # sigmoids do not add up to 1


@pytest.mark.parametrize(
    "changes",
    [{"overlap": 32}, {"tile": 128}, {"temperature": ()}, {"arguments": {"depth": 18}}, {"title": "Another"}],
    ids=lambda changes: next(iter(changes)),
)
def test_every_field_of_a_card_counts(small_classifier, changes):
    assert replace(small_classifier.card, **changes).digest != small_classifier.card.digest


def test_a_card_as_read_has_the_digest_of_the_one_that_was_written(small_classifier):
    assert find_model(str(small_classifier.path)).card.digest == small_classifier.card.digest


def test_runtimes_that_are_kept_between_jobs_are_told_apart_too(small_classifier, tmp_path):
    runtimes = Runtimes()
    other = beside(small_classifier, tmp_path / "flat", temperature=(50.0,))
    ours = runtimes.load(small_classifier, "cpu", "torch")
    assert runtimes.load(other, "cpu", "torch") is not ours
    assert runtimes.load(small_classifier, "cpu", "torch") is ours


def test_another_version_of_the_program_converts_anew(unconverted, network, monkeypatch):
    monkeypatch.setattr(network_cache, "__version__", __version__ + ".next")
    OpenVinoRuntime.for_model(unconverted)
    assert len(list(cache_folder().glob("*.xml"))) == 2


def test_a_stored_network_is_read_and_not_converted_again(unconverted, network):
    written = network.stat().st_mtime_ns
    OpenVinoRuntime.for_model(unconverted)
    assert network.stat().st_mtime_ns == written


@pytest.mark.parametrize("suffix", [".bin", ".xml", ".sha256"])
def test_a_stored_network_that_was_changed_or_cut_is_not_used(network, suffix):
    core, path = openvino_core(), network.with_suffix(suffix)
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], bytes(len(whole))):
        path.write_bytes(damaged)
        assert network_cache.stored(core, network) is None
    path.write_bytes(whole)
    assert network_cache.stored(core, network) is not None


def test_a_network_that_is_not_used_is_converted_anew(unconverted, network):
    first = outputs(OpenVinoRuntime.for_model(unconverted))
    for path in (network.with_suffix(".bin"), network):
        path.write_bytes(path.read_bytes()[:-1])
        damaged = path.read_bytes()
        np.testing.assert_array_equal(outputs(OpenVinoRuntime.for_model(unconverted)), first)
        assert path.read_bytes() != damaged


def test_without_a_writable_cache_the_network_is_that_of_later_runs_to_the_bit(
    unconverted, network, tmp_path, monkeypatch
):
    stored = outputs(OpenVinoRuntime.for_model(unconverted))
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("SUNBREAK_CACHE", str(tmp_path / "file" / "cache"))
    np.testing.assert_array_equal(outputs(OpenVinoRuntime.for_model(unconverted)), stored)
    assert (tmp_path / "file").read_text() == "no folder"


def test_a_network_that_openvino_cannot_compile_is_refused_and_runs_in_torch(tmp_path):
    """OpenVINO 2026.4 ends the process while it compiles this width for tiles of 32 pixels."""
    torch.manual_seed(1)
    module = UnCRtainTS(UnCRtainTSConfig(width=16, depth=1)).eval()
    facts = {"title": "t", "description": "d", "licence": "CC0-1.0", "tile": 32, "overlap": 8}
    files = save_uncrtaints(module, "narrow", tmp_path, **facts)
    try:
        runtime = make_runtime(files, "cpu", "openvino")
    except ModelError as error:
        refused = error
    else:
        pytest.skip(f"{runtime.label} compiles it")
    assert "narrow.json: OpenVINO cannot compile" in str(refused)
    assert not list(cache_folder().glob("*.xml"))
    assert make_runtime(files, "cpu").label.startswith("torch")
