"""Boosted trees are summed as LightGBM sums them, and the bundled ones are those of the package s2cloudless."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sunbreak.clouds.boosted_trees import BoostedTrees
from sunbreak.errors import RunError
from sunbreak.resources import resource_path

ROOT = Path(__file__).resolve().parents[3]


def tool():
    spec = importlib.util.spec_from_file_location("s2cloudless_trees", ROOT / "tools" / "s2cloudless_trees.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def two_trees() -> BoostedTrees:
    """x0 <= 0.5 gives 1, else x1 <= 2 gives 10, else 20; and 100 for x1 <= 1, else 200."""
    return BoostedTrees(
        features=2,
        sizes=np.array([5, 3]),
        feature=np.array([0, -1, 1, -1, -1, 1, -1, -1], np.int8),
        threshold=np.array([0.5, 2, 1], np.float32),
        value=np.array([1.0, 10, 20, 100, 200]),
    )


def test_each_pixel_gets_the_sum_of_its_leaves():
    features = np.array([[0.5, 1], [0.5, 9], [0.6, 1], [0.6, 2], [0.6, 2.1]], np.float32)
    np.testing.assert_array_equal(two_trees().raw_scores(features), [101, 201, 110, 210, 220])


def test_a_score_of_zero_is_an_even_chance():
    even = BoostedTrees(1, np.array([1]), np.array([-1], np.int8), np.empty(0, np.float32), np.zeros(1))
    np.testing.assert_array_equal(even.probabilities(np.ones((3, 1), np.float32)), [0.5, 0.5, 0.5])


@pytest.mark.parametrize("leaves", [2, 40, 700])
def test_scores_equal_those_of_lightgbm_to_the_bit(leaves):
    lightgbm = pytest.importorskip("lightgbm")
    rng = np.random.default_rng(leaves)
    features = rng.random((3000, 4)).astype(np.float32)
    labels = (np.sin(9 * features).sum(axis=1) + rng.normal(0, 0.3, 3000) > 0.5).astype(float)
    options = {"objective": "binary", "num_leaves": leaves, "min_data_in_leaf": 1, "use_missing": False, "verbose": -1}
    booster = lightgbm.train(options, lightgbm.Dataset(features, labels), num_boost_round=7)
    module = tool()
    trees = [
        module.by_level(module.fields(tree))
        for tree in booster.model_to_string().partition("\nend of trees")[0].split("\nTree=")[1:]
    ]
    feature, threshold, value = (np.concatenate(parts) for parts in zip(*trees, strict=True))
    ours = BoostedTrees(4, np.array([len(tree[0]) for tree in trees]), feature, threshold, value)
    on_thresholds = threshold[:200, None].repeat(4, axis=1)
    asked = np.concatenate([features, on_thresholds])
    np.testing.assert_array_equal(ours.raw_scores(asked), booster.predict(asked, raw_score=True))


def test_threads_and_blocks_do_not_change_a_score(monkeypatch):
    trees = BoostedTrees.read(resource_path("detectors", "s2cloudless.npz"))
    features = np.random.default_rng(0).random((500, 10), np.float32)
    whole = trees.raw_scores(features)
    monkeypatch.setattr("sunbreak.clouds.boosted_trees._BLOCK", 60)
    for threads in ("1", "3"):
        monkeypatch.setenv("SUNBREAK_THREADS", threads)
        np.testing.assert_array_equal(trees.raw_scores(features), whole)
    assert np.ptp(whole) > 1


def test_thresholds_are_rounded_down_to_what_a_pixel_can_be():
    edge = np.float32(0.1)
    rounded = tool().rounded_down(np.array([float(edge), np.nextafter(float(edge), 0), np.nextafter(float(edge), 1)]))
    np.testing.assert_array_equal(rounded, [edge, np.nextafter(edge, np.float32(0)), edge])


def test_the_bundled_trees_are_those_of_the_package():
    pytest.importorskip("s2cloudless")
    command = [sys.executable, str(ROOT / "tools" / "s2cloudless_trees.py"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0


def test_damaged_trees_give_one_clear_error(tmp_path):
    path = tmp_path / "trees.npz"
    with pytest.raises(RunError, match=r"trees\.npz: the trees cannot be read") as caught:
        BoostedTrees.read(path)
    assert (caught.value.code, caught.value.hint) == ("damaged-installation", "Install Sunbreak again.")
    path.write_bytes(resource_path("detectors", "s2cloudless.npz").read_bytes()[:-2000])
    with pytest.raises(RunError, match="it is damaged"):
        BoostedTrees.read(path)
