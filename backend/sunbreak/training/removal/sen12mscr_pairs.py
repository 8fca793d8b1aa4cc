"""Real pairs of SEN12MS-CR (cloudy and clear image) as samples, read when they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from sunbreak.datasets.reading import read_raster, stamp
from sunbreak.datasets.sen12ms import Patch
from sunbreak.datasets.sen12mscr import BANDS, find_pairs
from sunbreak.errors import InputError
from sunbreak.training.removal.samples import Sample, masks
from sunbreak.training.removal.stored_samples import KEPT_BYTES, Say, Stored

_LEAST_SEEN = 0.02  # of an image
_OTHER_GROUND = 1500.0  # DN, over all bands: snow melted or fell


class StoredPairs(Stored[Sample]):
    """The pairs of a folder, read when drawn.

    Args:
        patches: Files of the pairs.
        mask_folder: Folder of the cached cloud masks; without it the samples have no masks.
        opaque: Also mark what is opaque, see `with_masks`.
        same_ground: Refuse pairs whose ground differs between the two dates, as under snow.
        say: Called with a message about each pair that cannot be read.
        kept_bytes: Size of the cache in memory.
    """

    def __init__(
        self,
        patches: Sequence[Patch],
        mask_folder: Path | None = None,
        say: Say = lambda text: None,
        kept_bytes: int = KEPT_BYTES,
        *,
        opaque: bool = False,
        same_ground: bool = False,
    ) -> None:
        super().__init__(len(patches), say, kept_bytes)
        self.patches, self._masks = patches, mask_folder
        self._opaque, self._same_ground = opaque, same_ground

    def name(self, index: int) -> str:
        """Name of a sample, without reading it."""
        return f"sen12ms-cr {self.patches[index].place.name}"

    def read(self, index: int) -> Sample:
        """See `Stored`."""
        patch = self.patches[index]
        parts = {kind: read_raster(patch.files[kind], BANDS[kind]) for kind in BANDS if kind in patch.files}
        s1 = parts.get("s1")
        if s1 is not None:  # some radar images of the archives are NaN everywhere
            s1 = s1.astype(np.float32) if np.isfinite(s1).any() else None
        sample = Sample(self.name(index), s1, parts["s2"], parts["s2_cloudy"])
        sample = self._masked(sample, patch)
        if self._same_ground and _ground_differs(sample):
            raise InputError(f"{sample.name}: the ground differs between its two dates.", code="other-ground")
        return sample

    def _masked(self, sample: Sample, patch: Patch) -> Sample:
        if self._masks is None:
            return sample
        place = patch.place
        folder = self._masks / ("classes" if self._opaque else "") / f"{place.seed}_{place.scene}"
        key = str(stamp(patch.files["s2_cloudy"]))
        found = masks(sample.cloudy, opaque=self._opaque, path=folder / f"{place.name}.npz", key=key)
        return replace(sample, hidden=found["hidden"], opaque=found.get("opaque"))

    def size(self, item: Sample) -> int:
        """See `Stored`."""
        parts = (item.s1, item.clear, item.cloudy, item.hidden, item.opaque)
        return sum(part.nbytes for part in parts if part is not None)


def _ground_differs(sample: Sample) -> bool:
    """Whether the median difference of the pixels that are clear on both dates is more than haze and seasons make."""
    if sample.hidden is None or sample.hidden.mean() > 1 - _LEAST_SEEN:
        return False
    seen = ~sample.hidden
    apart = np.abs(sample.cloudy[:, seen].astype(np.float32) - sample.clear[:, seen])
    return float(np.median(apart)) > _OTHER_GROUND


def real_samples(folder: Path, exclude: Sequence[str] = ()) -> list[Sample]:
    """All pairs of a small folder, with radar if there is any.

    Raises:
        InputError: There is no usable pair.
    """
    pairs = StoredPairs(find_pairs(folder, exclude).patches)
    samples = []
    for index in range(len(pairs)):
        try:
            samples.append(pairs.read(index))
        except InputError as error:
            last = error
    if not samples:
        raise last
    return samples
