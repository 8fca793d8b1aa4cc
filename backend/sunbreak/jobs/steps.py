"""The steps that jobs are made of: clean, classify, explain. A step names its layers first and writes them when run.

A job of one step is that step in a set of layers of its own; the chain is three steps in one set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.clouds.detection import CloudDetection, CloudRuntime, CloudSettings
from sunbreak.engine import RunCount, Runtime, make_runtime, run_task
from sunbreak.engine.runtime import DeviceName, RuntimeName
from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.jobs.result import gdal_scale
from sunbreak.jobs.step_checkpoints import StepKeeper
from sunbreak.landcover import sliding_window
from sunbreak.landcover.classification import LandCover, PairRuntime, TrustThresholds, slug
from sunbreak.landcover.explanation import PREDICTED, Explanation, find_class
from sunbreak.landcover.sliding_window import CleanedRows, RowSource
from sunbreak.layers import roles
from sunbreak.layers.output import LayerSet
from sunbreak.layers.roles import LayerSpec
from sunbreak.models.registry import ModelFiles
from sunbreak.removal import task as removal
from sunbreak.removal.task import DEFAULT_BUFFER, DEFAULT_FEATHER, CloudRemoval, MaskSource
from sunbreak.scene import Scene, SceneReader

_MAX_MARGIN = 64
_SAMPLING = ("samples", "seed")
_BLOCKS = ("layer1", "layer2", "layer3", "layer4")


@dataclass(frozen=True)
class CleanOptions:
    """How a scene is cleaned.

    Attributes:
        clouds: How clouds are found when no mask was given.
        replace_all: Replace every pixel by the prediction, clear ones too.
        feather: Width of the mixed edge inside the mask, in pixels; None is 4, but no more than the mask is grown by:
            what was observed under the mask itself is cloud, of which nothing is to stay.
        buffer: Pixels by which the mask is grown first; None is 4 for clouds that were looked for or that the product
            brings, whose edges are bright, and 0 for a mask that was given.
        device: Where the network runs.
        runtime: What runs it.
    """

    clouds: CloudSettings = field(default_factory=CloudSettings)
    replace_all: bool = False
    feather: int | None = None
    buffer: int | None = None
    device: DeviceName = "auto"
    runtime: RuntimeName = "auto"

    def __post_init__(self) -> None:
        for name, width in (("feather", self.feather or 0), ("buffer", self.buffer or 0)):
            if not 0 <= width <= _MAX_MARGIN:
                raise InputError(
                    f"The {name} is {width} pixels.", f"Give a number from 0 to {_MAX_MARGIN}.", code="bad-option"
                )


@dataclass(frozen=True)
class ClassifyOptions:
    """How a scene is classified.

    Attributes:
        stride: Pixels from one patch to the next; the card's if not given.
        device: Where the network runs.
        runtime: What runs it.
    """

    stride: int | None = None
    device: DeviceName = "auto"
    runtime: RuntimeName = "auto"


@dataclass(frozen=True)
class ExplainOptions:
    """What is explained, and how.

    Attributes:
        wanted: Name of a class, or ``predicted``: in each patch the class that it is taken for.
        method: ``gradcam`` or ``hirescam``.
        block: ``layer1`` to ``layer4``.
        stride: Pixels from one patch to the next; the card's if not given.
        device: Where the network runs.
    """

    wanted: str = PREDICTED
    method: str = "gradcam"
    block: str = "layer4"
    stride: int | None = None
    device: DeviceName = "auto"

    def __post_init__(self) -> None:
        if self.method not in ("gradcam", "hirescam"):
            raise InputError(
                f"There is no method {self.method!r}.", "Choose gradcam or hirescam.", code="unknown-method"
            )
        if self.block not in _BLOCKS:
            raise InputError(
                f"There is no block {self.block!r}.", f"Choose {', '.join(_BLOCKS)}.", code="unknown-block"
            )


class CleaningStep:
    """Removes the clouds of a scene, after looking for them if no mask was given.

    Args:
        scene: What to clean.
        files: The model.
        options: How.
        runtime: Where the network runs, if not chosen by `options`.

    Raises:
        SunbreakError: The model does not fit the scene.
    """

    def __init__(self, scene: Scene, files: ModelFiles, options: CleanOptions, runtime: Runtime | None = None) -> None:
        self.scene, self.files, self.options, self.runtime = scene, files, options, runtime
        self.detection = None
        # a guided network has to know what is cloud even where everything is replaced
        masked = files.card.guided or not options.replace_all
        if masked and not scene.has_mask:
            self.detection = CloudDetection(scene, options.clouds)
        exact = scene.cloud_mask is not None and not scene.cloud_mask.of_product
        buffer = options.buffer if options.buffer is not None else 0 if exact else DEFAULT_BUFFER
        feather = options.feather if options.feather is not None else min(DEFAULT_FEATHER, buffer)
        source = _mask_source(self.detection) if masked else None
        self.task = CloudRemoval(scene, files.card, source, feather, buffer, replace_all=options.replace_all)
        self.count = RunCount()

    @property
    def specs(self) -> list[LayerSpec]:
        """The layers."""
        scene = self.scene
        specs = [roles.cleaned(scene.bands, scene.dtype, scene.nodata, *gdal_scale(scene)), roles.reconstructed()]
        specs += [roles.uncertainty(scene.bands)] if self.files.card.has_variance else []
        specs += [roles.cloud_mask()] if self.task.mask is not None else []
        specs += [roles.cloud_probability()] if self.detection else []
        return specs

    @property
    def _whence(self) -> object:
        """Where the clouds come from."""
        mask = self.scene.cloud_mask
        if mask is None:
            return asdict(self.options.clouds)
        return "the product's scene classification" if mask.of_product else "given mask"

    @property
    def parameters(self) -> dict[str, object]:
        """What the layers depend on beside the files."""
        options = self.options
        return {
            "replace_all": options.replace_all,
            "feather": self.task.feather,
            "buffer": self.task.buffer,
            "clouds": self._whence,
            "prior": "the model's, and what is clear around" if self.task.looks_around else "the model's",
            "temperature": list(self.files.card.temperature),
            **{key: self.files.card.arguments[key] for key in _SAMPLING if key in self.files.card.arguments},
        }

    def run(self, layers: LayerSet, reporter: Reporter) -> None:
        """Write the layers.

        Raises:
            SunbreakError: Reading, computing or writing failed.
        """
        for text in removal.fit_warnings(self.scene, self.files.card):
            reporter.message(text, "warning")
        if self.detection:
            looking = CloudRuntime(self.options.clouds)
            reporter.message(f"Clouds: {looking.label}.")
            # the removal writes the mask; here only the probability is new
            write = _only("cloud_probability", layers.write)
            keeper = StepKeeper(layers, "clouds", looking.label, self.detection)
            run_task(self.detection, self.scene, looking, write, reporter, keeper)
        if self.task.looks_around:
            seen = self.task.look_around(reporter.checkpoint)
            reporter.message(f"{seen:,} clear pixels of the scene tell what may lie under the clouds.")
        runtime = self.runtime or make_runtime(self.files, self.options.device, self.options.runtime)
        reporter.message(f"Model {self.files.card.name} with {runtime.label}.")
        keeper = StepKeeper(layers, "clean", runtime.label, self.task)
        self.count = run_task(self.task, self.scene, runtime, layers.write, reporter, keeper)

    def numbers(self) -> dict[str, float | str]:
        """Figures of the run."""
        return {**self.task.numbers(), "tiles": self.count.tiles, "tiles_computed": self.count.computed}


class ClassifyingStep:
    """Classifies a scene, or its cleaned version.

    Args:
        scene: What to classify.
        files: The classifier.
        options: How.
        cleaned: Classify this version of the scene.
        share: The synthesised share of rows, when the scene itself is a cleaned one.
        compare: Classify the scene as it came as well.
        thresholds: What `trust` calls sure and seen; None leaves that layer out.
        runtime: Where the network runs, if not chosen by `options`.

    Raises:
        SunbreakError: The model does not fit the scene.
    """

    def __init__(
        self,
        scene: Scene,
        files: ModelFiles,
        options: ClassifyOptions,
        *,
        cleaned: CleanedRows | None = None,
        share: RowSource | None = None,
        compare: bool = False,
        thresholds: TrustThresholds | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        self.scene, self.files, self.options, self.runtime = scene, files, options, runtime
        self.task = LandCover(
            scene, files.card, options.stride, cleaned=cleaned, share=share, compare=compare, thresholds=thresholds
        )
        self.count = RunCount()

    @property
    def specs(self) -> list[LayerSpec]:
        """The layers."""
        names = [kind.name for kind in self.files.card.classes]
        colours = [kind.colour for kind in self.files.card.classes]
        cell, task = self.task.cell, self.task
        specs = [
            roles.landcover(names, colours, cell),
            roles.landcover_confidence(cell),
            roles.landcover_entropy(cell),
            roles.landcover_probabilities(names, cell),
            roles.landcover_evidence(cell, task.share is not None),
        ]
        if task.thresholds is not None:
            specs.append(roles.trust(task.thresholds.confident, task.thresholds.reconstructed, cell))
        specs += [roles.landcover_change(cell)] if task.compare else []
        return specs

    @property
    def parameters(self) -> dict[str, object]:
        """What the layers depend on beside the files."""
        limits = self.task.thresholds
        return {"stride": self.task.stride, "cell": self.task.cell} | (asdict(limits) if limits is not None else {})

    def run(self, layers: LayerSet, reporter: Reporter) -> None:
        """Write the layers.

        Raises:
            SunbreakError: Reading, computing or writing failed.
        """
        for text in sliding_window.fit_warnings(self.scene, self.files.card):
            reporter.message(text, "warning")
        runtime = self.runtime or make_runtime(self.files, self.options.device, self.options.runtime)
        card = self.files.card
        reporter.message(
            f"Classifier {card.name} with {runtime.label}: patches of {card.tile} px every {self.task.stride} px, "
            f"cells of {self.task.cell} px."
        )
        running = PairRuntime(runtime) if self.task.compare else runtime
        keeper = StepKeeper(layers, "classify", running.label, self.task)
        self.count = run_task(self.task, self.scene, running, layers.write, reporter, keeper)

    def numbers(self) -> dict[str, float | str]:
        """Figures of the run."""
        return {**self.task.numbers(), "patches": self.count.computed}


class ExplainingStep:
    """Shows what a classifier looks at in a scene, or in its cleaned version.

    Args:
        scene: What to look at.
        files: The classifier.
        options: How.
        cleaned: Look at this version of the scene.
        inside: (row, column) of the scene, the only place that is of interest.
        per_pixel: Give the map per pixel rather than on cells.
        runtime: Where the network runs, if not made from `files`; for this target, block, method and side of maps.

    Raises:
        SunbreakError: The model does not fit the scene or knows no such class.
    """

    def __init__(
        self,
        scene: Scene,
        files: ModelFiles,
        options: ExplainOptions,
        *,
        cleaned: CleanedRows | None = None,
        inside: NDArray[np.bool_] | None = None,
        per_pixel: bool = False,
        runtime: Runtime | None = None,
    ) -> None:
        self.scene, self.files, self.options, self.runtime = scene, files, options, runtime
        self.target = find_class(files.card, options.wanted)
        stride = options.stride
        self.task = Explanation(scene, files.card, stride, cleaned=cleaned, inside=inside, per_pixel=per_pixel)
        self.title = PREDICTED if self.target is None else files.card.classes[self.target].name
        self.role = f"saliency_{slug(self.title)}"

    @property
    def specs(self) -> list[LayerSpec]:
        """The layer."""
        return [roles.saliency(slug(self.title), self.title, self.task.cell)]

    @property
    def parameters(self) -> dict[str, object]:
        """What the layer depends on beside the files."""
        options = self.options
        return {
            "explained_class": self.title,
            "method": options.method,
            "block": options.block,
            "saliency_stride": self.task.stride,
            "saliency_cell": self.task.cell,
        }

    def run(self, layers: LayerSet, reporter: Reporter) -> None:
        """Write the layer.

        Raises:
            SunbreakError: Reading, computing or writing failed.
        """
        task = self.task
        runtime = self.runtime or self._make_runtime()
        card = self.files.card
        reporter.message(f"Explaining {self.title} of {card.name} with {runtime.label}.")
        keeper = StepKeeper(layers, "explain", runtime.label, task)
        run_task(task, self.scene, runtime, layers.write, reporter, keeper)
        layers.write(self.role, 0, task.normalised()[None])
        layers.provenance["saliency_scale"] = f"{task.scale[0]:.9g} {task.scale[1]:.9g}"

    def _make_runtime(self) -> Runtime:
        from sunbreak.engine.runtime import choose_device
        from sunbreak.engine.saliency_runtime import SaliencyRuntime
        from sunbreak.models.architectures import load_classifier

        method: Any = self.options.method
        return SaliencyRuntime(
            load_classifier(self.files), choose_device(self.options.device), self.files.card.tile, self.task.side,
            target=self.target, block=self.options.block, method=method,
        )  # fmt: skip

    def numbers(self) -> dict[str, float | str]:
        """Figures of the run."""
        first = self.task.bands()[0]
        return {
            "explained_class": self.title,
            "saliency_maximum": self.task.scale[1],
            "strongest_band": first.band,
            "strongest_band_share": first.share,
        }


def _mask_source(detection: CloudDetection | None) -> MaskSource:
    if detection is not None:
        found = detection.mask
        return lambda reader, first, stop: found.get(first, stop)

    def given(reader: SceneReader, first: int, stop: int) -> NDArray[np.bool_]:
        return reader.mask(Window(0, first, reader.scene.grid.width, stop - first))

    return given


def _only(
    role: str, write: Callable[[str, int, NDArray[np.float32]], None]
) -> Callable[[str, int, NDArray[np.float32]], None]:
    def chosen(name: str, row: int, values: NDArray[np.float32]) -> None:
        if name == role:
            write(name, row, values)

    return chosen
