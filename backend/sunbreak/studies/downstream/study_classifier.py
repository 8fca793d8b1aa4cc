"""The classifier of the study: a model of the registry, or one trained on the clear patches of the training scenes.

Its input is the 224 px centre crop of a patch, as in the paper. If the network was trained on smaller patches, the crop
is classified in windows of that size, and the logits are averaged.
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
    """Output of the classifier: (image, class) logits and (image, feature) features of its last layer."""

    logits: NDArray[np.float32]
    features: NDArray[np.float32]


class Judge:
    """A classifier with the pre-processing of the study.

    Args:
        files: The model.
        device: Device of the network.

    Raises:
        ModelError: Its classes are not the ten simplified IGBP classes, it is a multi-label model, or its weights
            cannot be used.
    """

    def __init__(self, files: ModelFiles, device: torch.device) -> None:
        check_classes(files)
        self.card = files.card
        self.device = device
        self.module: ResNet = load_classifier(files).to(device).eval().requires_grad_(False)
        self._index = [S2_BANDS.index(band) for band in files.card.bands]

    @property
    def crop(self) -> int:
        """Side of the centre crop in pixels; smaller patches are not cropped."""
        return max(CROP, self.card.tile)

    def cropped(self, image: NDArray[Any]) -> NDArray[Any]:
        """The centre crop (..., row, column) of an image."""
        return centre(image, self.crop)

    def windows(self, side: tuple[int, int], per_tile: int = 1) -> list[tuple[slice, slice]]:
        """Evenly spread windows that cover a crop.

        Args:
            side: Rows and columns of the crop.
            per_tile: Number of windows that start within the length of one window; a higher number overlaps more.
        """
        tile = self.card.tile
        rows, columns = (_starts(length, tile, tile // per_tile) for length in side)
        return [(slice(row, row + tile), slice(column, column + tile)) for row in rows for column in columns]

    def inputs(self, dn: NDArray[Any], s1: NDArray[Any] | None) -> Images:
        """Network input (window, channel, row, column) of a patch; arguments as in `standardised`."""
        x = self.standardised(dn, s1)
        return np.stack([x[:, rows, columns] for rows, columns in self.windows((x.shape[1], x.shape[2]))])

    def standardised(self, dn: NDArray[Any], s1: NDArray[Any] | None) -> Images:
        """The standardised centre crop of a patch, (channel, row, column).

        Args:
            dn: (13, row, column), 0 in all bands without data.
            s1: (2, row, column) dB; used by classifiers with radar only.
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
        # pixels without data become the mean, as in a scene
        x[-len(self._index) :, ~dn.any(axis=0)] = 0
        return x

    def answers(self, inputs: Sequence[Images]) -> Answers:
        """Logits and features of patches, averaged over the windows of each."""
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
            # the last layer is linear: mean features give mean logits
            logits = self.module.fc(means)
        return Answers(logits.float().cpu().numpy(), means.float().cpu().numpy())


def check_classes(files: ModelFiles) -> None:
    """Refuse a classifier with other classes than the labels.

    Raises:
        ModelError: The classes differ.
    """
    card = files.card
    names = tuple(kind.name for kind in card.classes)
    if card.multi_label or names != IGBP_NAMES:
        found = f"has the classes {', '.join(names[:3])}, ..."
        reason = "gives several classes per patch" if card.multi_label else found
        raise ModelError(
            f"The classifier {card.name} {reason}; the labels are the ten simplified IGBP classes, one per patch.",
            "Choose another classifier, or train one with --classifier train.",
            code="wrong-classes",
        )


def centre(image: NDArray[Any], side: int) -> NDArray[Any]:
    """The centre crop (..., side, side); a smaller image is returned whole."""
    rows, columns = image.shape[-2:]
    top, left = max(0, (rows - side) // 2), max(0, (columns - side) // 2)
    return image[..., top : top + side, left : left + side]


def _starts(length: int, tile: int, step: int) -> list[int]:
    if length <= tile:
        return [0]
    count = -(-(length - tile) // step) + 1
    return [int(start) for start in np.linspace(0, length - tile, count).round()]
