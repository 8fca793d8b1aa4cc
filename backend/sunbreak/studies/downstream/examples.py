"""Figure 4, example patches with low to high cloud cover; and the training curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sunbreak.layers.palette import REFLECTANCE_STRETCH
from sunbreak.models.registry import ModelFiles
from sunbreak.studies.downstream import drawing, pictures
from sunbreak.studies.downstream.cleaning import read_cleaned
from sunbreak.studies.downstream.covers import read_cover
from sunbreak.studies.downstream.page_parts import Chapter
from sunbreak.studies.downstream.quadruplets import Quadruplet, read_patch
from sunbreak.studies.downstream.table import PatchTable
from sunbreak.studies.downstream.teaching import Curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXAMPLES = 6
_SIGMA_TOP = 0.1


@dataclass(frozen=True)
class Sources:
    """The sources of the images of the evaluated patches.

    Attributes:
        patches: The patches by name.
        removal: The model that cleaned them.
        covers: Folder of the cloud masks.
        cleaned: Folder of the cleaned patches.
    """

    patches: dict[str, Quadruplet]
    removal: ModelFiles
    covers: Path
    cleaned: Path


class Covered(Protocol):
    """Patches with the cloud cover of their cloudy images."""

    @property
    def patch(self) -> NDArray[Any]:
        """Their names, (patch,)."""

    @property
    def cover(self) -> NDArray[Any]:
        """Their cloud cover, (patch,), 0..1 or NaN."""


def example_chapter(part: PatchTable, sources: Sources) -> Chapter:
    """Figure 4 for the patches of the evaluated split, chosen by cloud cover only."""
    names = chosen_examples(part)
    return Chapter(
        "quality",
        "Image quality (Table 1)",
        (f"Figure 4 shows {len(names)} patches at even ranks of cloud cover. They are not selected by quality.",),
        {"fig4_examples": lambda: _draw_examples(part, names, sources)},
        {
            "fig4_examples": "Figure 4. Cloud removal with increasing cloud cover, true colour (reflectance 0 to "
            f"{REFLECTANCE_STRETCH[1]:g}). PSNR is against the clear image."
        },
    )


def chosen_examples(part: Covered) -> list[str]:
    """Names of patches with clouds, at even ranks of their cloud cover."""
    cloudy = np.flatnonzero(part.cover > 0)
    order = cloudy[np.argsort(part.cover[cloudy], kind="stable")]
    count = min(EXAMPLES, len(order))
    places = np.linspace(0, len(order) - 1, 2 * count + 1)[1::2] if count else np.empty(0)
    return [str(part.patch[order[round(place)]]) for place in places.tolist()]


def curve_chapter(curve: Curve | None, depth: int | None = None) -> Chapter:
    """The training curve, or a sentence on why there is none."""
    if curve is None:
        return Chapter(
            "classification",
            "Classification",
            ("The classifier was not trained in this study, so there is no training curve.",),
        )
    best = int(np.argmax(curve.check_f1))
    text = (
        f"The classifier{f' (ResNet-{depth})' if depth else ''} was trained for {curve.steps[-1]} steps on the "
        "clear patches of the training scenes. Its last macro F1 on the validation scenes is "
        f"{curve.check_f1[-1]:.3f} (micro F1 {curve.check_accuracy[-1]:.3f}); the best is {curve.check_f1[best]:.3f} "
        f"after {curve.checks[best]} steps. Published: 0.471 macro, 0.711 micro."
    )
    caption = (
        "Training curve. Loss of the training batches (with mixup, augmentation and label smoothing) and of the "
        "validation "
    )
    return Chapter(
        "classification",
        "Classification",
        (text,),
        {"training_curve": lambda: _draw_curve(curve)},
        {"training_curve": caption + "scenes; macro and micro F1 of the validation scenes."},
    )


def _draw_examples(part: PatchTable, names: Sequence[str], sources: Sources) -> Figure:
    rows = ("Cloudy", "Cloud mask", "Removed,\nraw prediction", "Removed,\nclear pixels kept", "Clear", "Sigma")
    figure = drawing.new(2.05 * max(len(names), 1) + 1.3, 13.2)
    panels = figure.subplots(len(rows), max(len(names), 1), squeeze=False)
    where = {str(name): index for index, name in enumerate(part.patch)}
    sigma_image: Any = None
    for column, name in enumerate(names):
        patch, index = sources.patches[name], where[name]
        cleaned = read_cleaned(patch, sources.removal, sources.cleaned)
        mask = read_cover(patch, sources.covers).mask
        cloudy, clear = (read_patch(patch.files[kind], kind, name) for kind in ("s2_cloudy", "s2"))
        title = f"{name.split('_', 2)[2].replace('_', ' ')}\ncover {100 * part.cover[index]:.0f} %"
        pictures.show(panels[0, column], pictures.true_colour(cloudy), title)
        pictures.show(panels[1, column], mask, cmap="Greys_r", vmin=0, vmax=1)
        for row, key in ((2, "removed_raw"), (3, "removed")):
            psnr = part.quality["psnr", key][index]
            pictures.show(panels[row, column], pictures.true_colour(cleaned.images[key]), f"PSNR {_decibels(psnr)}")
        pictures.show(panels[4, column], pictures.true_colour(clear))
        sigma: NDArray[Any] = np.zeros(mask.shape) if cleaned.sigma is None else cleaned.sigma
        sigma_image = pictures.show(panels[5, column], sigma, cmap=pictures.SIGMA_COLOURS, vmin=0, vmax=_SIGMA_TOP)
    for row, title in enumerate(rows):
        panels[row, 0].set_ylabel(title, fontsize=10)
    if sigma_image is not None:
        label = "Sigma of the version with clear pixels kept, mean over bands, reflectance"
        figure.colorbar(
            sigma_image, ax=list(panels[-1]), location="bottom", label=label, extend="max", aspect=50, pad=0.03
        )
    return figure


def _decibels(psnr: float) -> str:
    return "∞: unchanged" if np.isinf(psnr) else f"{psnr:.1f} dB"


def _draw_curve(curve: Curve) -> Figure:
    figure = drawing.new(10, 4)
    left, right = figure.subplots(1, 2)
    left.plot(curve.steps, curve.loss, color="#bbbbbb", linewidth=0.6, label="training batches")
    width = max(1, len(curve.loss) // 40)
    smooth = np.convolve(curve.loss, np.full(width, 1 / width), mode="valid")
    left.plot(curve.steps[width - 1 :], smooth, color="#4d4d4d", linewidth=1.4, label=f"mean of {width} batches")
    style: dict[str, Any] = {"linewidth": 1.4, "markersize": 5.5}
    left.plot(curve.checks, curve.check_loss, color="#D55E00", marker="s", label="validation scenes", **style)
    left.set_ylabel("Cross-entropy, nats")
    left.set_ylim(bottom=0)
    right.plot(curve.checks, curve.check_f1, color="#0072B2", marker="o", label="macro F1", **style)
    right.plot(
        curve.checks, curve.check_accuracy, color="#E69F00", marker="^", linestyle="--", label="micro F1", **style
    )
    right.set_ylabel("F1 of the validation scenes")
    right.set_ylim(0, 1)
    for axes in (left, right):
        axes.set_xlabel("Steps")
        axes.set_xlim(left=0)
        axes.grid(axis="y", alpha=0.3)
        axes.legend(fontsize=9)
    return figure
