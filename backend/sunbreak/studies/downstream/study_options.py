"""The options of the downstream study, and its models if none are named."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sunbreak.metrics.classification import MODES, Mode
from sunbreak.models.registry import DEFAULT_REMOVAL
from sunbreak.studies.downstream.results import REPLICATES
from sunbreak.studies.downstream.teaching import Teaching

if TYPE_CHECKING:
    from sunbreak.engine.runtime import DeviceName, RuntimeName

TRAIN = "train"
# of patches, as in the paper, whatever classifier is the default elsewhere
DEFAULT_CLASSIFIER = "resnet18-landcover"


@dataclass(frozen=True)
class StudyOptions:
    """The options of the study.

    Attributes:
        sen12ms: Folder of SEN12MS; needed by the step `pair` only.
        sen12mscr: Folder of SEN12MS-CR; needed by the step `pair` only.
        removal: Cloud removal model; None uses the model of the earlier run, or the bundled one.
        classifier: Classifier of patches or pixels, or ``train``; None uses that of the earlier run, or the bundled
            classifier of patches.
        season: ``spring``, ``summer``, ``fall``, ``winter`` or ``all``.
        split: The evaluated split.
        limit: Largest number of patches of each split.
        exclude: Patches to leave out.
        explain: Patches to draw saliency maps of.
        teaching: How a classifier is trained.
        device: Device of the networks.
        runtime: Runtime of cloud removal and of a per-pixel classifier.
        modes: Modes of the report on patches.
        replicates: Number of bootstrap resamples.
        seed: Seed of the resamples.
    """

    sen12ms: Path | None = None
    sen12mscr: Path | None = None
    removal: str | None = None
    classifier: str | None = None
    season: str = "spring"
    split: str = "test"
    limit: int | None = None
    exclude: tuple[str, ...] = ()
    explain: tuple[str, ...] = ()
    teaching: Teaching = field(default_factory=Teaching)
    device: DeviceName = "auto"
    runtime: RuntimeName = "auto"
    modes: tuple[Mode, ...] = MODES
    replicates: int = REPLICATES
    seed: int = 0


def with_earlier(options: StudyOptions, earlier: object) -> StudyOptions:
    """The options; models that are not given are those of the earlier run, or the bundled ones.

    Args:
        options: The options.
        earlier: The stored choice of the earlier run, from JSON.
    """
    known = {name: str(value) for name, value in earlier.items() if value} if isinstance(earlier, dict) else {}
    return replace(
        options,
        removal=options.removal or known.get("removal") or DEFAULT_REMOVAL,
        classifier=options.classifier or known.get("classifier") or DEFAULT_CLASSIFIER,
    )
