"""From a trained multi-label classifier to a model of the registry: threshold, metrics, card."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sunbreak.datasets.bigearthnet import Patch, label_names
from sunbreak.datasets.bigearthnet.bands import SIDE
from sunbreak.metrics.multilabel import Rule, Threshold, ThresholdSearch, multilabel_report, search_threshold
from sunbreak.models.card_landcover import LandCoverClass, Standardisation
from sunbreak.models.importing import save_classifier
from sunbreak.models.registry import ModelFiles
from sunbreak.models.resnet import ResNet
from sunbreak.training.classifier.multilabel import MultilabelTraining, predict

# hue and saturation by CORINE group: artificial, agricultural, forest and nature, wetlands, water
_HUES = {"1": (0.97, 0.75), "2": (0.13, 0.75), "3": (0.33, 0.7), "4": (0.75, 0.35), "5": (0.58, 0.75)}


def choose_threshold(probabilities: Any, labels: Any) -> ThresholdSearch:
    """The better of two rules by sample-averaged F1: fixed, or relative to the largest probability."""
    rules: tuple[Rule, ...] = ("fixed", "relative")
    found = [search_threshold(probabilities, labels, rule=rule) for rule in rules]
    return max(found, key=lambda search: search.score)


def finish(
    module: ResNet,
    recipe: MultilabelTraining,
    validation: Sequence[Patch],
    test: Sequence[Patch],
    name: str,
    folder: Path,
    facts: dict[str, Any],
    *,
    device: str = "cpu",
    workers: int = 0,
) -> ModelFiles:
    """Tune the threshold, measure, and write weights and card.

    Args:
        module: The trained network.
        recipe: How it was trained.
        validation: Validation patches; the threshold is tuned on them.
        test: Test patches, used for measurements only.
        name: Name of the model.
        folder: Folder for the model.
        facts: Facts about the training for the card, in addition to the recipe.
        device: ``cpu`` or ``cuda``.
        workers: Processes that read the data.
    """
    probabilities, labels = predict(module, recipe, validation, device=device, workers=workers)
    search = choose_threshold(probabilities, labels)
    names = label_names(recipe.nomenclature)
    metrics = [
        _measured("validation split, which the threshold was tuned on", probabilities, labels, search.best, names)
    ]
    if test:
        metrics.insert(
            0,
            _measured("test split", *predict(module, recipe, test, device=device, workers=workers), search.best, names),
        )
    return save_classifier(
        module.to("cpu").eval(),
        name,
        folder,
        title=f"ResNet-{recipe.depth}, {recipe.nomenclature} labels of BigEarthNet, softmax over the labels",
        description=(
            "Multi-label land cover as in the second paper: a softmax whose targets divide 1 among the labels of a "
            "patch. The probabilities sum to 1, so a label is predicted above a tuned threshold, not above 0.5."
        ),
        licence="GPL-2.0-or-later",
        bands=recipe.bands,
        standardisation=Standardisation(recipe.mean, recipe.deviation),
        classes=_classes(recipe),
        depth=recipe.depth,
        tile=SIDE,
        level="L2A",
        threshold={
            "rule": search.best.rule,
            "value": search.best.value,
            "chosen_by": (
                f"{search.objective}, {search.average} average, {search.score:.4f} on {len(labels)} validation patches"
            ),
        },
        training={**facts, "recipe": asdict(recipe)},
        metrics=tuple(metrics),
    )


def _measured(data: str, probabilities: Any, labels: Any, threshold: Threshold, names: Sequence[str]) -> dict[str, Any]:
    report = multilabel_report(probabilities, labels, threshold)
    own = report.by_label
    by_label = {
        key: {name: round(float(values[i]), 4) for i, name in enumerate(names) if own.support[i]}
        for key, values in (("f1", own.f1), ("average_precision", own.average_precision), ("patches", own.support))
    }
    figures = {key: round(value, 4) for key, value in report.figures().items()}
    return {"data": f"{data} ({report.patches} clear patches)", "figures": {**figures, **by_label}}


def _classes(recipe: MultilabelTraining) -> tuple[LandCoverClass, ...]:
    """The labels with colours: one hue per CORINE group, darker from label to label."""
    from sunbreak.datasets.bigearthnet.labels import CODES, LABELS_43, merged

    group: dict[str, str] = {}
    for name in LABELS_43:
        for own in merged((name,)) if recipe.nomenclature == 19 else (name,):
            group.setdefault(own, str(CODES[name])[0])
    names = label_names(recipe.nomenclature)
    classes = []
    for name in names:
        peers = [other for other in names if group[other] == group[name]]
        hue, saturation = _HUES[group[name]]
        value = 0.95 - 0.6 * peers.index(name) / max(len(peers) - 1, 1)
        red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue, saturation, value))
        classes.append(LandCoverClass(name, f"#{red:02x}{green:02x}{blue:02x}"))
    return tuple(classes)
