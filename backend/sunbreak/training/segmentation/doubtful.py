"""Labels that cannot be right, by what a pixel reflects: they are not trained on.

Now and then the teacher takes dark slopes for water, and green fields for bare ground.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sunbreak.models.legends import DYNAMIC_WORLD, TEN_BANDS
from sunbreak.training.segmentation.label_files import LabelledImage

_CLASS = {kind.name: number for number, kind in enumerate(DYNAMIC_WORLD, 1)}
_BAND = {band: number for number, band in enumerate(TEN_BANDS)}

_GREEN_WATER, _BRIGHT_WATER = 0.3, 0.15  # NDVI of water; near infrared of water whose NDWI is below 0
_LEAST_NDSI, _LEAST_GREEN = 0.2, 0.15  # of snow
_LEAST_NDVI = 0.15  # of trees and grass
_GREEN_BARE = 0.45  # NDVI

# classes of Dynamic World that may stand within a patch of EuroSAT beside those it is named after
_BESIDE = {
    "AnnualCrop": ("Trees", "Built", "Water"),
    "PermanentCrop": ("Trees", "Built", "Water"),
    "Pasture": ("Trees", "Built", "Water"),
    "HerbaceousVegetation": ("Trees", "Built", "Water"),
    "Forest": (),
    "SeaLake": (),
    "Industrial": ("Trees", "Grass", "Crops", "Bare"),
    "Residential": ("Trees", "Grass"),
}
# patches in which other labels are of the patch's class: the teacher takes crops for grass and bare ground
_UNIFORM = ("AnnualCrop", "PermanentCrop", "SeaLake")


def without_doubtful(image: LabelledImage) -> NDArray[np.uint8]:
    """The labels (row, column) of an image, 0 where they cannot be right; in a patch of crops or water, its class.

    Args:
        image: With surface reflectance.
    """
    classes = np.where(_impossible(image), 0, image.classes).astype(np.uint8)
    kind = image.patch.kind if image.patch is not None else None
    if kind in _BESIDE and image.patch is not None:
        names = [DYNAMIC_WORLD[number].name for number in image.patch.classes] + [*_BESIDE[kind]]
        strange = (image.classes > 0) & ~np.isin(image.classes, [_CLASS[name] for name in names])
        classes[strange] = image.patch.classes[0] + 1 if kind in _UNIFORM else 0
    return classes


def _impossible(image: LabelledImage) -> NDArray[np.bool_]:
    green, red, near, short = (image.dn[_BAND[band]] / 10_000 for band in ("B03", "B04", "B08", "B11"))
    ndvi, ndwi, ndsi = _ratio(near, red), _ratio(green, near), _ratio(green, short)

    def labelled(*names: str) -> NDArray[np.bool_]:
        return np.isin(image.classes, [_CLASS[name] for name in names])

    found: NDArray[np.bool_] = labelled("Water") & ((ndvi > _GREEN_WATER) | ((near > _BRIGHT_WATER) & (ndwi < 0)))
    found |= labelled("Snow and ice") & ((ndsi < _LEAST_NDSI) | (green < _LEAST_GREEN))
    found |= labelled("Trees", "Grass") & (ndvi < _LEAST_NDVI)
    found |= labelled("Bare") & (ndvi > _GREEN_BARE)
    return found


def _ratio(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """The normalised difference; reflectances below 0 count as 0."""
    one, other = np.clip(one, 0, None), np.clip(other, 0, None)
    result: NDArray[np.float32] = (one - other) / (one + other + np.float32(1e-4))
    return result
