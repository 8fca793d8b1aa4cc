"""Faithfulness of a classifier's saliency maps on a scene: sanity check, deletion and insertion curves.

A classifier of patches is asked for the probability of the patch's predicted class. A per-pixel classifier is asked for
the class that most pixels of a patch were given: its mean probability over the area where it was predicted. The pixels
of that area matter more to it than others, whatever a map says. Therefore curves of the area's pixels, in random order
before all others, are given too: a map that is no better than they are says no more than where the class is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from rasterio.windows import Window
from scipy.ndimage import gaussian_filter

from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.landcover.sliding_window import Patches
from sunbreak.metrics.saliency import area, deletion_curve, insertion_curve, spearman
from sunbreak.models.architectures import load_classifier, load_segmentation
from sunbreak.models.cam import explain, to_image
from sunbreak.models.cam_segmentation import map_of_area
from sunbreak.models.card_landcover import is_per_pixel
from sunbreak.models.input_attribution import integrated_gradients
from sunbreak.models.registry import ModelFiles
from sunbreak.models.resnet import STAGES, ResNet
from sunbreak.models.resnet_fpn import ResNetFPN
from sunbreak.models.saliency_methods import AUTO, INTEGRATED, method_for
from sunbreak.scene import Scene

_BLUR = 5.0
# of per-pixel classifiers: a patch holds what its middle depends on, and the blur hides whole fields
_PIXELS_SIDE, _PIXELS_BLUR = 256, 20.0


@dataclass(frozen=True)
class Faithfulness:
    """Means over the patches.

    Attributes:
        patches: How many there were.
        spearman: Rank correlation with the map of a network whose weights are random from the head down to a part, by
            name of that part; near 0 means that the map depends on the learnt weights. Of per-pixel classifiers only
            pixels of the class are compared: both maps are told where they are.
        deletion: Area under the probability curve while the most salient pixels are removed; lower is better.
        deletion_random: The same with pixels in random order.
        insertion: Area while the most salient pixels are inserted into the blurred patch; higher is better.
        insertion_random: The same with pixels in random order.
        deletion_area: The same with the pixels of the class first, and then the others, each in random order; None of
            classifiers of patches.
        insertion_area: The same with that order.
    """

    patches: int
    spearman: dict[str, float]
    deletion: float
    deletion_random: float
    insertion: float
    insertion_random: float
    deletion_area: float | None = None
    insertion_area: float | None = None


def measure(
    scene: Scene,
    files: ModelFiles,
    reporter: Reporter,
    *,
    method: str = AUTO,
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
        method: Which map, see `sunbreak.models.saliency_methods.METHODS`.
        block: `layer1` to `layer4`; integrated gradients take none.
        patches: How many patches at most.
        steps: Steps of the curves.
        seed: Seed of the random weights and orders.

    Raises:
        InputError: The scene has no patch without nodata, or lacks a band, or the classifier does not take the method.
        ModelError: There is no such block.
    """
    method = method_for(files.card, method)
    judge: _Judge = _PixelJudge(files) if is_per_pixel(files.card) else _PatchJudge(files)
    x = _patches(scene, files, patches, judge.side)
    raw, targets = judge.predicted(x, block, method)
    maps = to_image(raw, *x.shape[2:]).numpy()
    rng = np.random.default_rng(seed)
    correlation: dict[str, float] = {}
    fields = [judge.area(image, target) for image, target in zip(x.numpy(), targets, strict=True)]
    compared = [... if where is None else where for where in fields]
    for part, randomised in _randomised(judge.model, judge.parts, seed):
        reporter.checkpoint()
        others = to_image(_maps(judge, randomised, x, targets, block, method), *x.shape[2:]).numpy()
        values = [spearman(a[where], b[where]) for a, b, where in zip(maps, others, compared, strict=True)]
        correlation[part] = float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
    areas = []
    for index, (image, saliency, target, where) in enumerate(zip(x.numpy(), maps, targets, fields, strict=True)):
        reporter.checkpoint()
        predict = judge.probability(image, target)
        blurred = gaussian_filter(image, (0, judge.blur, judge.blur))
        chance = rng.permutation(saliency.size).reshape(saliency.shape)
        orders = [saliency, chance, *([] if where is None else [chance + where * chance.size])]
        areas.append(
            [
                (
                    area(deletion_curve(image, order, predict, steps)),
                    area(insertion_curve(image, order, predict, steps, blurred)),
                )
                for order in orders
            ]
        )
        reporter.progress(index + 1, len(maps), "patches")
    # (order, curve), as the fields of the result
    means = np.mean(areas, axis=0)
    of_map_and_chance, of_area = means[:2].T.ravel().tolist(), means[2:].ravel().tolist()
    return Faithfulness(len(maps), correlation, *of_map_and_chance, *of_area)


def _patches(scene: Scene, files: ModelFiles, count: int, side: int) -> torch.Tensor:
    """Standardised patches without nodata at random places, (patch, channel, row, column)."""
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


