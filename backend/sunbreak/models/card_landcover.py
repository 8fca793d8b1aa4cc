"""Card fields of land cover: classes, the standardisation of the input, the rule for several labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sunbreak.models.card_common import CommonFacts

PER_PIXEL = "resnet-fpn"
"""The architecture of networks that give a class for each pixel."""
RADIUS = 144
"""Pixels around a pixel that its class depends on, at most, see `sunbreak.models.resnet_fpn.ResNetFPN`."""


@dataclass(frozen=True)
class Standardisation:
    """Network input as (value - mean) / deviation, nothing clipped, per input channel in order.

    Attributes:
        mean: In DN (reflectance x 10000, offset taken off) for Sentinel-2, in dB for Sentinel-1.
        deviation: In the same units, positive.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


@dataclass(frozen=True)
class LandCoverClass:
    """A class that a classifier distinguishes: a name and a colour ``#rrggbb``."""

    name: str
    colour: str


@dataclass(frozen=True, kw_only=True)
class LandCoverFacts(CommonFacts):
    """The fields of land cover.

    Attributes:
        standardisation: How a classifier's input is standardised: first VV and VH where it has radar, then `bands`.
        standardisation_l1c: That of Level-1C, where it differs: the mean and deviation that turn it into the input
            that the same ground would give in Level-2A. None if both levels are standardised alike.
        classes: Classes that a classifier distinguishes, in the order of its logits.
        multi_label: Whether a patch may have several of the classes (sigmoid), or has one (softmax).
        threshold: How a softmax over the labels of a patch becomes several labels: `rule` and `value` as in
            `sunbreak.metrics.multilabel.Threshold`, and how they were chosen. Empty where a patch has one class.
    """

    standardisation: Standardisation | None = None
    standardisation_l1c: Standardisation | None = None
    classes: tuple[LandCoverClass, ...] = ()
    multi_label: bool = False
    threshold: Mapping[str, Any] = field(default_factory=dict)


def is_per_pixel(card: CommonFacts) -> bool:
    """Whether a classifier gives a class for each pixel of a tile, and not one for the patch."""
    return card.architecture == PER_PIXEL


def landcover_properties(card: LandCoverFacts) -> dict[str, Any]:
    """Classes and standardisation as properties of the item."""
    l1c = card.standardisation_l1c
    return {
        "sunbreak:standardisation": _numbers(card.standardisation) if card.standardisation else None,
        **({"sunbreak:standardisation_l1c": _numbers(l1c)} if l1c else {}),
        "sunbreak:classes": [{"name": kind.name, "colour": kind.colour} for kind in card.classes],
        "sunbreak:multi_label": card.multi_label,
        **({"sunbreak:threshold": dict(card.threshold)} if card.threshold else {}),
    }


def landcover_fields(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `landcover_properties`: fields of a card."""
    return {
        "standardisation": _from_numbers(properties.get("sunbreak:standardisation")),
        "standardisation_l1c": _from_numbers(properties.get("sunbreak:standardisation_l1c")),
        "classes": tuple(
            LandCoverClass(kind["name"], kind["colour"]) for kind in properties.get("sunbreak:classes", ())
        ),
        "multi_label": properties.get("sunbreak:multi_label", False),
        "threshold": properties.get("sunbreak:threshold", {}),
    }


def _numbers(standard: Standardisation) -> dict[str, Any]:
    return {
        "mean": list(standard.mean),
        "deviation": list(standard.deviation),
        "units": "DN (reflectance x 10000) and dB",
    }


def _from_numbers(held: Mapping[str, Any] | None) -> Standardisation | None:
    return Standardisation(tuple(held["mean"]), tuple(held["deviation"])) if held else None


def probabilities(card: LandCoverFacts, tasks: list[str]) -> list[dict[str, Any]]:
    """The output in the terms of MLM: a probability per class, of the patch or of each pixel."""
    sizes = {"batch": -1, "class": len(card.classes)}
    sizes |= {"height": card.tile, "width": card.tile} if is_per_pixel(card) else {}
    return [
        {
            "name": "probabilities",
            "tasks": tasks,
            "bands": [],
            "result": {"shape": list(sizes.values()), "dim_order": list(sizes), "data_type": "float32"},
            "classification:classes": [
                {"value": value, "name": kind.name, "color_hint": kind.colour.lstrip("#").upper()}
                for value, kind in enumerate(card.classes, 1)
            ],
        }
    ]


def slug(name: str) -> str:
    """A class name as part of a file name: lower-case letters, digits and underscores."""
    return "_".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
