"""The classifier of the study: loaded from the registry, or trained on the clear patches of the training scenes.

It judges a patch by its 224 px centre crop, as the paper's does. A network that was trained on smaller patches looks at
the crop through windows of its own size, and the mean of their logits is its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import ModelError
from sunbreak.models.architectures import load_classifier
from sunbreak.models.registry import ModelFiles
from sunbreak.scene import S2_BANDS
from sunbreak.studies.downstream.table import IGBP_NAMES

if TYPE_CHECKING:
    import torch

    from sunbreak.models.resnet import ResNet

CROP = 224
_PIXELS_AT_ONCE = 64 * 64 * 64

Images = NDArray[np.float32]


@dataclass(frozen=True)
class Answers:
    """What the classifier says: (image, class) logits and (image, feature) features of its last layer."""

    logits: NDArray[np.float32]
    features: NDArray[np.float32]


class Judge:
    """A classifier as the study asks it.

    Args:
        files: The model.
        device: Where it runs.

    Raises:
        ModelError: It does not tell apart the ten simplified IGBP classes, one for each patch, or its weights cannot be
            used.
    """

    def __init__(self, files: ModelFiles, device: torch.device) -> None:
        check_classes(files)
        self.card = files.card
        self.device = device
        self.module: ResNet = load_classifier(files).to(device).eval().requires_grad_(False)
        self._index = [S2_BANDS.index(band) for band in files.card.bands]

    @property
    def crop(self) -> int:
        """Side of the centre crop that is judged, in pixels; smaller patches are judged whole."""
        return max(CROP, self.card.tile)

    def cropped(self, image: NDArray[Any]) -> NDArray[Any]:
        """The part (..., row, column) of an image that is judged."""
        return centre(image, self.crop)

    def windows(self, side: tuple[int, int], per_tile: int = 1) -> list[tuple[slice, slice]]:
        """The windows through which a crop of that many rows and columns is seen: all of it, evenly spread.

        Args:
            side: Rows and columns of the crop.
            per_tile: Windows that begin within the length of one; more of them overlap more.
        """
        tile = self.card.tile
        rows, columns = (_starts(length, tile, tile // per_tile) for length in side)
        return [(slice(row, row + tile), slice(column, column + tile)) for row in rows for column in columns]

    def inputs(self, dn: NDArray[Any], s1: NDArray[Any] | None) -> Images:
        """Network input (window, channel, row, column) of a patch; arguments as in `standardised`."""
        x = self.standardised(dn, s1)
        return np.stack([x[:, rows, columns] for rows, columns in self.windows((x.shape[1], x.shape[2]))])

    def standardised(self, dn: NDArray[Any], s1: NDArray[Any] | None) -> Images:
        """The judged crop of a patch as the network wants it, (channel, row, column).

        Args:
            dn: (13, row, column), 0 in all bands where unknown.
            s1: (2, row, column) dB; only looked at by classifiers with radar.
        """
        dn = self.cropped(dn)
        planes = dn[self._index].astype(np.float32)
        if self.card.uses_radar and s1 is not None:
            planes = np.concatenate([np.nan_to_num(self.cropped(s1)).astype(np.float32), planes])
        standard = self.card.standardisation
        if standard is None:
            raise ModelError(
                f"The card of {self.card.name} has no standardisation.", "Import it again.", code="bad-card"
            )
        mean, deviation = (np.array(v, np.float32)[:, None, None] for v in (standard.mean, standard.deviation))
        x = (planes - mean) / deviation
        # unknown pixels are the mean, as over a scene
        x[-len(self._index) :, ~dn.any(axis=0)] = 0
        return x

    def answers(self, inputs: Sequence[Images]) -> Answers:
        """Logits and features of patches, from the windows of each."""
        import torch

        windows = np.concatenate(inputs)
        size = max(1, _PIXELS_AT_ONCE // (windows.shape[2] * windows.shape[3]))
        parts = []
        with torch.inference_mode():
            for first in range(0, len(windows), size):
                x = torch.from_numpy(windows[first : first + size]).to(self.device)
                parts.append(self.module.features(x).mean(dim=(2, 3)))
            features = torch.cat(parts)
            ends = np.cumsum([len(part) for part in inputs]).tolist()
            spans = zip([0, *ends[:-1]], ends, strict=True)
            means = torch.stack([features[first:stop].mean(dim=0) for first, stop in spans])
            # the last layer is linear: of mean features it gives the mean logits
            logits = self.module.fc(means)
        return Answers(logits.float().cpu().numpy(), means.float().cpu().numpy())


def check_classes(files: ModelFiles) -> None:
    """Refuse a classifier whose classes are not those of the labels.

    Raises:
        ModelError: They are not.
    """
    card = files.card
    names = tuple(kind.name for kind in card.classes)
    if card.multi_label or names != IGBP_NAMES:
        said = "gives several classes per patch" if card.multi_label else f"tells apart {', '.join(names[:3])}, ..."
        raise ModelError(
            f"The classifier {card.name} {said}; the labels are the ten simplified IGBP classes, one per patch.",
            "Choose another classifier, or train one with --classifier train.",
            code="wrong-classes",
        )


def centre(image: NDArray[Any], side: int) -> NDArray[Any]:
    """The centre crop (..., side, side), or the whole of what is smaller."""
    rows, columns = image.shape[-2:]
    top, left = max(0, (rows - side) // 2), max(0, (columns - side) // 2)
    return image[..., top : top + side, left : left + side]


def _starts(length: int, tile: int, step: int) -> list[int]:
    if length <= tile:
        return [0]
    count = -(-(length - tile) // step) + 1
    return [int(start) for start in np.linspace(0, length - tile, count).round()]
