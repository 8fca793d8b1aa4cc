"""The networks of ukis-csmask: what they say equals what their ONNX files say, whatever the size of the image."""

from __future__ import annotations

import importlib.util
import json
import sys
from functools import lru_cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sunbreak.clouds import ukis_networks
from sunbreak.clouds.ukis_networks import BANDS, OVERLAP, TILE, VISIBLE_AND_NIR, UkisNetworks
from sunbreak.engine.openvino_core import openvino_core
from sunbreak.errors import InputError

FOLDER = Path(next(iter(importlib.util.find_spec("ukis_csmask").submodule_search_locations)))


@lru_cache
def compiled(name: str):
    return openvino_core().compile_model(str(FOLDER / f"{name}.onnx"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def reference(name: str, tile: np.ndarray) -> np.ndarray:
    """Class probabilities (3, row, column) of one tile from the files of the package, with nothing of Sunbreak."""
    facts = json.loads((FOLDER / f"{name}.json").read_text())["data"]
    mean, deviation = (np.array(part)[:, None, None] for part in facts["dataset_statistics"]["img"])
    logits = compiled(name)(((tile[: len(mean)] - mean) / deviation)[None].astype(np.float32))[0][0].astype(np.float64)
    powers = np.exp(logits - logits.max(axis=0))
    return powers / powers.sum(axis=0)


def log_odds(probability: np.ndarray) -> np.ndarray:
    bounded = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.log(bounded / (1 - bounded))


@pytest.fixture
def without(monkeypatch):
    """Make packages look as if they were not installed."""
    whole = importlib.util.find_spec

    def hide(*names: str) -> None:
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name, *more: None if name in names else whole(name, *more)
        )

    return hide


@pytest.mark.parametrize("level", ["L1C", "L2A"])
def test_for_one_tile_the_evidence_is_that_of_the_two_networks(demo_cells, level):
    six, four = (reference(f"model_{bands}b_{level.lower()}", demo_cells) for bands in (6, 4))
    found = UkisNetworks(level, BANDS).evidence(demo_cells)
    np.testing.assert_allclose(found.cloud, (six[1] + four[1]) / 2, atol=2e-4)
    np.testing.assert_allclose(found.clear, (six[0] + four[0]) / 2, atol=2e-4)
    neither, cloud, shadow = (log_odds(six) + log_odds(four)) / 2
    np.testing.assert_allclose(found.cloud_odds, cloud - neither, atol=0.02)
    np.testing.assert_allclose(found.shadow_odds, shadow - neither, atol=0.02)
    # there is something to tell apart
    assert 0.1 < (found.cloud_odds > 0).mean() < 0.9
    assert 0.05 < (found.shadow_odds > 0).mean() < 0.9


def test_without_swir_the_smaller_network_speaks_alone(demo_cells):
    networks = UkisNetworks("L1C", [band for band in BANDS if band != "B12"])
    assert networks.bands == VISIBLE_AND_NIR
    assert networks.label == "ukis-csmask (L1C, 4 bands)"
    found = networks.evidence(demo_cells[:4])
    np.testing.assert_allclose(found.cloud, reference("model_4b_l1c", demo_cells)[1], atol=2e-4)


def test_where_two_tiles_overlap_their_probabilities_are_blended(demo_cells):
    wide = np.concatenate([demo_cells, demo_cells[:, :, ::-1]], axis=2)[:4, :, : 2 * TILE - OVERLAP]
    left, right = (reference("model_4b_l1c", wide[:, :, start : start + TILE])[1] for start in (0, TILE - OVERLAP))
    found = UkisNetworks("L1C", VISIBLE_AND_NIR).evidence(wide).cloud
    alone = TILE - OVERLAP
    np.testing.assert_allclose(found[:, :alone], left[:, :alone], atol=2e-4)
    np.testing.assert_allclose(found[:, TILE:], right[:, OVERLAP:], atol=2e-4)
    weight = (np.arange(OVERLAP) + 0.5) / OVERLAP
    expected = (1 - weight) * left[:, alone:] + weight * right[:, :OVERLAP]
    # the least weight counts in the corners of tiles
    inner = slice(OVERLAP, TILE - OVERLAP)
    np.testing.assert_allclose(found[inner, alone:TILE], expected[inner], atol=2e-4)
    assert np.abs(found[:, alone:TILE] - expected).max() < 0.05
    assert np.abs(left[:, alone:] - right[:, :OVERLAP]).max() > 0.2


@pytest.mark.parametrize("shape", [(1, 1), (40, 30), (1, 300), (300, 2), (127, 255)])
def test_an_image_of_any_size_is_continued_by_reflection(demo_cells, shape):
    rows, columns = shape
    image = np.tile(demo_cells[:4], (1, 2, 2))[:, 5 : 5 + rows, 7 : 7 + columns]
    found = UkisNetworks("L1C", VISIBLE_AND_NIR).evidence(image)
    assert found.cloud.shape == found.shadow_odds.shape == shape
    assert np.isfinite(found.cloud_odds).all() and (found.cloud + found.clear <= 1 + 1e-5).all()
    if max(shape) <= TILE:
        above, left = (TILE - rows) // 2, (TILE - columns) // 2
        # a reflection repeats every two image sizes, forwards and backwards
        at = [np.arange(TILE) - start for start in (above, left)]
        row, column = (
            np.where(i % (2 * n) < n, i % (2 * n), 2 * n - 1 - i % (2 * n)) for i, n in zip(at, shape, strict=True)
        )
        whole = reference("model_4b_l1c", image[:, row][:, :, column])[1]
        np.testing.assert_allclose(found.cloud, whole[above : above + rows, left : left + columns], atol=2e-4)


@pytest.mark.parametrize("missing", [("ukis_csmask",), ("openvino", "onnxruntime")])
def test_what_is_not_installed_is_said_in_one_line_with_the_way_out(without, missing):
    without(*missing)
    assert not ukis_networks.available()
    for call in (lambda: UkisNetworks("L1C", BANDS), ukis_networks.version):
        with pytest.raises(InputError) as caught:
            call()
        assert caught.value.code == "no-cloud-network"
        assert caught.value.message == "The cloud networks of ukis-csmask are not installed."
        assert "pip install 'sunbreak[clouds]'" in caught.value.hint and "--mask" in caught.value.hint


def test_onnxruntime_is_not_needed_where_openvino_is(demo_cells, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    ukis_networks._network.cache_clear()
    assert UkisNetworks("L1C", VISIBLE_AND_NIR).evidence(demo_cells[:4, :9, :9]).cloud.shape == (9, 9)


def test_onnxruntime_runs_the_networks_where_openvino_is_missing(demo_cells, without, monkeypatch):
    module, opened = ModuleType("onnxruntime"), []

    class InferenceSession:
        def __init__(self, path: str, providers: list[str]) -> None:
            opened.append((Path(path).name, providers))

        def get_inputs(self):
            return [type("Input", (), {"name": "image"})]

        def run(self, outputs, inputs):
            (tile,) = inputs.values()
            assert list(inputs) == ["image"] and tile.shape == (1, 4, TILE, TILE) and tile.dtype == np.float32
            logits = np.zeros((1, 3, TILE, TILE), np.float32)
            logits[:, 1] = np.log(2)
            return [logits]

    module.InferenceSession = InferenceSession
    monkeypatch.setitem(sys.modules, "onnxruntime", module)
    module.__spec__ = ModuleSpec("onnxruntime", None)
    without("openvino")
    ukis_networks._network.cache_clear()
    found = UkisNetworks("L1C", VISIBLE_AND_NIR).evidence(demo_cells[:4])
    ukis_networks._network.cache_clear()
    assert opened == [("model_4b_l1c.onnx", ["CPUExecutionProvider"])]
    np.testing.assert_allclose(found.cloud, 0.5, atol=1e-6)
    np.testing.assert_allclose(found.clear, 0.25, atol=1e-6)


def test_a_scene_without_the_visible_or_infrared_band_is_refused():
    with pytest.raises(InputError, match="without B03, B08") as caught:
        UkisNetworks("L1C", ["B02", "B04", "B11", "B12"])
    assert caught.value.code == "no-cloud-bands"
    assert "--mask" in caught.value.hint


def test_networks_of_another_tile_size_are_refused(demo_cells, tmp_path, monkeypatch):
    facts = {"data": {"target_size": [512, 512]}}
    (tmp_path / "model_4b_l1c.json").write_text(json.dumps(facts))
    monkeypatch.setattr(ukis_networks, "_folder", lambda: tmp_path)
    ukis_networks._network.cache_clear()
    with pytest.raises(InputError, match="512") as caught:
        UkisNetworks("L1C", VISIBLE_AND_NIR).evidence(demo_cells[:4])
    assert caught.value.code == "no-cloud-network"
