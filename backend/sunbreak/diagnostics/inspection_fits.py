"""Which jobs a scene can be used for by default, and what is missing for the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sunbreak.clouds import CloudSettings
from sunbreak.clouds.choice import choose
from sunbreak.clouds.detector import JoinsGiven, check_suits
from sunbreak.defaults import PRODUCT_MASK
from sunbreak.errors import SunbreakError
from sunbreak.landcover import sliding_window
from sunbreak.landcover.reconstructed import beside
from sunbreak.models.card import ModelCard
from sunbreak.models.registry import DEFAULT_CLASSIFIER, DEFAULT_REMOVAL, find_model, list_models
from sunbreak.removal.fit import check_fit, fit_warnings, missing_bands
from sunbreak.scene import Scene, SceneSeries

REMOVAL, LAND_COVER = "cloud-removal", "land-cover"


@dataclass(frozen=True)
class Fit:
    """Whether a job can be done with a scene.

    Attributes:
        job: ``detect-clouds``, ``clean`` or ``classify``.
        possible: Whether it can be done by default.
        how: What does it: a detector or the default model.
        missing: Why it cannot be done, one sentence.
        hint: Which option helps.
        warnings: What the user should know about it, one sentence each.
        models: Installed models that fit the scene.
    """

    job: str
    possible: bool
    how: str
    missing: str = ""
    hint: str = ""
    warnings: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


def fits_of(series: SceneSeries, detector: str) -> tuple[Fit, ...]:
    """What can be done with a scene, alone or with other dates.

    Args:
        series: The scene.
        detector: What would detect its clouds, see `sunbreak.clouds.choice`.
    """
    clouds = _clouds(series.target, detector)
    return clouds, _clean(series, clouds), _classify(series.target)


def _clouds(scene: Scene, name: str) -> Fit:
    try:
        choice = choose(name, CloudSettings(), scene)
        if choice.detector is not None:
            check_suits(choice.detector, scene)
            joined = scene.has_mask and isinstance(choice.detector, JoinsGiven) and choice.detector.name != PRODUCT_MASK
            also = ", together with the mask of the product" if joined else ""
            return Fit("detect-clouds", True, f"detected by {choice.detector.label}{also}", warnings=choice.warnings)
        if scene.has_mask:
            return Fit("detect-clouds", True, "taken from the given mask as they are")
        return Fit(
            "detect-clouds", False, "", "The detector is none, and no mask is given: nothing would be replaced.",
            "Give a cloud mask with --mask, or choose a detector.",
        )  # fmt: skip
    except SunbreakError as error:
        return Fit("detect-clouds", False, "", error.message, error.hint)


def _clean(series: SceneSeries, clouds: Fit) -> Fit:
    scene, dates = series.target, 1 + len(series.others)

    def check(card: ModelCard) -> None:
        # other dates fill what the network cannot
        if not (series.others and card.dates == 1 and missing_bands(scene, card)):
            check_fit(scene, card, dates)

    fit = _fit("clean", REMOVAL, DEFAULT_REMOVAL, check, lambda card: fit_warnings(scene, card))
    if fit.possible and not clouds.possible:
        return Fit("clean", False, fit.how, clouds.missing, clouds.hint, models=fit.models)
    return fit


def _classify(scene: Scene) -> Fit:
    layer = beside(scene.inputs[0]) if len(scene.stack.files) == 1 else None
    found = [] if layer is None else [f"The reconstructed fraction is read from {layer.name}."]
    return _fit(
        "classify",
        LAND_COVER,
        DEFAULT_CLASSIFIER,
        lambda card: sliding_window.check_fit(scene, card),
        lambda card: [*found, *sliding_window.fit_warnings(scene, card)],
    )


def _fit(
    job: str,
    task: str,
    name: str,
    check: Callable[[ModelCard], None],
    warnings: Callable[[ModelCard], list[str]],
) -> Fit:
    models = tuple(files.card.name for files in list_models(task)[0] if _passes(check, files.card))
    try:
        card = find_model(name, task).card
        check(card)
    except SunbreakError as error:
        return Fit(job, False, name, error.message, error.hint, models=models)
    return Fit(job, True, name, warnings=tuple(warnings(card)), models=models)


def _passes(check: Callable[[ModelCard], None], card: ModelCard) -> bool:
    try:
        check(card)
    except SunbreakError:
        return False
    return True
