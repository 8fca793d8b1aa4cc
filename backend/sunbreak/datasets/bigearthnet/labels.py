"""The two nomenclatures of BigEarthNet: 43 CORINE classes, and 19 merged classes (Sumbul et al. 2020).

Both have the order of `label_indices.json` of the data set, which is the order of the CORINE codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import InputError

Nomenclature = Literal[19, 43]

_MIXED_FARMLAND = "Land principally occupied by agriculture, with significant areas of natural vegetation"
_GRASS = "Natural grassland and sparsely vegetated areas"
_HEATH = "Moors, heathland and sclerophyllous vegetation"
# CORINE code, name in the 43 classes, name in the 19 classes; None if the class was dropped
_CORINE: tuple[tuple[int, str, str | None], ...] = (
    (111, "Continuous urban fabric", "Urban fabric"),
    (112, "Discontinuous urban fabric", "Urban fabric"),
    (121, "Industrial or commercial units", "Industrial or commercial units"),
    (122, "Road and rail networks and associated land", None),
    (123, "Port areas", None),
    (124, "Airports", None),
    (131, "Mineral extraction sites", None),
    (132, "Dump sites", None),
    (133, "Construction sites", None),
    (141, "Green urban areas", None),
    (142, "Sport and leisure facilities", None),
    (211, "Non-irrigated arable land", "Arable land"),
    (212, "Permanently irrigated land", "Arable land"),
    (213, "Rice fields", "Arable land"),
    (221, "Vineyards", "Permanent crops"),
    (222, "Fruit trees and berry plantations", "Permanent crops"),
    (223, "Olive groves", "Permanent crops"),
    (231, "Pastures", "Pastures"),
    (241, "Annual crops associated with permanent crops", "Permanent crops"),
    (242, "Complex cultivation patterns", "Complex cultivation patterns"),
    (243, _MIXED_FARMLAND, _MIXED_FARMLAND),
    (244, "Agro-forestry areas", "Agro-forestry areas"),
    (311, "Broad-leaved forest", "Broad-leaved forest"),
    (312, "Coniferous forest", "Coniferous forest"),
    (313, "Mixed forest", "Mixed forest"),
    (321, "Natural grassland", _GRASS),
    (322, "Moors and heathland", _HEATH),
    (323, "Sclerophyllous vegetation", _HEATH),
    (324, "Transitional woodland/shrub", "Transitional woodland, shrub"),
    (331, "Beaches, dunes, sands", "Beaches, dunes, sands"),
    (332, "Bare rock", None),
    (333, "Sparsely vegetated areas", _GRASS),
    (334, "Burnt areas", None),
    (411, "Inland marshes", "Inland wetlands"),
    (412, "Peatbogs", "Inland wetlands"),
    (421, "Salt marshes", "Coastal wetlands"),
    (422, "Salines", "Coastal wetlands"),
    (423, "Intertidal flats", None),
    (511, "Water courses", "Inland waters"),
    (512, "Water bodies", "Inland waters"),
    (521, "Coastal lagoons", "Marine waters"),
    (522, "Estuaries", "Marine waters"),
    (523, "Sea and ocean", "Marine waters"),
)

LABELS_43 = tuple(name for _, name, _ in _CORINE)
LABELS_19 = (
    "Urban fabric",
    "Industrial or commercial units",
    "Arable land",
    "Permanent crops",
    "Pastures",
    "Complex cultivation patterns",
    _MIXED_FARMLAND,
    "Agro-forestry areas",
    "Broad-leaved forest",
    "Coniferous forest",
    "Mixed forest",
    _GRASS,
    _HEATH,
    "Transitional woodland, shrub",
    "Beaches, dunes, sands",
    "Inland wetlands",
    "Coastal wetlands",
    "Inland waters",
    "Marine waters",
)
CODES = {name: code for code, name, _ in _CORINE}
_TO_19 = {name: merged for _, name, merged in _CORINE}
_OF_CODE = {code: merged for code, _, merged in _CORINE}
UNLABELLED = 999


def label_names(nomenclature: Nomenclature) -> tuple[str, ...]:
    """The names of a nomenclature in the order of its label vectors."""
    return LABELS_19 if nomenclature == 19 else LABELS_43


def merged(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels of the 43 classes as labels of the 19. Dropped classes have no label, so the result may be empty."""
    found = {_TO_19[name] for name in labels}
    return tuple(name for name in LABELS_19 if name in found)


def label_vector(labels: Iterable[str], nomenclature: Nomenclature, where: Path) -> NDArray[np.float32]:
    """1 for each of the labels and 0 elsewhere, (19,) or (43,) float32.

    Args:
        labels: Names in the nomenclature.
        nomenclature: 19 or 43.
        where: File of the labels, for the message.

    Raises:
        InputError: ``unknown-label``.
    """
    names = label_names(nomenclature)
    vector = np.zeros(len(names), np.float32)
    for label in labels:
        if label not in names:
            raise unknown_label(label, nomenclature, where)
        vector[names.index(label)] = 1
    return vector


def unknown_label(label: str, nomenclature: Nomenclature, where: Path) -> InputError:
    """The error for a label that is not in a nomenclature."""
    return InputError(
        f"{where}: the label {label!r} is none of the {nomenclature} classes of BigEarthNet.",
        "The spelling must be that of the published metadata. Download the file again.",
        code="unknown-label",
    )


def map_labels(reference_map: NDArray[Any]) -> tuple[str, ...]:
    """Labels (of the 19 classes) that occur in a reference map of CORINE codes."""
    found = {_OF_CODE.get(int(code)) for code in np.unique(reference_map)}
    return tuple(name for name in LABELS_19 if name in found)
