"""`sunbreak batch`: the same task over many scenes."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import session
from sunbreak.errors import InputError

if TYPE_CHECKING:
    from sunbreak.events import Reporter
    from sunbreak.scene import Scene
    from sunbreak.tasks.batch import BatchResult, Job
    from sunbreak.tasks.job import JobResult
    from sunbreak.tasks.manifest import BatchScene


class Task(str, Enum):
    """What is done with every scene."""

    clean = "clean"


@dataclass(frozen=True)
class Settings:
    """The options of a batch that its task may use; see `batch` for what they mean."""

    model: str | None
    exact_clouds: bool
    threshold: float
    replace_all: bool
    feather: int
    buffer: int | None
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


def clean_job(settings: Settings) -> tuple[Job, dict[str, object]]:
    """Removing clouds. The network is loaded before the first scene, and anew after a failure, which may leave tiles in it."""
    from sunbreak.engine import Runtime, make_runtime
    from sunbreak.models.registry import DEFAULT_REMOVAL, find_model
    from sunbreak.tasks.clouds import CloudSettings
    from sunbreak.tasks.jobs import CleanOptions, clean

    reading = settings.reading
    factor = {"factor": 1} if settings.exact_clouds else {}
    options = CleanOptions(
        CloudSettings(threshold=settings.threshold, **factor),
        settings.replace_all,
        settings.feather,
        settings.buffer,
        settings.device.value,
        settings.runtime.value,
    )
    files = find_model(settings.model or DEFAULT_REMOVAL, "cloud-removal")
    held: list[Runtime] = [make_runtime(files, options.device, options.runtime)]

    def job(item: BatchScene, folder: Path, reporter: Reporter) -> JobResult:
        scene = settings.open(item)
        runtime = held.pop() if held else make_runtime(files, options.device, options.runtime)
        result = clean(scene, folder, files, options, reporter, overwrite=item.overwrite, runtime=runtime)
        held.append(runtime)
        return result

    # where the network runs is left out: it does not decide what comes out
    chosen = {key: value for key, value in asdict(options).items() if key not in ("device", "runtime")}
    return job, {"model": files.card.name, "weights_sha256": files.card.sha256, **chosen, **reading}


JOBS: dict[Task, Callable[[Settings], tuple[Job, dict[str, object]]]] = {Task.clean: clean_job}
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
    task: Annotated[Task, typer.Option("--task", help="What to do with every scene.")] = Task.clean,
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
            help="Sentinel-1 relative to the Sentinel-2 file, such as {stem}_s1.tif; {stem} is its name without .tif, _s2 and "
            "_s2_cloudy. Not with a CSV file.",
            rich_help_panel=o.SCENE,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model name (`sunbreak models list`) or path of a card.", rich_help_panel=o.RUN),
    ] = None,
    exact_clouds: Annotated[
        bool,
        typer.Option("--exact-clouds", help="Look for clouds at 10 m: 8 times slower.", rich_help_panel=o.CLOUDS),
    ] = False,
    threshold: o.Threshold = 0.4,
    replace_all: Annotated[
        bool, typer.Option("--replace-all", help="Replace clear pixels too.", rich_help_panel=o.OUTPUT)
    ] = False,
    feather: Annotated[
        int, typer.Option(help="Width of the mixed cloud edge in pixels.", rich_help_panel=o.OUTPUT)
    ] = 4,
    buffer: Annotated[
        int | None,
        typer.Option(
            help="Grow the cloud mask by this many pixels first; 4, or 0 with a mask.", rich_help_panel=o.CLOUDS
        ),
    ] = None,
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

    Every scene gets a folder of its own. One that fails is told at the end and the others go on; <output>/summary.csv has a line
    for each. Exit status: 0 all done, 1 some failed, 2 the call is wrong.
    """
    with session("batch", events=events, debug=debug) as reporter:
        from sunbreak.tasks.batch import run_batch

        settings = Settings(
            model, exact_clouds, threshold, replace_all, feather, buffer,
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
    from sunbreak.tasks.manifest import find_scenes, read_manifest

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
