"""Faithfulness of a classifier's saliency maps on a scene: sanity check, deletion and insertion curves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rasterio.windows import Window
from scipy.ndimage import gaussian_filter

from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.landcover.sliding_window import Patches
from sunbreak.metrics.saliency import area, deletion_curve, insertion_curve, spearman
from sunbreak.models.architectures import load_classifier
from sunbreak.models.cam import Method, explain, to_image
from sunbreak.models.registry import ModelFiles
from sunbreak.models.resnet import STAGES, ResNet
from sunbreak.scene import Scene

_BLUR = 5.0


@dataclass(frozen=True)
class Faithfulness:
    """Means over the patches.

    Attributes:
        patches: How many there were.
        spearman: Rank correlation with the map of a network whose weights are random from the head down to a part, by
            name of that part; near 0 means that the map depends on the learnt weights.
        deletion: Area under the probability curve while the most salient pixels are removed; lower is better.
        deletion_random: The same with pixels in random order.
        insertion: Area while the most salient pixels are inserted into the blurred patch; higher is better.
        insertion_random: The same with pixels in random order.
    """

    patches: int
    spearman: dict[str, float]
    deletion: float
    deletion_random: float
    insertion: float
    insertion_random: float


def measure(
    scene: Scene,
    files: ModelFiles,
    reporter: Reporter,
    *,
    method: Method = "gradcam",
    block: str = "layer4",
    patches: int = 16,
    steps: int = 16,
    seed: int = 0,
) -> Faithfulness:
    """Measure on patches spread over a scene, each for its predicted class.

    Args:
        scene: Where the patches are taken.
        files: The classifier.
        reporter: Receives the progress.
        method: Which map.
        block: `layer1` to `layer4`.
        patches: How many patches at most.
        steps: Steps of the curves.
        seed: Seed of the random weights and orders.

    Raises:
        InputError: The scene has no patch without nodata, or lacks a band.
        ModelError: There is no such block.
    """
    model = load_classifier(files)
    x = _patches(scene, files, patches)
    found = explain(model, x, None, block, method)
    maps = to_image(found.raw, *x.shape[2:]).numpy()
    rng = np.random.default_rng(seed)
    correlation: dict[str, float] = {}
    for part, randomised in _randomised(model, seed):
        reporter.checkpoint()
        others = to_image(_for_classes(randomised, x, found.target, block, method), *x.shape[2:]).numpy()
        values = [spearman(a, b) for a, b in zip(maps, others, strict=True)]
        correlation[part] = float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
    areas = []
    for index, (image, saliency, target) in enumerate(zip(x.numpy(), maps, found.target.tolist(), strict=True)):
        reporter.checkpoint()
        predict = _probability(model, target)
        blurred = gaussian_filter(image, (0, _BLUR, _BLUR))
        chance = rng.permutation(saliency.size).reshape(saliency.shape)
        areas.append(
            [
                area(deletion_curve(image, saliency, predict, steps)),
                area(deletion_curve(image, chance, predict, steps)),
                area(insertion_curve(image, saliency, predict, steps, blurred)),
                area(insertion_curve(image, chance, predict, steps, blurred)),
            ]
        )
        reporter.progress(index + 1, len(maps), "patches")
    means = np.mean(areas, axis=0)
    return Faithfulness(len(maps), correlation, *(float(value) for value in means))


def _patches(scene: Scene, files: ModelFiles, count: int) -> torch.Tensor:
    """Standardised patches without nodata at random places, (patch, channel, row, column)."""
    side = files.card.tile
    places = [
        (row, col)
        for row in range(0, scene.grid.height - side + 1, side)
        for col in range(0, scene.grid.width - side + 1, side)
    ]
    found: list[NDArray[np.float32]] = []
    for index in np.random.default_rng(0).permutation(len(places)):
        row, col = places[int(index)]
        part = scene.cropped(Window(col, row, side, side))
        with part.reader() as reader:
            planes = Patches(part, files.card, side, side).read(reader, 0, side)
        if planes["valid"].all():
            found.append(planes["x"])
        if len(found) == count:
            break
    if not found:
        raise InputError(
            f"{scene.inputs[0]}: holds no patch of {side} x {side} pixels without nodata.",
            "Give a larger or fuller scene.",
            code="too-small",
        )
    return torch.from_numpy(np.stack(found))


def _randomised(model: ResNet, seed: int) -> list[tuple[str, ResNet]]:
    """The network with random weights in its head, then also in the stage before, and so on (cascading)."""
    import copy

    networks = []
    current = copy.deepcopy(model)
    torch.manual_seed(seed)
    for part in ("fc", *reversed(STAGES), "conv1"):
        for module in current.get_submodule(part).modules():
            reset = getattr(module, "reset_parameters", None)
            if reset is not None:
                reset()
        networks.append((part, copy.deepcopy(current).eval()))
    return networks


def _for_classes(model: ResNet, x: torch.Tensor, targets: torch.Tensor, block: str, method: Method) -> torch.Tensor:
    return torch.cat([explain(model, x[i : i + 1], int(c), block, method).raw for i, c in enumerate(targets)])


def _probability(model: ResNet, target: int) -> Callable[[NDArray[np.float32]], NDArray[Any]]:
    def predict(images: NDArray[np.float32]) -> NDArray[Any]:
        with torch.inference_mode():
            chosen: NDArray[Any] = torch.softmax(model(torch.from_numpy(images)), dim=1)[:, target].numpy()
        return chosen

    return predict
