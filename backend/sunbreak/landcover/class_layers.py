"""The layers of land cover from class probabilities of cells, and the sums over them: areas, confidence, trust.

Common to classifiers of patches and of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine.checkpoints import State
from sunbreak.landcover.adjusted_areas import AdjustedArea, adjust, held_out
from sunbreak.landcover.trust import TrustThresholds, trust_classes, trust_fractions
from sunbreak.models.card import ModelCard
from sunbreak.models.card_landcover import slug
from sunbreak.scene import Scene
from sunbreak.scene.georeference import pixel_size_metres


@dataclass
class ClassArea:
    """One class in the scene.

    Attributes:
        name: Its name.
        hectares: Area of its valid pixels.
        reconstructed: Fraction of this area that is based on reconstructed pixels, 0..1.
        confidence: Its mean confidence.
    """

    name: str
    hectares: float
    reconstructed: float
    confidence: float


@dataclass(frozen=True)
class Cells:
    """Rows of cells with their classes, each array (row, column) in cells.

    Attributes:
        known: Which cells hold data.
        pixels: Valid pixels of each cell.
        chosen: Index of the most probable class.
        confidence: Its probability.
        entropy: Entropy of the probabilities, see `entropy_of`.
        evidence: (1 or 2, row, column): what the class rests on, see `sunbreak.layers.roles.landcover_evidence`.
        reconstructed: Its reconstructed fraction; 0 where none is read.
        probabilities: (class, row, column), where they are a layer.
        before: Index of the class of the cloudy scene, if it is compared.
    """

    known: NDArray[np.bool_]
    pixels: NDArray[np.int64]
    chosen: NDArray[np.int64]
    confidence: NDArray[np.float32]
    entropy: NDArray[np.float32]
    evidence: NDArray[np.float32]
    reconstructed: NDArray[np.float32]
    probabilities: NDArray[np.float32] | None = None
    before: NDArray[np.int64] | None = None


@dataclass
class _Sums:
    """Sums over the cells so far, by class: valid pixels, also weighted by reconstructed fraction and by confidence."""

    pixels: NDArray[np.float64]
    reconstructed: NDArray[np.float64]
    confidence: NDArray[np.float64]
    trust: NDArray[np.float64] = field(default_factory=lambda: np.zeros(4))
    changed: float = 0.0


class ClassLayers:
    """Makes the layers, row by row, and sums over them.

    Args:
        scene: What is classified.
        card: The classifier's card.
        thresholds: Thresholds of the layer `trust`; None omits the layer.
        shares: Whether the reconstructed fraction is known.
        compares: Whether the cloudy scene is classified too.

    Raises:
        ModelError: The card has a confusion matrix that is none.
    """

    def __init__(
        self, scene: Scene, card: ModelCard, thresholds: TrustThresholds | None, *, shares: bool, compares: bool
    ) -> None:
        self.card, self.thresholds = card, thresholds
        self.classes = len(card.classes)
        self.held_out = held_out(card)
        self._shares, self._compares = shares, compares
        width, height = pixel_size_metres(scene.grid)
        self._hectares = width * height / 1e4
        self._sums = _Sums(np.zeros(self.classes), np.zeros(self.classes), np.zeros(self.classes))

    def layers(self, cells: Cells) -> dict[str, NDArray[Any]]:
        """The layers of some rows by role, unknown cells as nodata; the arrays of `cells` may be overwritten."""
        known, unknown = cells.known, ~cells.known
        layers: dict[str, NDArray[Any]] = {
            "landcover": np.where(known, cells.chosen + 1, 0).astype(np.uint8)[None],
            "landcover_entropy": cells.entropy[None],
            "landcover_evidence": cells.evidence,
            "landcover_confidence": cells.confidence[None],
        }
        if cells.probabilities is not None:
            layers["landcover_probabilities"] = cells.probabilities
        for role, values in layers.items():
            if role != "landcover":
                values[:, unknown] = np.nan
        self._count(cells)
        if self.thresholds is not None:
            codes = trust_classes(known, cells.reconstructed, cells.confidence, self.thresholds)
            self._sums.trust += np.bincount(codes.ravel(), np.where(known, cells.pixels, 0).ravel(), 5)[1:]
            layers["trust"] = codes[None]
        if cells.before is not None:
            changed = known & (cells.before != cells.chosen)
            self._sums.changed += float(cells.pixels[changed].sum())
            layers["landcover_cloudy_vs_cleaned"] = np.where(known, 1 + changed, 0).astype(np.uint8)[None]
        return layers

    def _count(self, cells: Cells) -> None:
        index, pixels = cells.chosen.ravel(), np.where(cells.known, cells.pixels, 0)
        for total, weight in (
            (self._sums.pixels, pixels),
            (self._sums.reconstructed, pixels * np.nan_to_num(cells.reconstructed)),
            (self._sums.confidence, pixels * np.nan_to_num(cells.confidence)),
        ):
            total += np.bincount(index, weight.ravel(), self.classes)

    def state(self) -> State:
        """See `sunbreak.engine.checkpoints.Resumable`."""
        return {name: np.array(value) for name, value in vars(self._sums).items()}

    def restore(self, state: State) -> None:
        """See `sunbreak.engine.checkpoints.Resumable`."""
        pixels, reconstructed, confidence, trust = (
            state[name].copy() for name in ("pixels", "reconstructed", "confidence", "trust")
        )
        self._sums = _Sums(pixels, reconstructed, confidence, trust, float(state["changed"]))

    def areas(self) -> list[ClassArea]:
        """The classes that occur, largest first."""
        sums = self._sums
        areas = [
            ClassArea(
                kind.name,
                float(sums.pixels[i]) * self._hectares,
                float(sums.reconstructed[i] / sums.pixels[i]),
                float(sums.confidence[i] / sums.pixels[i]),
            )
            for i, kind in enumerate(self.card.classes)
            if sums.pixels[i]
        ]
        return sorted(areas, key=lambda area: -area.hectares)

    def adjusted(self) -> list[AdjustedArea]:
        """The areas adjusted for classification error, largest first; none where the card holds no confusion."""
        return adjust(self.card, self.held_out, self._sums.pixels * self._hectares) if self.held_out else []

    def numbers(self) -> dict[str, float]:
        """Mean confidence, shares of the valid pixels, and hectares per class, also adjusted where that is possible.

        ``adjusted_hectares_<class>`` and half of their 95 % interval, ``adjusted_hectares_<class>_ci95``.
        """
        sums = self._sums
        total = max(float(sums.pixels.sum()), 1.0)
        numbers = {"mean_confidence": float(sums.confidence.sum()) / total}
        if self._shares:
            numbers["reconstructed_evidence"] = float(sums.reconstructed.sum()) / total
        if self._compares:
            numbers["changed_share"] = sums.changed / total
        if self.thresholds is not None:
            numbers |= trust_fractions(sums.trust / total)
        numbers |= {f"hectares_{slug(area.name)}": area.hectares for area in self.areas()}
        for area in self.adjusted():
            name = f"adjusted_hectares_{slug(area.name)}"
            numbers |= {name: area.hectares, f"{name}_ci95": area.half_width}
        return numbers


def entropy_of(probabilities: NDArray[np.float32], axis: int = 0, *, multi_label: bool = False) -> NDArray[np.float32]:
    """Entropy divided by its maximum, 0..1; for several labels, the mean of their binary entropies.

    Args:
        probabilities: The classes along `axis`.
        axis: Which axis.
        multi_label: Whether several labels are possible.
    """
    p = np.clip(probabilities, 1e-7, 1)
    if multi_label:
        q = np.clip(1 - probabilities, 1e-7, 1)
        entropy: NDArray[np.float32] = -(p * np.log(p) + q * np.log(q)).mean(axis=axis) / np.float32(np.log(2))
    else:
        entropy = -(p * np.log(p)).sum(axis=axis) / np.float32(np.log(probabilities.shape[axis]))
    return np.clip(entropy, 0, 1)
