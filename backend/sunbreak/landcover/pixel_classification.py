"""Land-cover classification of a scene by a network that gives the class of each pixel.

Layers and figures are those of `sunbreak.landcover.classification`, with cells of one pixel. A pixel rests on itself:
its evidence is whether it is valid, and its own reconstructed fraction.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine import Planes
from sunbreak.engine.network_values import bad_output
from sunbreak.landcover.class_layers import Cells, ClassLayers, entropy_of
from sunbreak.landcover.pixel_tiles import PixelTiles, within_scene
from sunbreak.landcover.sliding_window import CleanedRows, RowSource
from sunbreak.landcover.trust import TrustThresholds
from sunbreak.models.card import ModelCard
from sunbreak.models.card_landcover import RADIUS
from sunbreak.scene import Scene

_CORE = (..., slice(RADIUS, -RADIUS), slice(RADIUS, -RADIUS))
_CHOSEN, _CONFIDENCE, _ENTROPY, _MORE = range(4)


class PixelLandCover(ClassLayers, PixelTiles):
    """The task: class, confidence, entropy and evidence of each pixel.

    What is assembled from the tiles are class, confidence and entropy, not the probabilities: a strip of a wide scene
    holds these in a third of the memory.

    Args:
        scene: What to classify.
        card: The classifier's card, of a network that gives a class for each pixel.
        cleaned: Classify this version of the scene.
        share: Reads the reconstructed fraction of rows, if the scene itself is a cleaned one.
        compare: Also classify the original scene, and map where the class differs.
        thresholds: Thresholds of the layer `trust`; None omits the layer.
        probabilities: Also make a layer of the probabilities of all classes.

    Raises:
        InputError: The scene lacks a band or the radar that the model needs.
    """

    unit = "tiles"

    def __init__(
        self,
        scene: Scene,
        card: ModelCard,
        *,
        cleaned: CleanedRows | None = None,
        share: RowSource | None = None,
        compare: bool = False,
        thresholds: TrustThresholds | None = None,
        probabilities: bool = False,
    ) -> None:
        PixelTiles.__init__(self, scene, card, cleaned=cleaned, share=share, compare=compare)
        ClassLayers.__init__(self, scene, card, thresholds, shares=self.share is not None, compares=compare)
        self.probabilities = probabilities
        self.channels = _MORE + (1 if compare else 0) + (self.classes if probabilities else 0)

    def decode(self, outputs: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
        """See `sunbreak.engine.TileTask`: class index, confidence, entropy; then the class index of the cloudy scene.

        Probabilities follow, if they are wanted. Only the cores are computed.

        Raises:
            ModelError: The network gave probabilities that are not finite (``model-output``).
        """
        cores = [output[_CORE] for output in outputs]
        if not all(np.isfinite(core.sum()) for core in cores):  # a sum is finite only if all its terms are
            raise bad_output(f"The model {self.card.name}", "probabilities that are not finite")
        tiles, side = len(cores[0]), self.card.tile
        found = np.empty((tiles, self.channels, side, side), np.float32)
        core, probabilities = found[_CORE], cores[0]
        core[:, _CHOSEN] = probabilities.argmax(axis=1)
        core[:, _CONFIDENCE] = probabilities.max(axis=1)
        core[:, _ENTROPY] = entropy_of(probabilities, axis=1)
        if self.compare:
            core[:, _MORE] = cores[1].argmax(axis=1)
        if self.probabilities:
            core[:, -self.classes :] = probabilities
        return within_scene(found, self.take_margins())

    def compose(
        self, row: int, planes: Planes, values: NDArray[np.float32], covered: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        """See `sunbreak.engine.TileTask`."""
        known, evidence = covered & planes["valid"], self.evidence(planes)
        cells = Cells(
            known=known,
            pixels=known.astype(np.int64),
            chosen=values[_CHOSEN].astype(np.int64),
            confidence=values[_CONFIDENCE].copy(),
            entropy=values[_ENTROPY].copy(),
            evidence=evidence,
            reconstructed=evidence[1] if len(evidence) > 1 else np.zeros_like(values[0]),
            probabilities=values[-self.classes :].copy() if self.probabilities else None,
            before=values[_MORE].astype(np.int64) if self.compare else None,
        )
        return self.layers(cells)
