"""`sunbreak batch`: the same task over many scenes."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import session
from sunbreak.errors import InputError

if TYPE_CHECKING:
    from sunbreak.batch.manifest import BatchScene
    from sunbreak.batch.runner import BatchResult, Job
    from sunbreak.events import Reporter
    from sunbreak.jobs.result import JobResult
    from sunbreak.jobs.single import ClassifyOptions, CleanOptions, ExplainOptions
    from sunbreak.models.registry import ModelFiles
    from sunbreak.scene import Scene


class Task(str, Enum):
    """What is done with every scene."""

    run = "run"
    clean = "clean"
    classify = "classify"
    explain = "explain"


@dataclass(frozen=True)
class Settings:
    """The options of a batch that its task may use; see `batch` for what they mean."""

    model: str | None
    classifier: str | None
    exact_clouds: bool
    threshold: float
    replace_all: bool
    feather: int | None
    buffer: int | None
    stride: int | None
    explained: str
    method: o.Method
    block: str
    confident: float
    reconstructed: float
    s2_unit: o.S2Unit
    s2_offset: str
    s2_bands: str | None
    s1_unit: o.S1Unit
    device: o.Device
    runtime: o.RuntimeChoice

    def open(self, scene: BatchScene) -> Scene:
        """Open a scene of the batch."""
        from sunbreak.scene import Scene

        return Scene.open(
            scene.s2,
            scene.s1 or None,
            mask=scene.mask,
            s2_unit=self.s2_unit.value,
            s2_offset=o.offset(self.s2_offset),
            s1_unit=self.s1_unit.value,
            s2_bands=o.band_names(self.s2_bands),
        )

    @property
    def reading(self) -> dict[str, object]:
        """How scenes are read: a part of every task's parameters."""
        return {
            "s2_unit": self.s2_unit.value,
            "s2_offset": o.offset(self.s2_offset),
            "s2_bands": o.band_names(self.s2_bands),
            "s1_unit": self.s1_unit.value,
        }

    def cleaning(self) -> CleanOptions:
        """How scenes are cleaned."""
        from sunbreak.clouds.detection import CloudSettings
        from sunbreak.jobs.single import CleanOptions

        factor = {"factor": 1} if self.exact_clouds else {}
        clouds = CloudSettings(threshold=self.threshold, **factor)
        return CleanOptions(clouds, self.replace_all, self.feather, self.buffer, self.device.value, self.runtime.value)

    def classifying(self) -> ClassifyOptions:
        """How scenes are classified."""
        from sunbreak.jobs.single import ClassifyOptions

        return ClassifyOptions(self.stride, self.device.value, self.runtime.value)

    def explaining(self) -> ExplainOptions:
        """What is explained, and how."""
        from sunbreak.jobs.single import ExplainOptions

        return ExplainOptions(self.explained, self.method.value, self.block, self.stride, self.device.value)


def clean_job(settings: Settings) -> tuple[Job, dict[str, object]]:
    """Removing clouds. The network is loaded before the first scene, and anew after a failure (tiles in it)."""
    from sunbreak.engine import Runtime, make_runtime
    from sunbreak.jobs.single import clean
    from sunbreak.models.registry import DEFAULT_REMOVAL, find_model

    options = settings.cleaning()
    files = find_model(settings.model or DEFAULT_REMOVAL, "cloud-removal")
    held: list[Runtime] = [make_runtime(files, options.device, options.runtime)]

    def job(item: BatchScene, folder: Path, reporter: Reporter) -> JobResult:
        scene = settings.open(item)
        runtime = held.pop() if held else make_runtime(files, options.device, options.runtime)
        result = clean(scene, folder, files, options, reporter, overwrite=item.overwrite, runtime=runtime)
        held.append(runtime)
        return result

    return job, _parameters(settings, [files], options)


