"""How far a land-cover class can be trusted: seen or reconstructed, confident or unsure.

A cell is reconstructed if more than a given fraction of its evidence is. A class is confident if its probability
reaches a threshold. The two yes/no answers give the four classes of the layer `trust`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.defaults import CONFIDENT, RECONSTRUCTED
from sunbreak.errors import InputError

CLASSES = ("seen_confident", "seen_unsure", "reconstructed_confident", "reconstructed_unsure")
"""Names of the codes 1 to 4 of the layer `trust`; 0 is no data."""


@dataclass(frozen=True)
class TrustThresholds:
    """Where confident and reconstructed begin.

    Attributes:
        confident: Confidence from which a class counts as confident, 0..1.
        reconstructed: Reconstructed fraction above which a cell counts as reconstructed, 0..1.

    Raises:
        InputError: A threshold is below 0, or not below 1 (``bad-option``).
    """

    confident: float = CONFIDENT
    reconstructed: float = RECONSTRUCTED

    def __post_init__(self) -> None:
        for name, value in (("confidence", self.confident), ("reconstructed fraction", self.reconstructed)):
            if not 0 <= value < 1:
                raise InputError(
                    f"The threshold of the {name} is {value:g}.", "Give a number from 0 to 1.", code="bad-option"
                )


def trust_classes(
    known: NDArray[np.bool_],
    reconstructed: NDArray[np.float32],
    confidence: NDArray[np.float32],
    thresholds: TrustThresholds,
) -> NDArray[np.uint8]:
    """The codes of the layer `trust`, (row, column) of cells: 1 to 4 as in `CLASSES`, 0 where nothing is known.

    Args:
        known: Which cells hold data.
        reconstructed: Reconstructed fraction of each cell's evidence, 0..1.
        confidence: Probability of each cell's class, 0..1.
        thresholds: Where confident and reconstructed begin.
    """
    code = 1 + 2 * (reconstructed > thresholds.reconstructed) + (confidence < thresholds.confident)
    codes: NDArray[np.uint8] = np.where(known, code, 0).astype(np.uint8)
    return codes


def trust_fractions(fractions: NDArray[np.float64]) -> dict[str, float]:
    """Fractions of the area in the order of `CLASSES`, by their names in the result, such as ``trust_seen_unsure``."""
    return {f"trust_{name}": float(value) for name, value in zip(CLASSES, fractions, strict=True)}
