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
from sunbreak.training.removal.samples import Sample, hidden_by_clouds
from sunbreak.training.removal.stored_samples import KEPT_BYTES, Say, Stored, recalled, unpacked
from sunbreak.training.state_files import restoring


class StoredPairs(Stored[Sample]):
    """The pairs of a folder, read when drawn.

    Args:
        patches: Files of the pairs.
        masks: Folder of the cached cloud masks; without it the samples have no masks.
        say: Called with a message about each pair that cannot be read.
        kept_bytes: Size of the cache in memory.
    """

    def __init__(
        self,
        patches: Sequence[Patch],
        masks: Path | None = None,
        say: Say = lambda text: None,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        super().__init__(len(patches), say, kept_bytes)
        self.patches, self._masks = patches, masks

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
        if self._masks is None:
            return sample
        place, cloudy = patch.place, sample.cloudy
        path = self._masks / f"{place.seed}_{place.scene}" / f"{place.name}.npz"
        kept = recalled(
            path, f"clean 1 {stamp(patch.files['s2_cloudy'])}", lambda: {"mask": np.packbits(hidden_by_clouds(cloudy))}
        )
        with restoring(path, "file of a mask"):
            hidden = unpacked(kept["mask"], cloudy.shape[1:])
        return replace(sample, hidden=hidden)

    def size(self, item: Sample) -> int:
        """See `Stored`."""
        parts = (item.s1, item.clear, item.cloudy, item.hidden)
        return sum(part.nbytes for part in parts if part is not None)


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