def run_job(settings: Settings) -> tuple[Job, dict[str, object]]:
    """The whole chain."""
    from sunbreak.jobs.chain import ChainOptions, run_chain
    from sunbreak.landcover.trust import TrustThresholds
    from sunbreak.models.registry import DEFAULT_CLASSIFIER, DEFAULT_REMOVAL, find_model

    removal = find_model(settings.model or DEFAULT_REMOVAL, "cloud-removal")
    classifier = find_model(settings.classifier or DEFAULT_CLASSIFIER, "land-cover")
    options = ChainOptions(
        settings.cleaning(),
        settings.classifying(),
        None if settings.explained.lower() == "none" else settings.explaining(),
        TrustThresholds(settings.confident, settings.reconstructed),
    )

    def job(item: BatchScene, folder: Path, reporter: Reporter) -> JobResult:
        scene = settings.open(item)
        return run_chain(scene, folder, removal, classifier, options, reporter, overwrite=item.overwrite)

    return job, _parameters(settings, [removal, classifier], options)


def classify_job(settings: Settings) -> tuple[Job, dict[str, object]]:
    """Land cover."""
    from sunbreak.jobs.single import classify
    from sunbreak.landcover.reconstructed import ShareRaster, beside
    from sunbreak.models.registry import DEFAULT_CLASSIFIER, find_model

    files = find_model(settings.classifier or DEFAULT_CLASSIFIER, "land-cover")
    options = settings.classifying()

    def job(item: BatchScene, folder: Path, reporter: Reporter) -> JobResult:
        scene = settings.open(item)
        layer = beside(item.s2[0]) if len(item.s2) == 1 else None
        share = ShareRaster(layer, scene) if layer is not None else None
        return classify(scene, folder, files, options, reporter, share=share, overwrite=item.overwrite)

    return job, _parameters(settings, [files], options)


def explain_job(settings: Settings) -> tuple[Job, dict[str, object]]:
    """Saliency."""
    from sunbreak.jobs.single import explain
    from sunbreak.landcover.explanation import find_class
    from sunbreak.models.registry import DEFAULT_CLASSIFIER, find_model

    files = find_model(settings.classifier or DEFAULT_CLASSIFIER, "land-cover")
    options = settings.explaining()
    find_class(files.card, options.wanted)  # a class that is not there is wrong for every scene

    def job(item: BatchScene, folder: Path, reporter: Reporter) -> JobResult:
        return explain(settings.open(item), folder, files, options, reporter, overwrite=item.overwrite)

    return job, _parameters(settings, [files], options)


def _parameters(settings: Settings, models: list[ModelFiles], options: Any) -> dict[str, object]:
    """What decides what comes out. Where the networks run does not."""

    def plain(values: dict[str, Any]) -> dict[str, Any]:
        return {
            key: plain(value) if isinstance(value, dict) else value
            for key, value in values.items()
            if key not in ("device", "runtime")
        }

    named = {f"model_{i}": [files.card.name, files.card.sha256] for i, files in enumerate(models)}
    return {**named, **plain(asdict(options)), **settings.reading}


JOBS: dict[Task, Callable[[Settings], tuple[Job, dict[str, object]]]] = {
    Task.run: run_job,
    Task.clean: clean_job,
    Task.classify: classify_job,
    Task.explain: explain_job,
}
"""For every task: from the options to the job, and to the parameters that decide what comes out."""


