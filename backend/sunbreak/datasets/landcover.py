"""Labels of a patch from its land-cover map: simplified IGBP classes by fraction of the area."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# IGBP 1..17 to the ten simplified classes; 0 is unclassified (255 and anything else too)
_SIMPLIFIED = np.zeros(256, np.uint8)
for _igbp, _simple in zip(range(1, 18), (1, 1, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 6, 8, 9, 10), strict=True):
    _SIMPLIFIED[_igbp] = _simple
CLASSES = 10
MULTILABEL_SHARE = 0.1


def simplify_igbp(landcover: NDArray[Any]) -> NDArray[np.uint8]:
    """IGBP classes 1..17 to simplified classes 1..10; unclassified pixels become 0."""
    return _SIMPLIFIED[np.clip(landcover, 0, 255).astype(np.uint8)]


def class_shares(landcover: NDArray[Any]) -> NDArray[np.float64]:
    """Fraction of each simplified class among the classified pixels of an IGBP map, (10,); zeros without any."""
    counts = np.bincount(simplify_igbp(landcover).ravel(), minlength=CLASSES + 1)[1:]
    shares: NDArray[np.float64] = counts / max(int(counts.sum()), 1)
    return shares


def single_label(landcover: NDArray[Any]) -> int | None:
    """The class (1..10) with the largest fraction after merging; None without classified pixels.

    If several classes have the largest fraction, it is the lowest of them.
    """
    shares = class_shares(landcover)
    return int(shares.argmax()) + 1 if shares.any() else None


def labels(landcover: NDArray[Any]) -> tuple[int, ...]:
    """All classes (1..10) with a fraction of at least 0.1."""
    return tuple(int(index) + 1 for index in np.flatnonzero(class_shares(landcover) >= MULTILABEL_SHARE))
