"""Land-cover classification of a scene: the probabilities of sliding patches are blended onto a grid of cells.

The class of a cell comes from the patches around it, weighted by the distance of the cell from their centres. Further
layers are the probability of the class, the entropy, and the evidence: the fraction of the patches with data, and the
fraction that was reconstructed.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine import Inputs, Planes, Runtime
from sunbreak.engine.network_values import bad_output
from sunbreak.landcover.class_layers import Cells, ClassLayers, entropy_of
from sunbreak.landcover.sliding_window import CleanedRows, Patches, RowSource, cell_size, check_stride, default_stride
from sunbreak.landcover.trust import TrustThresholds
from sunbreak.models.card import ModelCard
from sunbreak.scene import Scene


class LandCover(ClassLayers, Patches):
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
        Patches.__init__(self, scene, card, stride, cell, cleaned=cleaned, share=share, compare=compare)
        ClassLayers.__init__(self, scene, card, thresholds, shares=self.share is not None, compares=compare)
        self.stride = stride
        self.channels = self.classes * (2 if compare else 1) + 2

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
        probabilities, evidence = values[: self.classes].copy(), values[-2:].copy()
        before = values[self.classes : 2 * self.classes].argmax(axis=0) if self.compare else None
        cells = Cells(
            known=covered & (pixels > 0),
            pixels=pixels,
            chosen=probabilities.argmax(axis=0),
            confidence=probabilities.max(axis=0),
            entropy=entropy_of(probabilities, multi_label=self.card.multi_label),
            evidence=evidence if self.share is not None else evidence[:1],
            reconstructed=evidence[1],
            probabilities=probabilities,
            before=before,
        )
        return self.layers(cells)


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
