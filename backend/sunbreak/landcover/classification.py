"""Land-cover classification of a scene: the probabilities of sliding patches are blended onto a grid of cells.

The class of a cell comes from the patches around it, weighted by the distance of the cell from their centres. Further
layers are the probability of the class, the entropy, and the evidence: the fraction of the patches with data, and the
fraction that was reconstructed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine import Inputs, Planes, Runtime
from sunbreak.engine.checkpoints import State
from sunbreak.engine.network_values import bad_output
from sunbreak.landcover.sliding_window import CleanedRows, Patches, RowSource, cell_size, check_stride, default_stride
from sunbreak.landcover.trust import TrustThresholds, trust_classes, trust_fractions
from sunbreak.models.card import ModelCard
from sunbreak.models.card_landcover import slug
from sunbreak.scene import Scene
from sunbreak.scene.georeference import pixel_size_metres

_VALID, _RECONSTRUCTED = 0, 1


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


@dataclass
class _Sums:
    """Sums over the cells so far, by class: valid pixels, also weighted by reconstructed fraction and by confidence."""

    pixels: NDArray[np.float64]
    reconstructed: NDArray[np.float64]
    confidence: NDArray[np.float64]
    trust: NDArray[np.float64] = field(default_factory=lambda: np.zeros(4))
    changed: float = 0.0


class LandCover(Patches):
    """The task: class, confidence, entropy, probabilities and evidence of each cell.

    Args:
        scene: What to classify.
        card: The classifier's card.
        stride: Pixels from one patch to the next; the card's if not given.
        cleaned: Classify this version of the scene.
        share: Reads the reconstructed fraction of rows, if the scene itself is a cleaned one.
        compare: Also classify the original scene, and map where the class differs.
        thresholds: Thresholds of the layer `trust`; None omits the layer.

    Raises:
        InputError: The scene lacks a band or the radar that the model needs, or the stride is invalid.
    """

    unit = "patches"

    def __init__(
        self,
        scene: Scene,
        card: ModelCard,
        stride: int | None = None,
        *,
        cleaned: CleanedRows | None = None,
        share: RowSource | None = None,
        compare: bool = False,
        thresholds: TrustThresholds | None = None,
    ) -> None:
        stride = stride if stride is not None else default_stride(card)
        check_stride(stride, card)
        cell = cell_size(card.tile, stride)
        super().__init__(scene, card, stride, cell, cleaned=cleaned, share=share, compare=compare)
        self.stride, self.thresholds = stride, thresholds
        self.classes = len(card.classes)
        self.channels = self.classes * (2 if compare else 1) + 2
        width, height = pixel_size_metres(scene.grid)
        self._hectares = width * height / 1e4
        self._sums = _Sums(np.zeros(self.classes), np.zeros(self.classes), np.zeros(self.classes))

    def decode(self, outputs: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
        """See `sunbreak.engine.TileTask`: probabilities and evidence of each patch, equal for all its cells."""
        values = np.concatenate([*outputs, self.take_evidence()], axis=1)
        return values[:, :, None, None]

    def compose(
        self, row: int, planes: Planes, values: NDArray[np.float32], covered: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        """See `sunbreak.engine.TileTask`."""
        if not np.isfinite(values.sum()):  # a sum is finite only if all its terms are
            raise bad_output(f"The model {self.card.name}", "probabilities that are not finite")
        pixels = self.known_pixels(planes["valid"])
        known = covered & (pixels > 0)
        unknown = ~known
        probabilities = values[: self.classes].copy()
        evidence = values[-2:].copy()
        chosen = probabilities.argmax(axis=0)
        confidence = probabilities.max(axis=0)
        layers: dict[str, NDArray[Any]] = {
            "landcover": np.where(known, chosen + 1, 0).astype(np.uint8)[None],
            "landcover_entropy": self._entropy(probabilities)[None],
            "landcover_evidence": evidence if self.share is not None else evidence[:1],
            "landcover_probabilities": probabilities,
            "landcover_confidence": confidence[None],
        }
        for role in ("entropy", "evidence", "probabilities", "confidence"):
            layers[f"landcover_{role}"][:, unknown] = np.nan
        self._count(chosen, np.where(known, pixels, 0), evidence[_RECONSTRUCTED], confidence)
        if self.thresholds is not None:
            layers["trust"] = self._trust(self.thresholds, known, pixels, evidence[_RECONSTRUCTED], confidence)
        if self.compare:
            before = values[self.classes : 2 * self.classes].argmax(axis=0)
            changed = known & (before != chosen)
            self._sums.changed += float(pixels[changed].sum())
            layers["landcover_cloudy_vs_cleaned"] = np.where(known, 1 + changed, 0).astype(np.uint8)[None]
        return layers

    def _entropy(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Entropy divided by its maximum, 0..1; for several labels, the mean of their binary entropies."""
        p = np.clip(probabilities, 1e-7, 1)
        if self.card.multi_label:
            q = np.clip(1 - probabilities, 1e-7, 1)
            entropy: NDArray[np.float32] = -(p * np.log(p) + q * np.log(q)).mean(axis=0) / np.float32(np.log(2))
        else:
            entropy = -(p * np.log(p)).sum(axis=0) / np.float32(np.log(self.classes))
        return np.clip(entropy, 0, 1)

    def _count(
        self,
        chosen: NDArray[np.int64],
        pixels: NDArray[np.int64],
        reconstructed: NDArray[np.float32],
        confidence: NDArray[np.float32],
    ) -> None:
        index = chosen.ravel()
        for total, weight in (
            (self._sums.pixels, pixels),
            (self._sums.reconstructed, pixels * np.nan_to_num(reconstructed)),
            (self._sums.confidence, pixels * np.nan_to_num(confidence)),
        ):
            total += np.bincount(index, weight.ravel(), self.classes)

    def _trust(
        self,
        thresholds: TrustThresholds,
        known: NDArray[np.bool_],
        pixels: NDArray[np.int64],
        reconstructed: NDArray[np.float32],
        confidence: NDArray[np.float32],
    ) -> NDArray[np.uint8]:
        codes = trust_classes(known, reconstructed, confidence, thresholds)
        self._sums.trust += np.bincount(codes.ravel(), np.where(known, pixels, 0).ravel(), 5)[1:]
        return codes[None]

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

    def numbers(self) -> dict[str, float]:
        """Mean confidence, shares of the valid pixels, and hectares per class."""
        sums = self._sums
        total = max(float(sums.pixels.sum()), 1.0)
        numbers = {"mean_confidence": float(sums.confidence.sum()) / total}
        if self.share is not None:
            numbers["reconstructed_evidence"] = float(sums.reconstructed.sum()) / total
        if self.compare:
            numbers["changed_share"] = sums.changed / total
        if self.thresholds is not None:
            numbers |= trust_fractions(sums.trust / total)
        return numbers | {f"hectares_{slug(area.name)}": area.hectares for area in self.areas()}


