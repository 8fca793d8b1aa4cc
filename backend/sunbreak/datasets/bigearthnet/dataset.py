"""BigEarthNet as a map-style data set, for training and evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sunbreak.datasets.bigearthnet.bands import BANDS, RADAR_BANDS, Interpolation, check_bands, read_bands
from sunbreak.datasets.bigearthnet.labels import Nomenclature, label_names, label_vector
from sunbreak.datasets.bigearthnet.patches import Collection, Patch, RadarNeed
from sunbreak.datasets.bigearthnet.version1 import find_version1
from sunbreak.datasets.bigearthnet.version2 import TABLE, find_version2
from sunbreak.errors import InputError


def find_patches(folder: Path, radar: RadarNeed = "optional", version: Literal[1, 2] | None = None) -> Collection:
    """Find the patches of either version below a folder.

    Args:
        folder: The data set's folder.
        radar: ``required`` excludes patches without Sentinel-1; ``optional`` includes and names them; ``none`` ignores
            Sentinel-1.
        version: Version of the layout; by default version 2 if there is a `metadata.parquet`.

    Raises:
        InputError: ``missing-folder``, and the errors of `find_version1` and `find_version2`.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder.", "Give the folder of BigEarthNet.", code="missing-folder")
    if version is None:
        version = 2 if (folder / TABLE).is_file() else 1
    if version == 1:
        return find_version1(folder, radar)
    if not (folder / TABLE).is_file():
        raise InputError(
            f"{folder}: there is no {TABLE}.", "Download the table of version 2 into this folder.", code="no-patches"
        )
    return find_version2(folder, radar)


class BigEarthNet:
    """Patches as pairs of pixels and labels, read on access.

    A sample is (band, 120, 120) float32, reflectance or dB, and the label vector (19,) or (43,) of zeros and ones. The
    vector of a patch without any of the 19 labels is zero. The class works with PyTorch's data loader.
    """

    def __init__(
        self,
        patches: Sequence[Patch],
        bands: Sequence[str] = BANDS,
        *,
        nomenclature: Nomenclature = 19,
        interpolation: Interpolation = "bilinear",
    ) -> None:
        """Take patches in the order given.

        Args:
            patches: The patches, for example `Collection.pile`.
            bands: The bands in the requested order, for example the inputs of a model card.
            nomenclature: 19 or 43 classes.
            interpolation: How bands of 20 m and 60 m are resampled to 10 m.

        Raises:
            InputError: ``no-such-band``, or ``no-radar`` if radar is requested and a patch has none.
        """
        check_bands(bands)
        if any(band in RADAR_BANDS for band in bands):
            without = [patch for patch in patches if patch.s1 is None]
            if without:
                raise InputError(
                    f"{without[0].s2}: this patch and {len(without) - 1} others have no Sentinel-1 pair.",
                    "Unpack BigEarthNet-S1 beside it, or require radar in the search for patches.",
                    code="no-radar",
                )
        self.patches = tuple(patches)
        self.bands = tuple(bands)
        self.nomenclature: Nomenclature = nomenclature
        self.interpolation: Interpolation = interpolation

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the elements of a label vector."""
        return label_names(self.nomenclature)

    def __len__(self) -> int:
        return len(self.patches)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Read one sample.

        Raises:
            InputError: A file of the patch is missing or broken.
        """
        patch = self.patches[index]
        return read_bands(patch, self.bands, self.interpolation), self._labels(patch)

    def label_matrix(self) -> NDArray[np.float32]:
        """The label vectors of all patches, (patch, label), without reading pixels."""
        return np.stack([self._labels(patch) for patch in self.patches])

    def _labels(self, patch: Patch) -> NDArray[np.float32]:
        return label_vector(patch.labels(self.nomenclature), self.nomenclature, patch.labels_file)
