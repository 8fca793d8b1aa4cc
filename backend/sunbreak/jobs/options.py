"""The options of each step of a job, and of the chain. Plain values, checked when they are created."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from sunbreak.clouds import CloudSettings
from sunbreak.clouds.margins import Margins
from sunbreak.defaults import CLOUD_DETECTOR, CONFIDENT, RECONSTRUCTED, REPLACE
from sunbreak.engine.runtime import PRECISIONS, DeviceName, Precision, RuntimeName
from sunbreak.errors import InputError
from sunbreak.landcover.explanation import PREDICTED
from sunbreak.landcover.trust import TrustThresholds
from sunbreak.models.card_common import CommonFacts
from sunbreak.models.saliency_methods import AUTO, METHODS, method_for

TaskName = Literal["detect", "clean", "classify", "explain", "run"]
"""What a job does; ``run`` is the chain of clean, classify and explain."""

_MAX_MARGIN = 64
_MARGINS = {
    "feather": "feather",
    "buffer": "buffer",
    "buffer_thin": "buffer of thin clouds",
    "buffer_shadow": "buffer of shadows",
}
BLOCK = "layer4"
"""The block that is mapped if none is given."""
_BLOCKS = ("layer1", "layer2", "layer3", "layer4")


@dataclass(frozen=True)
class DetectOptions:
    """How clouds are detected.

    Attributes:
        clouds: Settings of the detector.
        detector: ``auto``, ``scl``, ``none`` or the name of a detector, see `sunbreak.clouds.choice`.
        precision: ``exact``, or ``fast``, see `sunbreak.engine.runtime.make_runtime`.
    """

    clouds: CloudSettings = field(default_factory=CloudSettings)
    detector: str = CLOUD_DETECTOR


@dataclass(frozen=True)
class CleanOptions:
    """How a scene is cleaned.

    Attributes:
        clouds: How clouds are detected when no mask was given.
        replace_all: Replace every pixel by the prediction, clear ones too.
        feather: Width of the blended edge inside the mask, in pixels. None is 4, but at most the buffer: what was
            observed under the mask itself is cloud and must not stay.
        buffer: Pixels by which the mask is dilated first. None is 4 for clouds that were detected or that the product
            brings, whose edges are bright, and 0 for a mask that was given.
        buffer_thin: The same for thin clouds; `buffer` if None.
        buffer_shadow: The same for shadows; `buffer` if None.
        replace: What is replaced: ``clouds`` (thick ones), ``thin`` and ``shadows``. The rest stays as it was observed.
        device: Where the network runs.
        runtime: What runs it.
        detector: ``auto``, ``scl``, ``none`` or the name of a detector, see `sunbreak.clouds.choice`.
        precision: ``exact``, or ``fast``, see `sunbreak.engine.runtime.make_runtime`.
    """

    clouds: CloudSettings = field(default_factory=CloudSettings)
    replace_all: bool = False
    feather: int | None = None
    buffer: int | None = None
    device: DeviceName = "auto"
    runtime: RuntimeName = "auto"
    detector: str = CLOUD_DETECTOR
    buffer_thin: int | None = None
    buffer_shadow: int | None = None
    replace: tuple[str, ...] = REPLACE
    precision: Precision = "exact"

    def __post_init__(self) -> None:
        for name, words in _MARGINS.items():
            width = getattr(self, name)
            if width is not None and not 0 <= width <= _MAX_MARGIN:
                raise InputError(
                    f"The {words} is {width} pixels.",
                    f"Give a number from 0 to {_MAX_MARGIN}.",
                    code="bad-option",
                )
        if self.precision not in PRECISIONS:
            raise InputError(
                f"There is no precision {self.precision!r}.", f"Choose {' or '.join(PRECISIONS)}.", code="bad-option"
            )
        unknown = [word for word in self.replace if word not in REPLACE]
        if unknown or not self.replace:
            raise InputError(
                f"{', '.join(unknown)} cannot be replaced." if unknown else "No class is chosen to be replaced.",
                f"Choose from {', '.join(REPLACE)}.",
                code="bad-option",
            )

    def margins(self, default: int) -> Margins:
        """The margin of each class.

        Args:
            default: The margin if none is chosen.
        """
        thick = self.buffer if self.buffer is not None else default
        thin = self.buffer_thin if self.buffer_thin is not None else thick
        return Margins(thick, thin, self.buffer_shadow if self.buffer_shadow is not None else thick)


@dataclass(frozen=True)
class ClassifyOptions:
    """How a scene is classified.

    Attributes:
        stride: Pixels from one patch to the next; the card's if not given. Classifiers of pixels take none.
        device: Where the network runs.
        runtime: What runs it.
        probabilities: Whether a classifier of pixels writes the probabilities of all classes, as those of patches
            always do.
    """

    stride: int | None = None
    device: DeviceName = "auto"
    runtime: RuntimeName = "auto"
    probabilities: bool = False


@dataclass(frozen=True)
class ExplainOptions:
    """What is explained, and how.

    Attributes:
        wanted: Name of a class, or ``predicted``: the predicted class of each patch or pixel.
        method: One of `sunbreak.models.saliency_methods.METHODS`; ``auto`` suits the classifier.
        block: ``layer1`` to ``layer4``. Integrated gradients take none.
        stride: Pixels from one patch to the next; the card's if not given. Classifiers of pixels take none.
        device: Where the network runs.
    """

    wanted: str = PREDICTED
    method: str = AUTO
    block: str = BLOCK
    stride: int | None = None
    device: DeviceName = "auto"

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(
                f"There is no method {self.method!r}.", f"Choose {', '.join(METHODS)}.", code="unknown-method"
            )
        if self.block not in _BLOCKS:
            raise InputError(
                f"There is no block {self.block!r}.", f"Choose {', '.join(_BLOCKS)}.", code="unknown-block"
            )

    def settled(self, card: CommonFacts) -> ExplainOptions:
        """These options with the method that explains a classifier in place of ``auto``.

        Raises:
            InputError: The classifier does not take the method (``bad-option``).
        """
        return replace(self, method=method_for(card, self.method))


@dataclass(frozen=True)
class ChainOptions:
    """How the chain runs.

    Attributes:
        clean: How the scene is cleaned.
        classify: How it is classified.
        explain: What is explained; None leaves that out.
        thresholds: What `trust` calls confident and reconstructed.
    """

    clean: CleanOptions = field(default_factory=CleanOptions)
    classify: ClassifyOptions = field(default_factory=ClassifyOptions)
    explain: ExplainOptions | None = field(default_factory=ExplainOptions)
    thresholds: TrustThresholds = field(default_factory=TrustThresholds)


Options = DetectOptions | CleanOptions | ClassifyOptions | ExplainOptions | ChainOptions
"""How a job is done; each task has its own."""


def task_options(
    task: TaskName,
    *,
    threshold: float = CloudSettings.threshold,
    exact_clouds: bool = False,
    replace_all: bool = False,
    feather: int | None = None,
    buffer: int | None = None,
    buffer_thin: int | None = None,
    buffer_shadow: int | None = None,
    replace: Sequence[str] = REPLACE,
    detector: str = CLOUD_DETECTOR,
    stride: int | None = None,
    probabilities: bool = False,
    explained: str = PREDICTED,
    method: str = AUTO,
    block: str = BLOCK,
    confident: float = CONFIDENT,
    reconstructed: float = RECONSTRUCTED,
    device: DeviceName = "auto",
    runtime: RuntimeName = "auto",
    precision: Precision = "exact",
) -> Options:
    """The options of a task from single values; values that the task does not use are ignored.

    Args:
        task: The task.
        threshold: Cloud probability above which a pixel is cloud.
        exact_clouds: Detect clouds at the scene's own resolution.
        replace_all: See `CleanOptions`.
        feather: See `CleanOptions`.
        buffer: See `CleanOptions`.
        buffer_thin: See `CleanOptions`.
        buffer_shadow: See `CleanOptions`.
        replace: See `CleanOptions`.
        detector: See `CleanOptions`.
        stride: Pixels from one patch to the next.
        probabilities: See `ClassifyOptions`.
        explained: Name of a class, or ``predicted``; the chain leaves the saliency out with ``none``.
        method: See `ExplainOptions`.
        block: See `ExplainOptions`.
        confident: See `TrustThresholds`.
        reconstructed: See `TrustThresholds`.
        device: Where the networks run.
        runtime: What runs them.
        precision: See `CleanOptions`.

    Raises:
        InputError: A value is out of its range.
    """
    if task == "classify":
        return ClassifyOptions(stride, device, runtime, probabilities)
    if task == "explain":
        return ExplainOptions(explained, method, block, stride, device)
    clouds = CloudSettings(threshold=threshold, factor=1) if exact_clouds else CloudSettings(threshold=threshold)
    if task == "detect":
        return DetectOptions(clouds, detector)
    clean = CleanOptions(
        clouds, replace_all, feather, buffer, device, runtime, detector, buffer_thin, buffer_shadow, tuple(replace),
        precision,
    )  # fmt: skip
    if task == "clean":
        return clean
    return ChainOptions(
        clean,
        ClassifyOptions(stride, device, runtime, probabilities),
        None if explained.lower() == "none" else ExplainOptions(explained, method, block, stride, device),
        TrustThresholds(confident, reconstructed),
    )
