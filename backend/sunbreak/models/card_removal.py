"""Card fields of cloud removal: scalings, variance, the guide and its prior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sunbreak.models.card_common import CommonFacts
from sunbreak.models.prior_layout import flat_prior, named_prior


@dataclass(frozen=True)
class Scaling:
    """How stored or physical numbers become network input: clip to [low, high], then map that range to [0, 1]."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class RemovalFacts(CommonFacts):
    """The fields of cloud removal.

    Attributes:
        reflectance: Scaling of reflectance.
        radar: Scaling of radar backscatter in dB (VV, VH), or None for a network without it or with a standardisation.
        variance: Meaning of the second output in words; empty when there is none.
    """

    reflectance: Scaling | None
    radar: Scaling | None
    variance: str

    @property
    def outputs(self) -> tuple[str, ...]:
        """Output bands of cloud removal: the input bands without those that a translation is only conditioned on."""
        return tuple(self.arguments.get("image", self.bands))

    @property
    def radar_optional(self) -> bool:
        """Whether radar was left out of some of the training, so that a scene without it can be given."""
        recipe = self.training.get("recipe", {})
        return self.radar is not None and recipe.get("no_radar", 0) > 0

    @property
    def guided(self) -> bool:
        """Whether the network needs the cloud-filled guide as well, see `sunbreak.removal.guide`."""
        return bool(self.arguments.get("guided", False))

    @property
    def hides_opaque(self) -> bool:
        """Whether the guide replaces the bands under opaque cloud before the network sees them."""
        return bool(self.arguments.get("hides_opaque", False))

    @property
    def has_variance(self) -> bool:
        """Whether the network predicts its uncertainty."""
        return bool(self.variance)


def removal_properties(card: RemovalFacts) -> dict[str, Any]:
    """The scalings and the variance as properties of the item."""
    reflectance, radar = card.reflectance, card.radar
    return {
        "sunbreak:reflectance": {"low": reflectance.low, "high": reflectance.high} if reflectance else None,
        "sunbreak:radar": {"low": radar.low, "high": radar.high, "unit": "dB"} if radar else None,
        "sunbreak:variance": {
            "semantics": card.variance,
            "temperature": list(card.temperature),
            "calibrated_on": card.calibrated_on,
        },
    }


def removal_fields(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `removal_properties`: fields of a card."""
    reflectance, radar = properties["sunbreak:reflectance"], properties["sunbreak:radar"]
    variance = properties["sunbreak:variance"]
    return {
        "reflectance": Scaling(reflectance["low"], reflectance["high"]) if reflectance else None,
        "radar": Scaling(radar["low"], radar["high"]) if radar else None,
        "variance": variance["semantics"],
        "temperature": tuple(variance["temperature"]),
        "calibrated_on": variance["calibrated_on"],
    }


def written_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A network's arguments as they stand in the file: the numbers of a prior under their names."""
    if not arguments.get("prior"):
        return dict(arguments)
    return {**arguments, "prior": named_prior(arguments["prior"])}


def read_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `written_arguments`. Cards of layout 1 have the row of numbers.

    Raises:
        ValueError: The parts of a prior do not fit each other.
    """
    prior = arguments.get("prior")
    return {**arguments, "prior": list(flat_prior(prior))} if isinstance(prior, Mapping) else dict(arguments)


def images(card: RemovalFacts, tasks: list[str]) -> list[dict[str, Any]]:
    """The outputs in the terms of MLM: the mean, and the variance where there is one."""
    return [
        {
            "name": name,
            "tasks": tasks,
            "bands": [{"name": band} for band in card.outputs],
            "result": {
                "shape": [-1, len(card.outputs), card.tile, card.tile],
                "dim_order": ["batch", "bands", "height", "width"],
                "data_type": "float32",
            },
        }
        for name in ["mean"] + (["variance"] if card.has_variance else [])
    ]
