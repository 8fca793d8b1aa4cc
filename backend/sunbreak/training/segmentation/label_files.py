"""Images with a class for each pixel: a folder of label rasters, and the images of the same names.

A label raster has two bands of 8 bits on the pixels of its image: the class (1 to 9 as in Dynamic World, 0 for no
label) and the confidence in percent. EuroSAT's patches have a label of the whole patch as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window

from sunbreak.datasets.eurosat import SIMPLIFIED, EuroSatPatch, find_patches
from sunbreak.errors import InputError
from sunbreak.models.legends import DYNAMIC_WORLD, TEN_BANDS
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.scene.bands import canonical_band
from sunbreak.sources.gdal import open_dataset, read_bands

_WITHOUT_B10 = tuple(band for band in S2_BANDS if band != "B10")
_ORDERS = {13: S2_BANDS, 12: _WITHOUT_B10}
_SEN12MSCR = re.compile(r"(\d{4}_[a-z]+)(?:_s[12](?:_cloudy)?)?_(\d+)")
_SERIES = re.compile(r"(ROIs\d+_\d+)_ImgNo_")
_CLASS = {kind.name: number for number, kind in enumerate(DYNAMIC_WORLD)}

# classes of Dynamic World that a patch of EuroSAT may consist of
PATCH_CLASSES: dict[str, tuple[int, ...]] = {
    kind: tuple(_CLASS[name] for name in names)
    for kind, names in {
        "AnnualCrop": ("Crops",),
        "PermanentCrop": ("Crops",),
        "Forest": ("Trees",),
        "Pasture": ("Grass", "Shrub and scrub"),
        "HerbaceousVegetation": ("Grass", "Shrub and scrub"),
        "Highway": ("Built",),
        "Industrial": ("Built",),
        "Residential": ("Built",),
        "River": ("Water",),
        "SeaLake": ("Water",),
    }.items()
}
PRESENT = ("Highway", "River", "Residential", "Industrial")
"""Kinds of patches of which a part only is of the class that names them."""


@dataclass(frozen=True)
class PatchLabel:
    """What is known of a patch as a whole.

    Attributes:
        kind: EuroSAT's name of it.
        classes: Indices of the classes that it may consist of.
        present: Whether they cover a part of it only.
    """

    kind: str
    classes: tuple[int, ...]
    present: bool


@dataclass(frozen=True)
class LabelledImage:
    """An image with labels.

    Attributes:
        name: Its path in the folder.
        place: Where it is; images of one place are either all trained on or all held out.
        level: ``L1C`` or ``L2A``.
        dn: (10, row, column), reflectance x 10000 in the bands of `TEN_BANDS`, the offset taken off.
        classes: (row, column), 1 to 9, 0 where there is no label.
        confidence: (row, column), 0..1.
        patch: What is known of the image as a whole, or None.
        held_out: Whether it belongs to EuroSAT's held-out third.
    """

    name: str
    place: str
    level: str
    dn: NDArray[np.float32]
    classes: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    patch: PatchLabel | None = None
    held_out: bool = False


def read_labelled(labels: Path, images: Path) -> list[LabelledImage]:
    """All images that have labels, in the order of their names.

    Args:
        labels: Folder of label rasters.
        images: Folder of images: a label raster belongs to the image of the same path, or of the same file name in
            the same folder at the top.

    Raises:
        InputError: There are no labels (``no-labels``), an image is missing, or a file cannot be used.
    """
    files = sorted(path for path in labels.rglob("*.tif") if path.is_file())
    if not files:
        raise InputError(f"{labels} holds no label raster.", "Give the folder that holds them.", code="no-labels")
    patches = {
        patch.path.name: patch
        for folder in sorted({images / file.relative_to(labels).parts[0] for file in files})
        for patch in _eurosat(folder)
    }
    return [
        _read(file, _image_of(file, labels, images), file.relative_to(labels).as_posix(), patches) for file in files
    ]


def place_of(name: str) -> str:
    """The place of an image, from its file name: scene of SEN12MS-CR, series of SEN12MS-CR-TS, or the file."""
    stem = Path(name).stem
    series = _SERIES.search(stem)
    if series:
        return series[1]
    scene = _SEN12MSCR.search(stem)
    return f"{scene[1]}_{scene[2]}" if scene else stem


def _eurosat(folder: Path) -> Sequence[EuroSatPatch]:
    if not any((folder / kind).is_dir() for kind in SIMPLIFIED):
        return []
    return find_patches(folder)


def _image_of(label: Path, labels: Path, images: Path) -> Path:
    relative = label.relative_to(labels)
    direct = images / relative
    if direct.is_file():
        return direct
    found = sorted((images / relative.parts[0]).rglob(relative.name)) if len(relative.parts) > 1 else []
    if len(found) != 1:
        raise InputError(
            f"{label}: there {'is no image' if not found else f'are {len(found)} images'} of this name in {images}.",
            "Give the folder of the images that the labels belong to.",
            code="missing-file",
        )
    return found[0]


def _read(label: Path, image: Path, name: str, patches: dict[str, EuroSatPatch]) -> LabelledImage:
    classes, confidence = _label(label)
    patch = patches.get(image.name)
    if patch is not None:
        dn, level = patch.read()[[S2_BANDS.index(band) for band in TEN_BANDS]], "L1C"
        known = dn.max(axis=0) > 0
    else:
        dn, known, level = _scene(image)
    if classes.shape != known.shape:
        raise InputError(
            f"{label} has {classes.shape[1]} x {classes.shape[0]} pixels, and its image {known.shape[1]} x "
            f"{known.shape[0]}.",
            "Give labels on the pixels of the image.",
            code="wrong-size",
        )
    kind = None if patch is None else PatchLabel(patch.kind, PATCH_CLASSES[patch.kind], patch.kind in PRESENT)
    return LabelledImage(
        name,
        place_of(name),
        level,
        dn,
        np.where(known, classes, 0).astype(np.uint8),
        confidence,
        kind,
        patch is not None and patch.held_out,
    )


def _label(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    try:
        with open_dataset(path) as file:
            stored = read_bands(file, [1, 2], Window(0, 0, file.width, file.height)) if file.count >= 2 else None
    except RasterioError as error:
        raise InputError(f"{path}: cannot be read ({error}).", "Make the labels again.", code="damaged") from error
    if stored is None or stored.dtype != np.uint8 or stored[0].max() > len(DYNAMIC_WORLD) or stored[1].max() > 100:
        raise InputError(
            f"{path} holds no labels: two bands of 8 bits, class (0 to {len(DYNAMIC_WORLD)}) and confidence in "
            "percent.",
            "Make the labels again.",
            code="bad-labels",
        )
    return stored[0], stored[1].astype(np.float32) / 100


def _scene(path: Path) -> tuple[NDArray[np.float32], NDArray[np.bool_], str]:
    """DN of the ten bands, where they are known, and the level. Unnamed bands are in native order."""
    with open_dataset(path) as file:
        named = any(canonical_band(text) for text in file.descriptions)
        order = None if named else _ORDERS.get(file.count)
    scene = Scene.open(path, s2_bands=order)
    picked = [scene.bands.index(band) for band in TEN_BANDS]
    with scene.reader() as reader:
        block = reader.s2(scene.grid.window)
    factor = 10_000 / scene.radiometry.quantification
    dn = ((block.raw[picked].astype(np.float32) + scene.radiometry.offset) * factor).astype(np.float32)
    return dn, block.valid, scene.level or ("L1C" if "B10" in scene.bands else "L2A")
