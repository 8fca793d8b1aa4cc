"""What a model card must fulfil: the JSON schema with strict numbers, and that its fields fit each other."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sunbreak.models.card_facts import CardFacts
from sunbreak.models.card_landcover import RADIUS, is_per_pixel, slug
from sunbreak.models.prior_layout import PRIOR_SIZES

_SHOWN = 200
_MEAN_ONLY = 13  # outputs of an UnCRtainTS without variance
_PLANE_NUMBERS = 2**28  # of the features of one tile: 1 GB
_CLASSIFIER_STEPS = 32  # patches beside each other within one patch, at most


def schema_fault(item: object) -> str:
    """Where and why the item of a card does not validate; nothing if it does."""
    problem = _best_match(_validator().iter_errors(item))
    if problem is not None:
        where = "/".join(str(part) for part in problem.absolute_path) or "the card"
        return f"{where}: {_one_line(problem.message)}"
    strange = next(_not_finite(item, ""), None)
    return f"{strange}: is no finite number" if strange else ""


def card_fault(card: CardFacts) -> str:
    """What the schema cannot say: which fields do not fit each other; nothing if all do."""
    return next(_faults(card), "")


def _faults(card: CardFacts) -> Iterator[str]:
    if card.overlap >= card.tile:
        yield f"tiles of {card.tile} pixels cannot overlap by {card.overlap}"
    for name in ("reflectance", "radar"):
        scaling = getattr(card, name)
        if scaling is not None and not scaling.low < scaling.high:
            yield f"the {name} goes from {scaling.low:g} to {scaling.high:g}"
    if card.task == "land-cover":
        yield from _classifier_faults(card)
    else:
        if 4 * card.overlap > 3 * card.tile:
            yield f"tiles of {card.tile} pixels that overlap by {card.overlap} are too many"
        if len(card.temperature) not in (0, len(card.outputs)):
            yield f"there are {len(card.temperature)} temperatures for {len(card.outputs)} bands"
        yield from (_translation_faults if card.architecture == "AugCycleGAN" else _removal_faults)(card)


def _classifier_faults(card: CardFacts) -> Iterator[str]:
    standard = card.standardisation
    channels = {len(standard.mean), len(standard.deviation)} if standard is not None else set()
    if len(channels) != 1 or not channels <= {len(card.bands), len(card.bands) + 2}:
        yield f"the standardisation does not fit {len(card.bands)} bands"
    other = card.standardisation_l1c
    if other is not None and {len(other.mean), len(other.deviation)} != channels:
        yield "the standardisations of both levels have different channels"
    names = [slug(kind.name) for kind in card.classes]
    if len(set(names)) < len(names):
        yield "two classes have the same name"
    if not all(names):
        yield "a class has a name without letters"
    if is_per_pixel(card):
        if card.overlap < 2 * RADIUS:
            yield f"tiles that overlap by {card.overlap} pixels do not see all that a pixel depends on ({2 * RADIUS})"
        if card.arguments["width"] * card.tile**2 > _PLANE_NUMBERS:
            yield f"tiles of {card.tile} pixels are too large for this network"
        return
    if (card.tile - card.overlap) * _CLASSIFIER_STEPS < card.tile:
        yield f"patches of {card.tile} pixels that overlap by {card.overlap} are too many"


def _removal_faults(card: CardFacts) -> Iterator[str]:
    given = card.arguments
    several, guided = given.get("multi_temporal", False), given.get("guided", False)
    if several != (card.dates > 1):
        yield f"{card.dates} dates do not fit a network of {'several dates' if several else 'one date'}"
    if given.get("use_sar", True) != (card.radar is not None):
        yield "use_sar and the scaling of the radar do not fit"
    if (given.get("outputs", 2 * _MEAN_ONLY) > _MEAN_ONLY) != card.has_variance:
        yield "the semantics of the variance do not fit the outputs of the network"
    if guided and len(given.get("prior", ())) not in PRIOR_SIZES:
        yield "a guided network has a prior"
    if given.get("width", 128) * card.tile**2 * card.dates > _PLANE_NUMBERS:
        yield f"tiles of {card.tile} pixels are too large for this network"


def _translation_faults(card: CardFacts) -> Iterator[str]:
    given = card.arguments
    strange = sorted({*card.outputs, *given["conditioning"]} ^ {*card.inputs})
    if strange and strange not in (["VH"], ["VV"]):  # radar comes as a pair, but one of it may do
        yield f"{', '.join(strange)} stands in the image, the conditioning or the bands, and not in the others"
    if card.tile % 2:
        yield "tiles of an Augmented CycleGAN have even sides"
    if bool(given["latent"]) != (given["samples"] > 1):
        yield f"{given['samples']} samples do not fit a latent vector of length {given['latent']}"
    if card.has_variance != (given["samples"] > 1):
        yield "the semantics of the variance do not fit the samples"
    if given["generator_width"] * card.tile**2 > _PLANE_NUMBERS:
        yield f"tiles of {card.tile} pixels are too large for this network"


def _not_finite(value: object, where: str) -> Iterator[str]:
    if isinstance(value, float) and not math.isfinite(value):
        yield where.lstrip("/")
    elif isinstance(value, Mapping):
        for key, held in value.items():
            yield from _not_finite(held, f"{where}/{_one_line(str(key))}")
    elif isinstance(value, (list, tuple)):
        for number, held in enumerate(value):
            yield from _not_finite(held, f"{where}/{number}")


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_SHOWN])


def _best_match(errors: Any) -> Any:
    import jsonschema

    return jsonschema.exceptions.best_match(errors)


@cache
def _validator() -> Any:
    """A validator for which 64.0 is no integer, and neither ``true`` nor NaN is a number."""
    import jsonschema

    base = jsonschema.Draft202012Validator
    types = base.TYPE_CHECKER.redefine("integer", _is_integer).redefine("number", _is_number)
    schema = json.loads(Path(__file__).with_name("card.schema.json").read_text(encoding="utf-8"))
    return jsonschema.validators.extend(base, type_checker=types)(schema)


def _is_integer(_: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_: object, value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
