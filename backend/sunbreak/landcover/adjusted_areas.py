"""Areas of classes adjusted for classification error, by the confusion among held-out pixels that a card holds.

See `sunbreak.metrics.area_adjustment`. The adjustment takes the errors in the scene to be those among the held-out
pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import ModelError
from sunbreak.metrics.area_adjustment import adjusted_areas
from sunbreak.models.card import ModelCard
from sunbreak.models.card_landcover import is_per_pixel

_FIGURE = "confusion"


@dataclass(frozen=True)
class HeldOut:
    """What a card says of the classifier's errors.

    Attributes:
        data: The data that they were measured on.
        confusion: Counts of pixels, (label, prediction).
    """

    data: str
    confusion: NDArray[np.float64]


@dataclass(frozen=True)
class AdjustedArea:
    """The area of one class.

    Attributes:
        name: The class.
        mapped: Hectares on the map.
        hectares: The same, adjusted for classification error.
        half_width: Half of the 95 % confidence interval, in hectares.
    """

    name: str
    mapped: float
    hectares: float
    half_width: float


def held_out(card: ModelCard) -> HeldOut | None:
    """The confusion among held-out pixels, of the first group of metrics that has one; None for patch classifiers.

    Raises:
        ModelError: It is no square of counts for the card's classes (``bad-card``).
    """
    if not is_per_pixel(card):
        return None
    for group in card.metrics:
        figures = group.get("figures")
        if isinstance(figures, Mapping) and _FIGURE in figures:
            return HeldOut(str(group.get("data", "")), _counts(figures[_FIGURE], card))
    return None


def adjust(card: ModelCard, found: HeldOut, mapped: NDArray[np.float64]) -> list[AdjustedArea]:
    """The adjusted areas, largest first; none where too few held-out pixels were predicted as a mapped class.

    Args:
        card: The classifier's card.
        found: Its errors.
        mapped: Hectares of each class on the map, (class,).
    """
    areas = adjusted_areas(found.confusion, mapped)
    if areas is None:
        return []
    numbers = zip(mapped.tolist(), areas.area.tolist(), areas.half_width.tolist(), strict=True)
    named = [AdjustedArea(kind.name, *three) for kind, three in zip(card.classes, numbers, strict=True)]
    return sorted((area for area in named if area.hectares > 0), key=lambda area: -area.hectares)


def _counts(values: Any, card: ModelCard) -> NDArray[np.float64]:
    size = len(card.classes)
    try:
        counts = np.array(values, np.float64)
    except (TypeError, ValueError):
        counts = np.empty(0)
    if counts.shape != (size, size) or not (np.isfinite(counts) & (counts >= 0)).all():
        raise ModelError(
            f"The card of {card.name} has a confusion matrix that is no {size} x {size} counts.",
            "Correct the card, or remove the matrix.",
            code="bad-card",
        )
    return counts