class PairRuntime:
    """Runs a classifier on patches of two versions of a scene; equal patches are computed once.

    Args:
        inner: Runs the classifier.
    """

    def __init__(self, inner: Runtime) -> None:
        self.inner = inner
        self.label, self.batch = inner.label, inner.batch
        self._differ: deque[NDArray[np.intp]] = deque()
        self._done: deque[tuple[NDArray[np.float32], ...]] = deque()

    @property
    def pending(self) -> int:
        """See `sunbreak.engine.Runtime`."""
        return len(self._differ)

    @property
    def room(self) -> bool:
        """See `sunbreak.engine.Runtime`."""
        return self.inner.room

    def submit(self, inputs: Inputs) -> None:
        """See `sunbreak.engine.Runtime`: every input as (version, patch, ...)."""
        one, other = ({name: values[version] for name, values in inputs.items()} for version in (0, 1))
        count = len(one["x"])
        differ = np.array(
            [i for i in range(count) if any(not np.array_equal(one[name][i], other[name][i]) for name in one)], np.intp
        )
        self._put(one)
        if len(differ):
            every = len(differ) == count
            self._put(other if every else {name: values[differ] for name, values in other.items()})
        self._differ.append(differ)

    def collect(self) -> tuple[NDArray[np.float32], ...]:
        """See `sunbreak.engine.Runtime`: the outputs of the first version, then of the second."""
        # the inner runtime overwrites its outputs with the next result
        one = tuple(output.copy() for output in self._next())
        other = tuple(output.copy() for output in one)
        differ = self._differ.popleft()
        if len(differ):
            for output, found in zip(other, self._next(), strict=True):
                output[differ] = found
        return (*one, *other)

    def _put(self, inputs: Inputs) -> None:
        while not self.inner.room:
            self._done.append(tuple(output.copy() for output in self.inner.collect()))
        self.inner.submit(inputs)

    def _next(self) -> tuple[NDArray[np.float32], ...]:
        return self._done.popleft() if self._done else self.inner.collect()
