"""Saliency maps of a patch classifier without gradients, by OpenVINO.

A network that ends in global average pooling and one linear layer has the same gradient at every place of its last
block: the layer's weight. Grad-CAM and HiResCAM there are the class activation map of Zhou et al. 2016, which the
forward pass gives.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine.network_values import bad_output
from sunbreak.engine.openvino_runtime import OpenVinoRuntime
from sunbreak.engine.rows import Inputs
from sunbreak.engine.runtime import Runtime
from sunbreak.models.registry import ModelFiles

Array = NDArray[np.float32]

POOLED_BLOCK = "layer4"
"""The block before the pooling, where no gradient is needed."""


class CamRuntime:
    """Class activation maps of patches, with the engine's runtime interface.

    The outputs per patch are those of `sunbreak.engine.saliency_runtime.SaliencyRuntime`: positive evidence
    (side, side), not normalised; gradient x input summed over the pixels of each band (band,), NaN without `gradients`;
    logits (class,).

    Args:
        files: The classifier.
        side: Side of the maps.
        target: Index of the class to explain; None explains the predicted class of each patch.
        gradients: Gives the contributions of the bands, as its second output, for the same groups of patches.

    Raises:
        ModelError: The network cannot be loaded.
    """

    def __init__(self, files: ModelFiles, side: int, *, target: int | None, gradients: Runtime | None = None) -> None:
        self._network = OpenVinoRuntime.for_model(files, ("maps", "logits"))
        self._gradients = gradients
        self.batch = self._network.batch
        self.label = f"{self._network.label}, class activation maps at {POOLED_BLOCK}"
        self._side, self._target, self._bands = side, target, len(files.card.inputs)
        self._source = files.weights
        self._shares: deque[Array] = deque()

    @property
    def pending(self) -> int:
        """See `sunbreak.engine.Runtime`."""
        return self._network.pending

    @property
    def room(self) -> bool:
        """See `sunbreak.engine.Runtime`."""
        return self._network.room

    def submit(self, inputs: Inputs) -> None:
        """See `sunbreak.engine.Runtime`."""
        self._network.submit(inputs)
        if self._gradients is None:
            self._shares.append(np.full((len(inputs["x"]), self._bands), np.nan, np.float32))
        else:
            self._gradients.submit(inputs)
            self._shares.append(self._gradients.collect()[1])

    def collect(self) -> tuple[Array, ...]:
        """See `sunbreak.engine.Runtime`.

        Raises:
            ModelError: A map or a logit is not finite (``model-output``).
        """
        maps, logits = self._network.collect()
        if not np.isfinite(maps).all():
            raise bad_output(f"{self._source}: the network", "values that are not finite")
        chosen = logits.argmax(axis=1) if self._target is None else np.full(len(logits), self._target)
        evidence = np.maximum(maps[np.arange(len(maps)), chosen], 0)
        return _enlarged(evidence, self._side), self._shares.popleft(), logits.copy()


def _enlarged(maps: Array, side: int) -> Array:
    """Maps (patch, row, column), interpolated bilinearly to (patch, side, side)."""
    import cv2

    found: Any = [cv2.resize(one, (side, side), interpolation=cv2.INTER_LINEAR) for one in maps]
    return np.stack(found).astype(np.float32, copy=False)
