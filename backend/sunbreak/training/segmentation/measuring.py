"""Measures land cover per pixel on held-out images: agreement with the labels, calibration, and patch labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sunbreak.metrics.classification import class_figures, confusion, reliability
from sunbreak.models.legends import DYNAMIC_WORLD
from sunbreak.models.resnet_fpn import STRIDE, ResNetFPN
from sunbreak.training.segmentation.draws import Draws
from sunbreak.training.segmentation.label_files import LabelledImage

_COMMON = 0.01  # of the pixels: rarer classes do not count in the macro F1
_SURE = 0.4
_EUROSAT_GROUPS = {
    "Croplands": (("AnnualCrop", "PermanentCrop"), ("Crops",)),
    "Forest": (("Forest",), ("Trees",)),
    "Grassland": (("Pasture", "HerbaceousVegetation"), ("Grass", "Shrub and scrub")),
    "Urban": (("Highway", "Industrial", "Residential"), ("Built",)),
    "Water": (("River", "SeaLake"), ("Water",)),
}
# rivers, roads and houses cover a part of their patches only
_PRESENT = {"Water": 0.15, "Urban": 0.3}
EUROSAT_RULE = (
    "EuroSAT's classes mapped to five; a patch is water if at least 15 % of its pixels are, else urban if at least "
    "30 % are built, else of the class with most pixels of the other three"
)

Image = NDArray[np.float32]


def logits_of(module: ResNetFPN, draws: Draws, image: LabelledImage) -> Image:
    """Logits (class, row, column) of an image, on a canvas of mean values up to a multiple of 16."""
    x = draws.standardised(image.dn)
    rows, columns = x.shape[1:]
    padded = np.pad(x, ((0, 0), (0, -rows % STRIDE), (0, -columns % STRIDE)))
    with torch.inference_mode():
        found: Image = module(torch.from_numpy(padded)[None])[0, :, :rows, :columns].numpy()
    return found


def pixel_figures(pairs: Iterable[tuple[Image, LabelledImage]]) -> dict[str, Any]:
    """Agreement with the labels, macro F1 over classes with at least 1 % of the pixels, calibration error, per class.

    The agreement is also given as the mean over places, and where the labels are sure (confidence of 0.4 or more). The
    calibration error has 15 bins (Guo et al. 2017, equation 3). The confusion matrix has a row for each label.

    Args:
        pairs: Logits (class, row, column) of images, and the images.
    """
    matrix = np.zeros((len(DYNAMIC_WORLD), len(DYNAMIC_WORLD)), np.int64)
    confidence, right, sure = [], [], []
    places: dict[str, list[float]] = {}
    for logits, image in pairs:
        known = image.classes > 0
        labels, predicted = image.classes[known].astype(int) - 1, logits.argmax(axis=0)[known]
        matrix += confusion(labels, predicted, len(DYNAMIC_WORLD))
        powers = np.exp(logits - logits.max(axis=0))
        confidence.append((powers.max(axis=0) / powers.sum(axis=0))[known])
        right.append(labels == predicted)
        sure.append(image.confidence[known] >= _SURE)
        places.setdefault(image.place, []).append(float(right[-1].mean()) if right[-1].size else math.nan)
    figures = class_figures(matrix)
    share = figures.support / max(1, figures.support.sum())
    common = share >= _COMMON
    names = [kind.name for kind in DYNAMIC_WORLD]
    occurring = [i for i in range(len(names)) if figures.support[i] > 0]
    hits, certain = np.concatenate(right), np.concatenate(sure)
    return {
        "accuracy": float(np.trace(matrix) / max(1, matrix.sum())),
        "accuracy_mean_of_places": float(np.nanmean([np.nanmean(held) for held in places.values()])),
        "accuracy_sure_labels": float(hits[certain].mean()) if certain.any() else None,
        "macro_f1": float(np.nan_to_num(figures.f1[common]).mean()),
        "calibration_error": reliability(np.concatenate(confidence), hits).error,
        "f1": {names[i]: float(np.nan_to_num(figures.f1[i])) for i in occurring},
        "recall": {names[i]: float(figures.recall[i]) for i in occurring},
        "share": {names[i]: float(share[i]) for i in occurring},
        "confusion": matrix.tolist(),
    }


def patch_figures(module: ResNetFPN, draws: Draws, images: Sequence[LabelledImage]) -> dict[str, Any]:
    """How many patches of EuroSAT get the class that they are mapped to, see `EUROSAT_RULE`."""
    names = list(_EUROSAT_GROUPS)
    index = {kind.name: number for number, kind in enumerate(DYNAMIC_WORLD)}
    labels, predicted = [], []
    for image in images:
        if image.patch is None:
            continue
        kinds = np.bincount(logits_of(module, draws, image).argmax(axis=0).ravel(), minlength=len(index))
        shares = {
            name: sum(kinds[index[kind]] for kind in held) / kinds.sum() for name, (_, held) in _EUROSAT_GROUPS.items()
        }
        present = [name for name, least in _PRESENT.items() if shares[name] >= least]
        others = sorted(set(names) - set(_PRESENT), key=lambda name: shares[name])
        predicted.append(names.index(present[0] if present else others[-1]))
        labels.append(next(i for i, name in enumerate(names) if image.patch.kind in _EUROSAT_GROUPS[name][0]))
    truth, found = np.array(labels), np.array(predicted)
    figures = class_figures(confusion(truth, found, len(names)))
    return {
        "accuracy": float((truth == found).mean()),
        "macro_f1": float(np.nan_to_num(figures.f1).mean()),
        "f1": {name: float(np.nan_to_num(figures.f1[i])) for i, name in enumerate(names)},
        "patches": {name: int(figures.support[i]) for i, name in enumerate(names)},
    }
