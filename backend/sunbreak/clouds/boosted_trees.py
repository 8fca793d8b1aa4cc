"""Evaluation of gradient-boosted decision trees (Friedman 2001), many pixels at a time.

The sum is that of LightGBM to the last bit: the trees are added in their order, in double precision. Each step sends
all pixels one level down, so that the work is done by a few NumPy calls on long arrays. `tools/s2cloudless_trees.py`
writes the trees.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sunbreak.array_files import DamagedArrays, read_arrays
from sunbreak.engine.threads import compute_threads
from sunbreak.errors import RunError

Index = NDArray[np.intp]

# A block's arrays stay in the cache of a core. More pixels do not get faster, fewer feel the cost of each call.
_BLOCK = 16_384
_LEAVES_FROM = 5  # no pixel is at a leaf before this level, or hardly any
_MOVING = 0.8  # pixels at leaves are left out when they are more than the rest of this share


@dataclass(frozen=True)
class _Tree:
    """One tree. The children of a node are neighbours; a leaf is its own child.

    Attributes:
        feature: What each node compares, (node,).
        threshold: Pixels above it go to the second child, (node,) float32, infinite at leaves.
        first: The first child, (node,).
        value: What a leaf adds, (node,) float64.
    """

    feature: Index
    threshold: NDArray[np.float32]
    first: Index
    value: NDArray[np.float64]

    def leaves(self, features: NDArray[np.float32]) -> Index:
        """The leaf that each pixel reaches, (pixel,); `features` is (feature, pixel), contiguous."""
        count = features.shape[1]
        flat, start = features.ravel(), self.feature * count
        moving: Index = np.arange(count)
        leaf = np.empty(count, np.intp)
        # indices are right by construction: "clip" spares a copy that the check for wrong ones makes
        at = self.first[0] + (features[self.feature[0]] > self.threshold[0])
        level = 1
        while True:
            child = self.first.take(at, mode="clip")
            if level >= _LEAVES_FROM:
                inner = np.flatnonzero(child != at)
                if len(inner) < _MOVING * len(at):
                    leaf[moving] = at
                    if not len(inner):
                        return leaf
                    moving, at, child = moving.take(inner), at.take(inner), child.take(inner)
            compared = flat.take(start.take(at, mode="clip") + moving, mode="clip")
            at = child + (compared > self.threshold.take(at, mode="clip"))
            level += 1


class BoostedTrees:
    """Gradient-boosted trees over features in single precision.

    Args:
        features: Number of features.
        sizes: Number of nodes of each tree, (tree,).
        feature: The feature that each node compares, -1 for a leaf, (node,). Within a tree the nodes are in the order
            of their levels, and the two children of a node are neighbours.
        threshold: Where each inner node divides: values up to it go to the first child, (inner node,) float32.
        value: What each leaf adds, (leaf,) float64.
    """

    def __init__(
        self,
        features: int,
        sizes: NDArray[np.int64],
        feature: NDArray[np.int8],
        threshold: NDArray[np.float32],
        value: NDArray[np.float64],
    ) -> None:
        self.features = features
        self._trees = list(_trees(sizes, feature, threshold, value))

    @classmethod
    def read(cls, path: Path) -> BoostedTrees:
        """The trees of a file that `tools/s2cloudless_trees.py` wrote.

        Raises:
            RunError: The file is missing or damaged (``damaged-installation``).
        """
        try:
            with path.open("rb") as file:
                stored = read_arrays(file)
            return cls(
                int(stored["features"]), stored["sizes"], stored["feature"], stored["threshold"], stored["value"]
            )
        except (OSError, DamagedArrays, KeyError) as error:
            raise RunError(
                f"{path}: the trees cannot be read: {error}", "Install Sunbreak again.", code="damaged-installation"
            ) from error

    def raw_scores(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """The sum over all trees; for a classifier of two classes the log-odds.

        Args:
            features: (pixel, feature) float32, finite.

        Returns:
            (pixel,) float64. It does not depend on the number of threads.
        """
        scores = np.zeros(len(features))
        starts = range(0, len(features), _BLOCK)

        def score(start: int) -> None:
            block = np.ascontiguousarray(features[start : start + _BLOCK].T, np.float32)
            total = scores[start : start + _BLOCK]
            for tree in self._trees:
                total += tree.value.take(tree.leaves(block), mode="clip")

        threads = min(compute_threads() or os.cpu_count() or 1, len(starts))
        if threads < 2:
            for start in starts:
                score(start)
            return scores
        with ThreadPoolExecutor(threads) as pool:  # NumPy holds the interpreter's lock for a small part of the time
            list(pool.map(score, starts))
        return scores

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """The logistic function of `raw_scores`: the probability of the second of two classes, (pixel,) float64."""
        probability: NDArray[np.float64] = 1 / (1 + np.exp(-self.raw_scores(features)))
        return probability


def _trees(
    sizes: NDArray[np.int64], feature: NDArray[np.int8], threshold: NDArray[np.float32], value: NDArray[np.float64]
) -> Iterator[_Tree]:
    inner_done = leaves_done = done = 0
    for size in sizes.tolist():
        compared = feature[done : done + size].astype(np.intp)
        inner = np.flatnonzero(compared >= 0)
        leaf = np.flatnonzero(compared < 0)
        first, above, adds = np.arange(size), np.full(size, np.inf, np.float32), np.zeros(size)
        first[inner] = 1 + 2 * np.arange(len(inner))
        above[inner] = threshold[inner_done : inner_done + len(inner)]
        adds[leaf] = value[leaves_done : leaves_done + len(leaf)]
        yield _Tree(np.maximum(compared, 0), above, first, adds)
        done, inner_done, leaves_done = done + size, inner_done + len(inner), leaves_done + len(leaf)
