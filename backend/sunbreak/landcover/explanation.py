"""Explanation of a classification: saliency maps of a class, as a mosaic over the scene, and the band contributions.

The maps of neighbouring patches are blended first and then normalised once for the whole scene. The brightness thus has
one scale, and patch borders stay invisible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine import Planes
from sunbreak.engine.checkpoints import State
from sunbreak.errors import InputError, ModelError
from sunbreak.landcover.sliding_window import (
    CleanedRows,
    Patches,
    cell_size,
    check_stride,
    default_stride,
    sums_before,
    sums_within,
)
from sunbreak.models.card import ModelCard
from sunbreak.models.card_landcover import slug
from sunbreak.scene import Scene
from sunbreak.tables import CsvTable

PREDICTED = "predicted"
_CELLS = 8


@dataclass(frozen=True)
class BandShare:
    """Contribution of one band to the result.

    Attributes:
        band: Its name.
        attribution: Gradient x input summed over the pixels of a patch, mean over the patches: the band's contribution
            to the logit relative to a mean input.
        share: Its fraction of the mean absolute attribution of all bands.
    """

    band: str
    attribution: float
    share: float


class Explanation(Patches):
    """The task: a map of positive evidence for a class over the scene.

    Args:
        scene: What to explain.
        card: The classifier's card.
        stride: Pixels from one patch to the next; an eighth of a patch if not given.
        cleaned: Explain this version of the scene.
        inside: (row, column) mask of the scene; only pixels inside are explained.
        per_pixel: Compute the map per pixel instead of per cell.

    Raises:
        InputError: The scene lacks a band or the radar that the model needs, or the stride is invalid.
    """

    unit = "maps"
    channels = 1

    def __init__(
        self,
        scene: Scene,
        card: ModelCard,
        stride: int | None = None,
        *,
        cleaned: CleanedRows | None = None,
        inside: NDArray[np.bool_] | None = None,
        per_pixel: bool = False,
    ) -> None:
        stride = stride if stride is not None else _stride(card)
        check_stride(stride, card)
        cell = 1 if per_pixel else cell_size(card.tile, stride)
        super().__init__(scene, card, stride, cell, cleaned=cleaned)
        self.stride, self.inside = stride, inside
        self.field: NDArray[np.float32] = np.full((self.layout.height, self.layout.width), np.nan, np.float32)
        """(row, column) in cells, before normalisation; NaN where nothing is known."""
        self.patches = 0
        self.scale = (0.0, 0.0)
        self._signed, self._absolute = np.zeros(len(card.inputs)), np.zeros(len(card.inputs))
        self._logits: list[NDArray[np.float32]] = []
        self._first_row = 0

    def wants(self, strip: Planes, columns: Sequence[slice]) -> list[bool]:
        """See `sunbreak.engine.TileTask`."""
        wanted = super().wants(strip, columns)
        if self.inside is None:
            return wanted
        inside = sums_within(sums_before(np.count_nonzero(strip["inside"], axis=0)), columns)
        return [a and bool(b) for a, b in zip(wanted, inside, strict=True)]

    def read(self, reader: Any, first: int, stop: int) -> Planes:
        """See `sunbreak.engine.TileTask`."""
        planes = super().read(reader, first, stop)
        if self.inside is not None:
            planes["inside"] = self.inside[first:stop]
        return planes

    def decode(self, outputs: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
        """See `sunbreak.engine.TileTask`."""
        self.take_evidence()
        saliency, bands, logits = outputs
        self._signed += bands.sum(axis=0, dtype=np.float64)
        self._absolute += np.abs(bands).sum(axis=0, dtype=np.float64)
        if self.patches == 0:
            self._logits.append(logits[0])
        self.patches += len(saliency)
        return saliency[:, None]

    def compose(
        self, row: int, planes: Planes, values: NDArray[np.float32], covered: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        """See `sunbreak.engine.TileTask`. Writes nothing: the normalisation needs the maximum of the whole scene."""
        wanted = planes["valid"] & planes["inside"] if self.inside is not None else planes["valid"]
        known = covered & (self.known_pixels(wanted) > 0)
        self.field[row : row + len(known)] = np.where(known, values[0], np.float32(np.nan))
        return {}

    def state(self) -> State:
        """See `sunbreak.engine.checkpoints.Resumable`."""
        logits = np.stack(self._logits) if self._logits else np.zeros((0, len(self.card.classes)), np.float32)
        counts = {"patches": np.array(self.patches), "signed": self._signed.copy(), "absolute": self._absolute.copy()}
        return {"field": self.field.copy(), "logits": logits, **counts}

    def restore(self, state: State) -> None:
        """See `sunbreak.engine.checkpoints.Resumable`."""
        self.field[...] = state["field"]
        self._logits = list(state["logits"])
        self.patches = int(state["patches"])
        self._signed[...], self._absolute[...] = state["signed"], state["absolute"]

    def normalised(self) -> NDArray[np.float32]:
        """The field, scaled from its minimum and maximum to 0..1; a constant field becomes 0. Sets `scale`."""
        known = np.isfinite(self.field)
        if not known.any():
            return self.field
        values, self.scale = normalised(self.field)
        return values

    def logits(self) -> NDArray[np.float32]:
        """Logits of the first patch, (class,); at a point it is the only one."""
        return self._logits[0]

    def bands(self) -> list[BandShare]:
        """The contributions of the bands, largest first; none where the runtime does not compute gradients."""
        if not np.isfinite(self._signed).all():
            return []
        total = max(float(self._absolute.sum()), 1e-30)
        count = max(self.patches, 1)
        shares = [
            BandShare(name, float(self._signed[i]) / count, float(self._absolute[i]) / total)
            for i, name in enumerate(self.card.inputs)
        ]
        return sorted(shares, key=lambda share: -share.share)


def _stride(card: ModelCard) -> int:
    """An eighth of a patch: averages out artefacts of the network at patch borders and from its strides."""
    return max(1, card.tile // _CELLS) if card.tile % _CELLS == 0 else default_stride(card)


def write_bands(path: Path, shares: list[BandShare]) -> None:
    """Write the table of bands as CSV."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = CsvTable(stream)
        table.row(["band", "share", "attribution"])
        table.rows([share.band, f"{share.share:.6f}", f"{share.attribution:.6g}"] for share in shares)


def find_class(card: ModelCard, wanted: str) -> int | None:
    """Index of a class by name, ignoring case; None for ``predicted``.

    Raises:
        InputError: The model has no such class (``unknown-class``).
        ModelError: The card names no classes.
    """
    if not card.classes:
        raise ModelError(f"The card of {card.name} names no classes.", "Import the model again.", code="bad-card")
    if wanted.lower() == PREDICTED:
        return None
    for index, kind in enumerate(card.classes):
        if slug(wanted) == slug(kind.name):
            return index
    raise InputError(
        f"The model {card.name} has no class {wanted!r}.",
        f"Choose {PREDICTED} or one of {', '.join(kind.name for kind in card.classes)}.",
        code="unknown-class",
    )


def normalised(field: NDArray[np.float32]) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """A map from its smallest to its largest value onto 0..1, and these two values; a constant one becomes 0.

    Args:
        field: (row, column), NaN where nothing is known, but not everywhere.
    """
    known = np.isfinite(field)
    low, high = float(field[known].min()), float(field[known].max())
    if high <= low:
        return np.where(known, np.float32(0), np.float32(np.nan)), (low, high)
    return (field - np.float32(low)) / np.float32(high - low), (low, high)