Predict = Callable[[NDArray[np.float32]], NDArray[Any]]


class _Judge(Protocol):
    """A classifier as the measurements see it: its network, the parts of it from the head down, and its patches."""

    model: Any
    parts: tuple[str, ...]
    side: int
    blur: float

    def predicted(self, x: torch.Tensor, block: str, method: Any) -> tuple[torch.Tensor, list[int]]:
        """The signed map (patch, row, column) of each patch's predicted class, and these classes."""
        ...

    def raw_map(self, model: Any, x: torch.Tensor, target: int, block: str, method: Any) -> torch.Tensor:
        """The signed map (1, row, column) of one patch, by a network of the same architecture."""
        ...

    def area(self, image: NDArray[np.float32], target: int) -> NDArray[np.bool_] | None:
        """Where the classifier gives an image the class, (row, column); None if it gives one to the whole image."""
        ...

    def probability(self, image: NDArray[np.float32], target: int) -> Predict:
        """What gives the probability of a class for versions of an image (batch, band, row, column)."""
        ...


class _PatchJudge:
    """A class for each patch."""

    parts = ("fc", *reversed(STAGES), "conv1")
    blur = _BLUR

    def __init__(self, files: ModelFiles) -> None:
        self.model, self.side = load_classifier(files), files.card.tile

    def predicted(self, x: torch.Tensor, block: str, method: Any) -> tuple[torch.Tensor, list[int]]:
        """See `_Judge`."""
        found = explain(self.model, x, None, block, method)
        return found.raw, found.target.tolist()

    def raw_map(self, model: ResNet, x: torch.Tensor, target: int, block: str, method: Any) -> torch.Tensor:
        """See `_Judge`."""
        return explain(model, x, target, block, method).raw

    def area(self, image: NDArray[np.float32], target: int) -> NDArray[np.bool_] | None:
        """See `_Judge`."""
        return None

    def probability(self, image: NDArray[np.float32], target: int) -> Predict:
        """See `_Judge`."""

        def predict(images: NDArray[np.float32]) -> NDArray[Any]:
            with torch.inference_mode():
                logits = self.model(torch.from_numpy(images))
                chosen: NDArray[Any] = torch.softmax(logits, dim=1)[:, target].numpy()
            return chosen

        return predict


class _PixelJudge:
    """A class for each pixel."""

    parts = ("classifier", "merge", "local", "smooth", "lateral", *reversed(STAGES), "conv1")
    side, blur = _PIXELS_SIDE, _PIXELS_BLUR

    def __init__(self, files: ModelFiles) -> None:
        self.model = load_segmentation(files)

    def predicted(self, x: torch.Tensor, block: str, method: Any) -> tuple[torch.Tensor, list[int]]:
        """See `_Judge`: the class of most pixels."""
        kinds = [int(torch.bincount(self._best(one[None]).flatten()).argmax()) for one in x]
        return _maps(self, self.model, x, kinds, block, method), kinds

    def raw_map(self, model: ResNetFPN, x: torch.Tensor, target: int, block: str, method: Any) -> torch.Tensor:
        """See `_Judge`: for the area where the classifier, not the given network, predicts the class."""
        where = self._best(x) == target
        if method == INTEGRATED:
            return integrated_gradients(model, x, where, target).raw
        return map_of_area(model, x, where, target, block, method)

    def area(self, image: NDArray[np.float32], target: int) -> NDArray[np.bool_] | None:
        """See `_Judge`."""
        found: NDArray[np.bool_] = (self._best(torch.from_numpy(image[None]))[0] == target).numpy()
        return found

    def probability(self, image: NDArray[np.float32], target: int) -> Predict:
        """See `_Judge`: the mean over the area where the class is predicted in the whole image."""
        area = self.area(image, target)

        def predict(images: NDArray[np.float32]) -> NDArray[Any]:
            with torch.inference_mode():
                probabilities = torch.softmax(self.model(torch.from_numpy(images)), dim=1)[:, target]
                chosen: NDArray[Any] = probabilities[:, area].mean(dim=1).numpy()
            return chosen

        return predict

    def _best(self, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            best: torch.Tensor = self.model(x).argmax(dim=1)
        return best


def _randomised(model: Any, parts: tuple[str, ...], seed: int) -> list[tuple[str, Any]]:
    """The network with random weights in its head, then also in the part before, and so on (cascading)."""
    import copy

    networks = []
    current = copy.deepcopy(model)
    torch.manual_seed(seed)
    for part in parts:
        for module in current.get_submodule(part).modules():
            reset = getattr(module, "reset_parameters", None)
            if reset is not None:
                reset()
        networks.append((part, copy.deepcopy(current).eval()))
    return networks


def _maps(judge: _Judge, model: Any, x: torch.Tensor, targets: list[int], block: str, method: Any) -> torch.Tensor:
    maps = [judge.raw_map(model, x[i : i + 1], kind, block, method) for i, kind in enumerate(targets)]
    return torch.cat(maps)
