"""Land-cover classes as a person reads them: their names in QGIS's language, their areas, what a saliency map shows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from qgis.PyQt.QtCore import QLocale

from .compat import tr

PREDICTED = "predicted"

_AREA, _ADJUSTED, _INTERVAL = "hectares_", "adjusted_hectares_", "_ci95"


def class_label(name: str) -> str:
    """Name of a class in QGIS's language; the name itself if it is none of Dynamic World or simplified IGBP.

    Args:
        name: As the classifier calls it, or as it stands in names of files and figures: ``snow_and_ice``.
    """
    return _labels().get(_slug(name), name.replace("_", " "))


def _labels() -> dict[str, str]:
    return {
        PREDICTED: tr("predicted class"),  # what a saliency map is called that explains no single class
        # Dynamic World
        "water": tr("Water"),
        "trees": tr("Trees"),
        "grass": tr("Grass"),
        "flooded_vegetation": tr("Flooded vegetation"),
        "crops": tr("Crops"),
        "shrub_and_scrub": tr("Shrub and scrub"),
        "built": tr("Built"),
        "bare": tr("Bare"),
        "snow_and_ice": tr("Snow and ice"),
        # simplified IGBP; water is the same
        "forest": tr("Forest"),
        "shrubland": tr("Shrubland"),
        "savanna": tr("Savanna"),
        "grassland": tr("Grassland"),
        "wetlands": tr("Wetlands"),
        "croplands": tr("Croplands"),
        "urban_built_up": tr("Urban/Built-up"),
        "snow_ice": tr("Snow/Ice"),
        "barren": tr("Barren"),
    }


def _slug(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.lower()).strip("_")


def decimal(value: float, decimals: int = 1) -> str:
    """A number as QGIS's language writes it."""
    return QLocale().toString(float(value), "f", decimals)


def class_areas(numbers: Mapping[str, Any]) -> str:
    """The area of each class as JSON, largest first; empty if there is none.

    Class, as in ``hectares_<class>``, to ``hectares`` and, where areas are adjusted for classification error,
    ``adjusted_hectares`` and ``ci95``, half of their 95 % confidence interval.

    Args:
        numbers: Figures of the backend.
    """
    found: dict[str, dict[str, float]] = {}
    for key, value in numbers.items():
        if key.startswith(_AREA):
            found.setdefault(key.removeprefix(_AREA), {})["hectares"] = float(value)
        elif key.startswith(_ADJUSTED) and key.endswith(_INTERVAL):
            found.setdefault(key.removeprefix(_ADJUSTED).removesuffix(_INTERVAL), {})["ci95"] = float(value)
        elif key.startswith(_ADJUSTED):
            found.setdefault(key.removeprefix(_ADJUSTED), {})["adjusted_hectares"] = float(value)
    ordered = sorted(found.items(), key=lambda item: -item[1].get("hectares", 0.0))
    return json.dumps(dict(ordered)) if ordered else ""


def area_lines(areas: object, reconstructed: object = None) -> list[str]:
    """The areas as lines for a person; none if there are no areas.

    Args:
        areas: From `class_areas`.
        reconstructed: Fraction of the area that depends on reconstructed pixels, if it is known.
    """
    if not isinstance(areas, str) or not areas:
        return []
    known: dict[str, dict[str, float]] = json.loads(areas)
    adjusted = any("adjusted_hectares" in figures for figures in known.values())
    lines = [
        tr("Area of each class, and the area adjusted for classification error with its 95 % interval:")
        if adjusted
        else tr("Area of each class:")
    ]
    for name, figures in known.items():
        said = tr("{name}: {hectares} ha").format(
            name=class_label(name), hectares=decimal(figures.get("hectares", 0.0))
        )
        if "adjusted_hectares" in figures:
            said += tr(", adjusted {hectares} ± {half} ha").format(
                hectares=decimal(figures["adjusted_hectares"]), half=decimal(figures.get("ci95", 0.0))
            )
        lines.append(said)
    if isinstance(reconstructed, (int, float)):
        share = decimal(100 * reconstructed)
        lines.append(tr("{share} % of this area depends on reconstructed pixels.").format(share=share))
    return lines


def saliency_caption(parameters: Mapping[str, Any]) -> str:
    """What a saliency layer shows, in a sentence; empty if its parameters do not say so.

    Args:
        parameters: Those in the layer's STAC item.
    """
    wanted = parameters.get("explained_class")
    if not isinstance(wanted, str):
        return ""
    summed, predicted = parameters.get("saliency_sum"), wanted == PREDICTED
    if summed == "pixel":
        text = tr("Evidence for {name} at one pixel, the one at the point.")
    elif summed == "polygons":
        text = tr("Evidence for {name}, summed over the pixels inside the polygons.")
    elif summed is not None and predicted:
        text = tr("Evidence for the class that was predicted for each pixel, summed over all pixels.")
    elif summed is not None:
        text = tr("Evidence for {name}, summed over the pixels for which it was predicted.")
    elif parameters.get("point") is not None:
        text = tr("Evidence for {name} in the patch around the point.")
    else:
        text = tr("Evidence for {name}, from the patches around each place.")
    return text.format(name=tr("the predicted class") if predicted else class_label(wanted))
