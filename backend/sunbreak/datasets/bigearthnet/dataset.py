"""BigEarthNet as a map from number to sample, for training and for evaluation."""

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
    """Find the patches of either version under a folder.

    Args:
        folder: The data set's folder.
        radar: ``required`` leaves out patches without Sentinel-1; ``optional`` keeps and names them; ``none`` does not
            look.
        version: Of the layout; told by `metadata.parquet` if not given.

    Raises:
        InputError: ``missing-folder``, and all that `find_version1` and `find_version2` say.
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
    """Patches as pairs of pixels and labels, read when they are asked for.

    A sample is (band, 120, 120) float32, reflectance or dB, and the label vector (19,) or (43,) of zeros and ones; the
    vector of a patch without any of the 19 labels is zero. PyTorch's loader takes it as it is.
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
            patches: Such as a pile of a collection.
            bands: In the order wanted, such as that of a model card's inputs.
            nomenclature: 19 or 43 classes.
            interpolation: How bands of 20 m and 60 m come to 10 m.

        Raises:
            InputError: ``no-such-band``, or ``no-radar`` if a patch has none and it is asked for.
        """
        check_bands(bands)
        if any(band in RADAR_BANDS for band in bands):
            without = [patch for patch in patches if patch.s1 is None]
            if without:
                raise InputError(
                    f"{without[0].s2}: no Sentinel-1 patch belongs to it and to {len(without) - 1} other patches.",
                    "Unpack BigEarthNet-S1 beside it, or require radar when the patches are searched.",
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
        """The label vectors of all patches, (patch, label), without reading a pixel."""
        return np.stack([self._labels(patch) for patch in self.patches])

    def _labels(self, patch: Patch) -> NDArray[np.float32]:
        return label_vector(patch.labels(self.nomenclature), self.nomenclature, patch.labels_file)