def batch(
    scenes: Annotated[
        list[str],
        typer.Argument(
            help="A CSV file with the columns s2, s1, mask, name; or Sentinel-2 files, folders or patterns such as "
            "'in/**/*_s2.tif'."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder; every scene gets one of its own in it.")],
    task: Annotated[Task, typer.Option("--task", help="What to do with every scene.")] = Task.run,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Skip scenes that are done with the same files and options; do the others anew.",
            rich_help_panel=o.OUTPUT,
        ),
    ] = False,
    s1_pattern: Annotated[
        str | None,
        typer.Option(
            "--s1-pattern",
            help="Sentinel-1 relative to the Sentinel-2 file, such as {stem}_s1.tif; {stem} is its name without .tif, "
            "_s2 and _s2_cloudy. Not with a CSV file.",
            rich_help_panel=o.SCENE,
        ),
    ] = None,
    model: o.Removal = None,
    classifier: o.ClassifierOfChain = None,
    exact_clouds: o.ExactCloudsOfClean = False,
    threshold: o.Threshold = 0.4,
    replace_all: Annotated[
        bool, typer.Option("--replace-all", help="Replace clear pixels too.", rich_help_panel=o.OUTPUT)
    ] = False,
    feather: o.Feather = None,
    buffer: o.Buffer = None,
    stride: o.Stride = None,
    explained: o.ExplainedOfChain = "predicted",
    method: o.MethodOption = o.Method.gradcam,
    block: o.Block = "layer4",
    confident: o.Confident = 0.6,
    reconstructed: o.ReconstructedAbove = 0.1,
    s2_unit: o.S2UnitOption = o.S2Unit.auto,
    s2_offset: o.S2Offset = "auto",
    s2_bands: o.S2Bands = None,
    s1_unit: o.S1UnitOption = o.S1Unit.auto,
    device: o.DeviceOption = o.Device.auto,
    runtime: o.RuntimeOption = o.RuntimeChoice.auto,
    overwrite: o.Overwrite = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Do the same with many scenes, one after the other.

    Every scene gets a folder of its own. One that fails is told at the end and the others go on; <output>/summary.csv
    has a line for each. Exit status: 0 all done, 1 some failed, 2 the call is wrong.
    """
    with session("batch", events=events, debug=debug) as reporter:
        from sunbreak.batch.runner import run_batch

        settings = Settings(
            model, classifier, exact_clouds, threshold, replace_all, feather, buffer, stride, explained, method, block,
            confident, reconstructed,
            s2_unit, s2_offset, s2_bands, s1_unit, device, runtime,
        )  # fmt: skip
        found, notes = _scenes(scenes, s1_pattern)
        for text in notes:
            reporter.message(text)
        job, parameters = JOBS[task](settings)
        result = run_batch(
            found,
            output,
            _traced(job) if debug else job,
            reporter,
            task=task.value,
            parameters=parameters,
            overwrite=overwrite,
            resume=resume,
        )
        if not events:
            _tell(result)
        if result.having("failed"):
            raise typer.Exit(1)


def _scenes(given: list[str], s1_pattern: str | None) -> tuple[list[BatchScene], list[str]]:
    from sunbreak.batch.manifest import find_scenes, read_manifest

    tables = [text for text in given if text.lower().endswith(".csv")]
    if not tables:
        return find_scenes(given, s1_pattern)
    if len(given) > 1:
        raise InputError(f"{tables[0]} is a CSV file, and more is given.", "Give it alone.", code="bad-option")
    if s1_pattern is not None:
        raise InputError(
            "--s1-pattern does not go with a CSV file.", "Give Sentinel-1 in its column s1.", code="bad-option"
        )
    return read_manifest(Path(tables[0]))


def _traced(job: Job) -> Job:
    """The job with tracebacks of what fails."""

    def traced(scene: BatchScene, folder: Path, reporter: Reporter) -> JobResult:
        try:
            return job(scene, folder, reporter)
        except Exception:
            traceback.print_exc()
            raise

    return traced


def _tell(result: BatchResult) -> None:
    """What failed and what was done, for people."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = Console(highlight=False)
    failed = result.having("failed")
    if failed:
        table = Table("failed", "why", box=None, pad_edge=False, header_style="bold")
        for outcome in failed:
            table.add_row(Text(outcome.name), Text(outcome.reason, overflow="fold"))
        terminal.print(table)
    done, skipped = len(result.having("done")), len(result.having("skipped"))
    said = f"{done} done, {len(failed)} failed" + (f", {skipped} done before" if skipped else "")
    terminal.print(f"{said}: {result.summary}", markup=False, soft_wrap=True)
