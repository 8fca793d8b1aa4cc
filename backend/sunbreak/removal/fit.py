"""Whether a model for cloud removal fits a scene, and what the user should know if it does."""

from __future__ import annotations

from sunbreak.errors import InputError, ModelError
from sunbreak.models.card import ModelCard
from sunbreak.scene import Scene

_OPTIONAL_BANDS = ("B10",)


def check_fit(scene: Scene, card: ModelCard, dates: int = 1) -> None:
    """Refuse a scene that the model cannot process.

    Args:
        scene: The scene.
        card: The model's card.
        dates: Dates that there are, that of the scene too.

    Raises:
        InputError: A band or the radar is missing.
        ModelError: The model takes more dates (``wrong-dates``).
    """
    if card.dates > dates:
        raise ModelError(
            f"The model {card.name} takes {card.dates} dates at once: the scene and {card.dates - 1} other dates. "
            f"It can use {dates - 1 or 'none'} of those that are given.",
            "Give more with --reference or --references, or use a model of one date.",
            code="wrong-dates",
        )
    missing = missing_bands(scene, card)
    if missing:
        raise InputError(
            f"{scene.stack.title}: the model {card.name} needs the bands {scene.stack.lacking(missing)}, which are not "
            "there.",
            "Give all bands of the product, or name them with --s2-bands.",
            code="bands-missing",
        )
    if card.radar is not None and not scene.has_s1 and not card.radar_optional:
        raise InputError(
            f"The model {card.name} needs Sentinel-1, and none was given.",
            "Give it with --s1, or choose a model without radar.",
            code="no-s1",
        )


def missing_bands(scene: Scene, card: ModelCard) -> list[str]:
    """Bands that the model needs and the scene lacks."""
    return [band for band in card.bands if band not in scene.bands and band not in _OPTIONAL_BANDS]


def fit_warnings(scene: Scene, card: ModelCard) -> list[str]:
    """Warnings for the user about this model on this scene."""
    said = []
    absent = [band for band in card.bands if band not in scene.bands]
    if absent:
        said.append(f"{', '.join(absent)} is not in the scene and is given to the model as 0; expect worse results.")
    if card.radar is not None and not scene.has_s1:
        said.append(
            f"There is no Sentinel-1: the model {card.name} can do without, but knows less of what the clouds hide."
        )
    kept = [band for band in scene.bands if band not in card.outputs]
    if kept:
        said.append(
            f"The model {card.name} does not give {', '.join(kept)}: under clouds it stays as it is in the scene."
        )
    if scene.level and card.level not in (scene.level, "any"):
        said.append(f"The scene is {scene.level}; the model {card.name} was trained on {card.level}.")
    if not card.has_variance:
        said.append(f"The model {card.name} predicts no variance, so there is no uncertainty layer.")
    elif not card.temperature:
        said.append(f"The uncertainty of the model {card.name} was not calibrated.")
    return said
