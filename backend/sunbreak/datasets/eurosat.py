"""EuroSAT (Helber et al. 2019): labelled 64 x 64 patches of thirteen L1C bands, in folders named after their class.

The files have the order B01 to B08, B09, B10, B11, B12, B8A; `EuroSatPatch.read` returns native order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS

STORED_BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B09", "B10", "B11", "B12", "B8A")
_NATIVE = [STORED_BANDS.index(band) for band in S2_BANDS]

# EuroSAT classes to simplified IGBP classes 1 to 10
SIMPLIFIED = {
    "AnnualCrop": 6,
    "PermanentCrop": 6,
    "Forest": 1,
    "Pasture": 4,
    "HerbaceousVegetation": 4,
    "Highway": 7,
    "Industrial": 7,
    "Residential": 7,
    "River": 10,
    "SeaLake": 10,
}
_EVERY = 3


@dataclass(frozen=True)
class EuroSatPatch:
    """One patch.

    Attributes:
        path: The file.
        kind: Class in EuroSAT.
        number: Number within the class.
        held_out: Whether the patch is in the held-out third.
    """

    path: Path
    kind: str
    number: int
    held_out: bool

    @property
    def label(self) -> int:
        """Class in simplified IGBP, 1 to 10."""
        return SIMPLIFIED[self.kind]

    def read(self) -> NDArray[np.float32]:
        """DN (13, row, column) in native band order.

        Raises:
            InputError: The file cannot be read or has other bands.
        """
        from rasterio.errors import RasterioError

        from sunbreak.sources.gdal import open_dataset

        try:
            with open_dataset(self.path) as file:
                stored = file.read()
        except RasterioError as error:
            raise InputError(f"{self.path}: cannot be read ({error}).", "Download it again.", code="damaged") from error
        if len(stored) != len(STORED_BANDS):
            raise InputError(
                f"{self.path}: has {len(stored)} bands, not 13.",
                "Use the multi-spectral EuroSAT, not the RGB one.",
                code="bands-missing",
            )
        native: NDArray[np.float32] = stored[_NATIVE].astype(np.float32)
        return native


def find_patches(folder: Path) -> list[EuroSatPatch]:
    """The patches of a EuroSAT folder, class by class. Every third patch of each class, by number, is held out.

    Raises:
        InputError: There are no patches.
    """
    patches = []
    for kind in sorted(SIMPLIFIED):
        numbered = []
        for path in (folder / kind).glob(f"{kind}_*.tif"):
            match = re.fullmatch(rf"{kind}_(\d+)\.tif", path.name)
            if match:
                numbered.append((int(match[1]), path))
        for index, (number, path) in enumerate(sorted(numbered)):
            patches.append(EuroSatPatch(path, kind, number, index % _EVERY == _EVERY - 1))
    if not patches:
        raise InputError(
            f"{folder}: no patches of EuroSAT (<class>/<class>_<number>.tif).",
            "Give the folder with the class folders.",
            code="no-samples",
        )
    return patches
