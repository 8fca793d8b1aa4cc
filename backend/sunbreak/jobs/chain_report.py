"""What the report of a chain says: figures, pictures, and how far to trust them."""

from __future__ import annotations

from collections.abc import Mapping

from sunbreak.jobs.classify_step import ClassifyStep
from sunbreak.jobs.clean_step import CleanStep
from sunbreak.jobs.explain_step import ExplainStep
from sunbreak.jobs.pixel_explain_step import PixelExplainStep
from sunbreak.landcover import sliding_window
from sunbreak.landcover.class_layers import ClassArea
from sunbreak.landcover.trust import TrustThresholds
from sunbreak.layers.run_report import Picture, Report
from sunbreak.models.card_landcover import is_per_pixel
from sunbreak.removal.other_dates import OtherDatesRemoval
from sunbreak.scene import Scene

_MUCH = 0.3
_FEW = 0.01


def chain_report(
    scene: Scene,
    cleaning: CleanStep,
    classifying: ClassifyStep,
    explaining: ExplainStep | PixelExplainStep | None,
    numbers: Mapping[str, float | str],
) -> Report:
    """The content of the report.

    Args:
        scene: The scene as it came.
        cleaning: The step that cleaned it; has run, as have the others.
        classifying: The step that classified it.
        explaining: The step that explained it, if wanted.
        numbers: Figures of all steps.
    """
    areas, adjusted = classifying.task.areas(), classifying.task.adjusted()
    place, rests = ("pixel", "pixel") if is_per_pixel(classifying.files.card) else ("cell", "evidence")
    limits = classifying.task.thresholds or TrustThresholds()
    colours = {kind.name: kind.colour for kind in classifying.files.card.classes}
    facts = [
        ("Scene", scene.stem),
        ("Acquired", scene.acquired.isoformat() if scene.acquired else "unknown"),
        ("Inputs", ", ".join(path.name for path in scene.inputs)),
        ("Cloud removal", _method(cleaning, numbers)),
        ("Classifier", classifying.files.card.name),
        *_covers(numbers),
        ("Reconstructed", f"{float(numbers['reconstructed_share']):.1%} of the valid pixels"),
        *_dates(cleaning, numbers),
        ("Mean confidence", f"{float(numbers['mean_confidence']):.2f}"),
        ("Class changed by cleaning", f"{float(numbers['changed_share']):.1%} of the area"),
    ]
    trust = [
        ("seen, confident", float(numbers["trust_seen_confident"])),
        ("seen, unsure", float(numbers["trust_seen_unsure"])),
        ("reconstructed, confident", float(numbers["trust_reconstructed_confident"])),
        ("reconstructed, unsure", float(numbers["trust_reconstructed_unsure"])),
    ]
    pictures = [
        Picture("before", "Before", "The scene as it came, true colour, reflectance 0 to 0.3."),
        Picture(
            "cleaned",
            "Cleaned",
            f"Clear pixels are the observed ones, bit for bit; the rest {_rest(cleaning, numbers)}.",
        ),
        Picture(
            "cloud_mask",
            "Clouds",
            "Pink: thick cloud. Light pink: thin cloud. Blue: shadow. With the margins that were replaced.",
        ),
        Picture("reconstructed", "Reconstructed", "Orange: synthesised, fully or in part."),
        Picture(
            "source",
            "Source",
            "From where each pixel comes. Where several dates are clear they are combined; the one that counts most is "
            "named.",
        ),
        Picture(
            "changed",
            "Changed ground",
            "Where the ground no longer is what the other dates show. Under clouds only radar can say that.",
        ),
        Picture(
            "uncertainty", "Uncertainty", "Sigma of B04 in reflectance; brighter is less sure, black was observed."
        ),
        Picture("landcover", "Land cover", f"Most probable class of each {place}, on the cleaned scene."),
        Picture("landcover_confidence", "Confidence", "Probability of that class, 0 (dark) to 1 (bright)."),
        Picture(
            "trust",
            "Trust",
            f"Reconstructed: more than {limits.reconstructed:.0%} of the {rests} is synthesised. "
            f"Confident: probability of at least {limits.confident:.0%}.",
        ),
        Picture(
            "landcover_cloudy_vs_cleaned", "Changed", "Pink: the cloudy scene would have been given another class."
        ),
    ]
    if explaining is not None:
        pictures.append(Picture(explaining.role, "Saliency", explaining.caption))
    bands = [(share.band, share.share, share.attribution) for share in explaining.task.bands()] if explaining else []
    said = [*scene.warnings, *cleaning.fit_warnings]
    said += sliding_window.fit_warnings(scene, classifying.files.card)
    if classifying.task.held_out and not adjusted:
        said.append(
            "The areas are not adjusted for classification error: fewer than two held-out pixels were predicted as one "
            "of the classes on this map."
        )
    return Report(
        title=f"{scene.stem}: cleaned, classified, explained",
        facts=facts,
        areas=[(a.name, colours[a.name], a.hectares, a.reconstructed, a.confidence) for a in areas],
        trust=trust,
        bands=bands,
        pictures=pictures,
        cautions=[*_about_clouds(scene, cleaning, numbers), *_cautions(areas, numbers, place), *said],
        footer=f"{cleaning.files.card.title}. {classifying.files.card.title}.",
        adjusted=[(a.name, colours[a.name], a.mapped, a.hectares, a.half_width) for a in adjusted],
        adjustment=_adjustment(classifying),
    )


