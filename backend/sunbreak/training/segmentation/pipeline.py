"""The whole training of land cover per pixel: read labels, train, calibrate, measure, write model and card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.array_files import read_arrays
from sunbreak.drafts import STATE_LIMIT, open_stored
from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.models import legends
from sunbreak.models.card_landcover import Standardisation
from sunbreak.models.importing import save_segmentation
from sunbreak.models.registry import ModelFiles
from sunbreak.models.resnet_fpn import ResNetFPN
from sunbreak.scene import S2_BANDS
from sunbreak.training.classifier.labelled_patches import simulated_files
from sunbreak.training.classifier.loop import fit_temperature
from sunbreak.training.segmentation.atmosphere import at_the_ground, standardisation_l1c
from sunbreak.training.segmentation.doubtful import without_doubtful
from sunbreak.training.segmentation.draws import DN, Draws
from sunbreak.training.segmentation.label_files import LabelledImage, read_labelled
from sunbreak.training.segmentation.loop import LOG, SegmentationTraining, train
from sunbreak.training.segmentation.measuring import EUROSAT_RULE, logits_of, patch_figures, pixel_figures
from sunbreak.training.state_files import minutes_of

_SIMULATED_CONFIDENCE = 0.5
_CALIBRATION_PIXELS = 4000  # of an image
ATTRIBUTION = (
    "The labels were produced with Dynamic World (Brown et al. 2022): Dynamic World Project by Google in partnership "
    "with National Geographic and the World Resources Institute."
)

Sample = list[tuple[NDArray[np.float32], LabelledImage]]
"""The images of a fold and their logits (class, row, column)."""


@dataclass(frozen=True)
class SegmentationOrder:
    """A whole training: its data, its network, and the model that it makes.

    Attributes:
        name: Name of the model.
        output: Folder for the model.
        work: Folder for simulated scenes, state and log.
        labels: Folder of label rasters.
        images: Folder of the images that they belong to.
        folds: How many further networks are trained to measure: each without a part of the places, on which it is
            measured. 0 measures nothing but EuroSAT's held-out patches, and calibrates on them.
        scenes: Number of simulated scenes.
        recipe: How to train.
        device: ``cpu`` or ``cuda``.
    """

    name: str
    output: Path
    work: Path
    labels: Path
    images: Path
    folds: int
    scenes: int
    recipe: SegmentationTraining
    device: str = "cpu"

    @property
    def command(self) -> str:
        """The command that repeats the training."""
        recipe = self.recipe
        return (
            f"sunbreak train classifier -o models --name {self.name} --labels LABELS --images IMAGES --scenes "
            f"{self.scenes} --width {recipe.width} --steps {recipe.steps} --batch {recipe.batch} --seed {recipe.seed}"
            f" --folds {self.folds}"
        )


def train_segmentation(order: SegmentationOrder, reporter: Reporter) -> ModelFiles:
    """Train a per-pixel classifier of the nine classes of Dynamic World, or resume it; calibrate and measure it.

    Raises:
        InputError: The data cannot be used, or nothing is left to train on or to measure (``no-samples``).
        RunError: The loss is not a number.
        Cancelled: The reporter asked to stop; the last saved state stays in the work folder.
    """
    surface = legends.SEN12MS_10
    images = [_at_surface(one) for one in read_labelled(order.labels, order.images)]
    kept = [one for one in images if not one.held_out]
    large = [one for one in kept if one.patch is None]
    patches = [one for one in images if one.held_out]
    folds = folds_of(large, order.folds)
    if not kept or not (patches or folds):
        raise InputError(
            f"There is nothing to train on or to measure: {len(kept)} images to train on, {len(patches)} held out.",
            "Add labels, or give --folds with at least two places.",
            code="no-samples",
        )
    reporter.message(f"Simulating the missing ones of {order.scenes} scenes in {order.work}.")
    simulated = _simulated(order.scenes, order.work / "landcover")
    folder = order.work / order.name
    samples: list[Sample] = []
    for number, places in enumerate(folds, 1):
        reporter.message(f"Network {number} of {len(folds)} that measure: without {', '.join(sorted(places))}.")
        others = [one for one in kept if one.place not in places]
        module, draws = _trained(order, others, simulated, surface, folder / f"fold-{number}", reporter)
        samples.append([(logits_of(module, draws, one), one) for one in large if one.place in places])
    reporter.message(
        f"Training on {len(kept)} images of {len({one.place for one in kept})} places and {len(simulated)} simulated "
        f"ones; {len(patches)} patches are held out."
    )
    module, draws = _trained(order, kept, simulated, surface, folder, reporter)
    held = [(logits_of(module, draws, one), one) for one in patches]
    temperature = _temperature(samples or [held])
    metrics = [*_crossed(samples, {one.place for one in large}), *_patches(module, draws, patches, held, temperature)]
    return save_segmentation(
        module,
        order.name,
        order.output,
        title=f"ResNet-18 with a pyramid, {len(legends.DYNAMIC_WORLD)} classes of Dynamic World, per pixel of 10 m",
        description=(
            "Land cover per pixel, trained by `sunbreak train classifier --labels` on labels that another network "
            f"computed and no person checked, and on EuroSAT's. {ATTRIBUTION}"
        ),
        licence="GPL-2.0-or-later",
        bands=legends.TEN_BANDS,
        standardisation=surface,
        standardisation_l1c=standardisation_l1c(surface),
        classes=legends.DYNAMIC_WORLD,
        half=True,
        temperature=(round(temperature, 4),),
        calibrated_on=(
            f"{len(large)} images by the networks that had not seen their places" if samples else "EuroSAT, held out"
        ),
        training={
            "command": order.command,
            "images": f"{len(kept)} of {len({one.place for one in kept})} places",
            "simulated_images": f"{len(simulated)}, seeds 1 to {order.scenes}",
            "attribution": ATTRIBUTION,
            "minutes": round(minutes_of(folder / LOG), 1),
            "device": order.device,
            "recipe": asdict(order.recipe),
        },
        metrics=tuple(metrics),
    )


def folds_of(images: Sequence[LabelledImage], count: int) -> list[set[str]]:
    """The places of each fold: dealt out one by one, in the order of the folders and names.

    Neighbours in that order come from one source and often look alike, so that each fold has some of each source.

    Args:
        images: Images without those of EuroSAT.
        count: Number of folds; fewer if there are fewer places, none if it is less than 2.
    """
    places = [*dict.fromkeys(one.place for one in sorted(images, key=lambda one: (one.name.split("/")[0], one.place)))]
    count = min(count, len(places))
    return [{*places[number::count]} for number in range(count)] if count > 1 else []


def _at_surface(image: LabelledImage) -> LabelledImage:
    """The image with surface reflectance, whatever its level."""
    if image.level != "L1C":
        return image
    return replace(image, dn=(at_the_ground(image.dn / DN) * DN).astype(np.float32), level="L2A")


def _trained(
    order: SegmentationOrder,
    images: Sequence[LabelledImage],
    simulated: Sequence[LabelledImage],
    standard: Standardisation,
    folder: Path,
    reporter: Reporter,
) -> tuple[ResNetFPN, Draws]:
    """A network trained on the labels that may be right, with its weights rounded as they are stored."""
    recipe = order.recipe
    cleaned = [replace(one, classes=without_doubtful(one)) for one in images]
    draws = Draws(
        cleaned, simulated, standard, recipe.side, recipe.seed,
        patch_share=recipe.patch_share, simulated_share=recipe.simulated_share,
    )  # fmt: skip
    module = train(recipe, draws, folder, reporter, order.device)
    return module.to("cpu").half().float().eval(), draws


def _crossed(samples: Sequence[Sample], places: set[str]) -> list[dict[str, Any]]:
    """The metrics of a card by the networks of the folds, each calibrated on the other folds."""
    if not samples:
        return []
    pairs: Sample = []
    for number, sample in enumerate(samples):
        temperature = _temperature([one for at, one in enumerate(samples) if at != number])
        pairs += _cooled(sample, temperature)
    what = (
        f"cross-validation by place ({len(places)} places, {len(pairs)} images): {len(samples)} networks, each trained "
        "without the places that it is measured on; the model was trained on all places"
    )
    return [{"data": what, "figures": pixel_figures(pairs)}]


def _patches(
    module: ResNetFPN, draws: Draws, patches: Sequence[LabelledImage], held: Sample, temperature: float
) -> list[dict[str, Any]]:
    """The metrics of a card on the held-out patches of EuroSAT."""
    if not patches:
        return []
    count = f"({len(patches)} patches)"
    figures = patch_figures(module, draws, patches)
    pixels = pixel_figures(_cooled(held, temperature))
    return [
        {"data": f"held-out patches of EuroSAT {count}; {EUROSAT_RULE}", "figures": figures},
        {"data": f"held-out patches of EuroSAT, pixels {count}", "figures": pixels},
    ]


def _cooled(sample: Sample, temperature: float) -> Sample:
    return [(logits / np.float32(temperature), image) for logits, image in sample]


def _temperature(samples: Sequence[Sample]) -> float:
    """The temperature that calibrates the logits of some images; each image counts with as many pixels."""
    logits, classes = [], []
    for scores, image in (pair for sample in samples for pair in sample):
        known = np.flatnonzero(image.classes.ravel())
        picked = known[:: max(1, len(known) // _CALIBRATION_PIXELS)]
        logits.append(scores.reshape(len(scores), -1)[:, picked].T)
        classes.append(image.classes.ravel()[picked].astype(np.int64) - 1)
    return fit_temperature(np.concatenate(logits), np.concatenate(classes))


def _simulated(count: int, cache: Path) -> list[LabelledImage]:
    """Simulated scenes with the classes of Dynamic World; savanna, which it does not have, has no label."""
    to_dynamic_world = np.zeros(len(legends.SIMPLIFIED_IGBP) + 1, np.uint8)
    for number, igbp in enumerate(legends.TO_SIMPLIFIED_IGBP, 1):
        to_dynamic_world[igbp + 1] = number
    picked = [S2_BANDS.index(band) for band in legends.TEN_BANDS]
    images = []
    for seed, path in simulated_files(count, 1, cache):
        with open_stored(path, limit=STATE_LIMIT) as file:
            stored = read_arrays(file)
        classes = to_dynamic_world[stored["landcover"]]
        confidence = np.full(classes.shape, _SIMULATED_CONFIDENCE, np.float32)
        dn = stored["clear"][picked].astype(np.float32)
        images.append(
            _at_surface(LabelledImage(f"simulated {seed}", f"simulated {seed}", "L1C", dn, classes, confidence))
        )
    return images