def _adjustment(classifying: ClassifyStep) -> str:
    """How areas were adjusted for classification error, and what that takes for granted."""
    measured = classifying.task.held_out
    if measured is None:
        return ""
    return (
        "The confusions among held-out pixels, applied to the areas on the map, with 95 % confidence intervals "
        f"(Olofsson et al. 2014, equations 9 to 11). Held-out pixels: {measured.data}. This takes the errors in this "
        "scene to be those among these pixels. Where much is reconstructed there are more, and neighbouring pixels err "
        "together, so the real uncertainty is larger."
    )


def _covers(numbers: Mapping[str, float | str]) -> list[tuple[str, str]]:
    """How much of the scene each class of the cloud mask covers; nothing if there is no mask."""
    if "cloud_share" not in numbers:
        return []
    cloud, thin, shadow = (float(numbers[name]) for name in ("cloud_share", "thin_cloud_share", "shadow_share"))
    return [
        ("Clouds", f"{cloud:.1%} of the valid pixels, of which thin {thin:.1%}"),
        ("Shadows", f"{shadow:.1%} of the valid pixels"),
    ]


def _dated(cleaning: CleanStep, numbers: Mapping[str, float | str]) -> OtherDatesRemoval | None:
    """The task, if other dates fill any part of the clouds."""
    task = cleaning.task
    return task if isinstance(task, OtherDatesRemoval) and float(numbers["other_dates_share"]) > 0 else None


def _method(cleaning: CleanStep, numbers: Mapping[str, float | str]) -> str:
    task = _dated(cleaning, numbers)
    if task is None:
        return cleaning.files.card.name
    filling = cleaning.files.card.name if task.network else "the clear pixels around"
    return f"other dates; where none is clear, {filling}"


def _rest(cleaning: CleanStep, numbers: Mapping[str, float | str]) -> str:
    task = _dated(cleaning, numbers)
    if task is None:
        return "is the network's estimate"
    filling = "the network's estimate" if task.network else "filled from the clear pixels around"
    return f"is predicted from other dates, or, where none is clear, {filling}"


def _dates(cleaning: CleanStep, numbers: Mapping[str, float | str]) -> list[tuple[str, str]]:
    """The other dates that were used, and how much they fill; nothing if none was given."""
    if not isinstance(cleaning.task, OtherDatesRemoval):
        return []
    task = _dated(cleaning, numbers)
    if task is None:
        return [("Other dates", f"{len(cleaning.series.others)} given; none shows what the clouds hide")]
    share = float(numbers["other_dates_share"])
    return [
        ("Other dates", ", ".join(task.used_dates)),
        ("Filled from other dates", f"{share:.1%} of the valid pixels"),
    ]


def _about_clouds(scene: Scene, cleaning: CleanStep, numbers: Mapping[str, float | str]) -> list[str]:
    """How far to trust what stands under the clouds."""
    task = _dated(cleaning, numbers)
    if task is None:
        return [
            "Small or sudden things under clouds (a new building, a cut forest, a flood) are not recovered: what "
            "stands there is what usually stands in such a place.",
            "Cloud removal smooths, and classifiers then lean towards classes of little detail. Treat a class that "
            "rests mostly on reconstructed pixels as a guess.",
        ]
    sees = (
        "is only seen if radar shows it (the layer changed)"
        if task.guide is not None and task.guide.radar is not None
        else "is not seen, since the scene has no radar"
    )
    alone = (
        "the network predicts what usually stands in such a place, which is smoother than the land"
        if task.network
        else "pixels are filled smoothly from the clear ones around"
    )
    said = [
        "What stands under a cloud is predicted from what other dates show there. Its detail is real, and its colours "
        f"follow the clear part of this scene. What changed under a cloud between the dates {sees}.",
        "Small or sudden things under clouds (a new building, a cut forest, a flood) are not recovered unless another "
        f"date shows them too. Where no date is clear, {alone}.",
    ]
    moved = float(numbers.get("ground_changed_share", 0))
    if moved > _FEW:
        said.append(
            f"In {moved:.1%} of the valid pixels the ground is clear and differs from what the other dates predict. "
            "Expect as much change under the clouds."
        )
    radar = float(numbers.get("ground_changed_by_radar_share", 0))
    if radar > _FEW:
        said.append(
            f"Radar says that the ground changed under clouds in {radar:.1%} of the valid pixels. The other dates say "
            "little about them; sigma is larger there."
        )
    return said


def _cautions(areas: list[ClassArea], numbers: Mapping[str, float | str], place: str) -> list[str]:
    """What the figures of this scene say about how far to trust it."""
    said = []
    resting = [area for area in areas if area.reconstructed > _MUCH]
    if resting:
        named = ", ".join(f"{area.name} ({area.reconstructed:.0%})" for area in resting)
        said.append(f"These classes rest on reconstructed pixels by more than {_MUCH:.0%}: {named}.")
    unsure = float(numbers["trust_seen_unsure"]) + float(numbers["trust_reconstructed_unsure"])
    if unsure > _MUCH:
        said.append(f"The classifier is unsure about {unsure:.0%} of the area.")
    if float(numbers["trust_reconstructed_confident"]) > 0.1:
        said.append(
            f"Blue {place}s of the trust layer are confident and reconstructed: the classifier is sure of a "
            "prediction, which is no observation."
        )
    return said
