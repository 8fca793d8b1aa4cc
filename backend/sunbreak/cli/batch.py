"""`sunbreak batch`: the same task over many scenes."""

from __future__ import annotations

import traceback
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli import parallel_options as p
from sunbreak.cli.inputs import job_inputs
from sunbreak.cli.session import kept, session, stops_workers
from sunbreak.cli.showing import add_row, plain_table, say
from sunbreak.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sunbreak.batches.executor import Executor
    from sunbreak.batches.manifest import BatchScene
    from sunbreak.batches.outcome import BatchResult
    from sunbreak.batches.scene_job import Work
    from sunbreak.cluster.connection import Connection
    from sunbreak.events import Reporter
    from sunbreak.jobs.result import Result
    from sunbreak.jobs.spec import JobSpec


class Task(str, Enum):
    """The task of every scene."""

    run = "run"
    clean = "clean"
    classify = "classify"
    explain = "explain"


def batch(
    scenes: Annotated[
        list[str],
        typer.Argument(
            help="A CSV file with the columns s2, s1, mask, mask_coding, references, reference_s1, name; or Sentinel-2 "
            "files, folders or patterns such as 'in/**/*_s2.tif'."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the results; each scene gets a subfolder.")
    ],
    task: Annotated[Task, typer.Option("--task", help="Task to run on every scene.")] = Task.run,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Skip scenes that were finished with the same files and options; process the others.",
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
    references: Annotated[
        str | None,
        typer.Option(
            "--references",
            help="Clean each scene with other dates of its place among the scenes: auto (the nearest 8), or how many. "
            "The column references of a CSV file wins.",
            rich_help_panel=o.DATES,
        ),
    ] = None,
    model: o.Removal = None,
    classifier: o.ClassifierOfChain = None,
    mask_coding: o.MaskCodingOption = o.MaskCoding.auto,
    detector: o.Detector = o.DETECTOR,
    replace: o.Replace = o.REPLACE,
    exact_clouds: o.ExactCloudsOfClean = False,
    threshold: o.Threshold = o.THRESHOLD,
    replace_all: Annotated[
        bool, typer.Option("--replace-all", help="Replace clear pixels too.", rich_help_panel=o.OUTPUT)
    ] = False,
    feather: o.Feather = None,
    buffer: o.Buffer = None,
    buffer_thin: o.BufferThin = None,
    buffer_shadow: o.BufferShadow = None,
    stride: o.Stride = None,
    probabilities: o.Probabilities = False,
    explained: o.ExplainedOfChain = "predicted",
    method: o.MethodOption = o.Method.auto,
    block: o.Block = "layer4",
    confident: o.Confident = o.CONFIDENT,
    reconstructed: o.ReconstructedAbove = o.RECONSTRUCTED,
    s2_unit: o.S2UnitOption = o.S2Unit.auto,
    s2_offset: o.S2Offset = "auto",
    s2_nodata: o.S2Nodata = "auto",
    s2_scale: o.S2Scale = None,
    s2_bands: o.S2Bands = None,
    s1_unit: o.S1UnitOption = o.S1Unit.auto,
    device: o.DeviceOption = o.Device.auto,
    runtime: o.RuntimeOption = o.RuntimeChoice.auto,
    precision: o.PrecisionOption = o.Precision.exact,
    overwrite: o.Overwrite = False,
    executor: p.ExecutorOption = p.ExecutorChoice.local,
    scheduler: p.Scheduler = None,
    workers: p.Workers = None,
    threads_per_worker: p.ThreadsPerWorker = None,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Run one task on many scenes, one after the other or on several workers.

    Each scene gets its own folder. A scene that fails does not stop the others; failed scenes are listed at the end.
    <output>/summary.csv lists all scenes. Exit status: 0 all done, 1 some failed, 2 wrong input or options.
    """
    with session("batch", events=events, debug=debug) as reporter:
        from sunbreak.batches.manifest import SUMMARY
        from sunbreak.batches.runner import run_batch
        from sunbreak.batches.specs import specs_of
        from sunbreak.jobs.options import task_options
        from sunbreak.outputs import check_folder, refuse_inputs

        connect = p.connect_with(executor, scheduler, workers, threads_per_worker)
        check_folder(output)
        refuse_inputs([output / SUMMARY], [Path(text) for text in scenes])
        chosen = task_options(
            task.value, detector=detector, replace=o.words(replace), threshold=threshold, exact_clouds=exact_clouds,
            replace_all=replace_all, feather=feather, buffer=buffer, buffer_thin=buffer_thin,
            buffer_shadow=buffer_shadow, stride=stride, probabilities=probabilities, explained=explained,
            method=method.value, block=block, confident=confident, reconstructed=reconstructed, device=device.value,
            runtime=runtime.value,
            precision=precision.value,
        )  # fmt: skip
        found, notes = _scenes(scenes, s1_pattern)
        for text in notes:
            reporter.message(text)
        if references is not None:
            found, notes = _with_other_dates(found, references, task, o.band_names(s2_bands))
            for text in notes:
                reporter.message(text)
        reading = job_inputs(
            found[0].s2, None, s2_unit, s2_offset, s2_nodata, s2_scale, s1_unit, s2_bands, mask_coding=mask_coding.value
        )
        specs = specs_of(found, output, task.value, reading, chosen, removal=model, classifier=classifier)
        doing = executor_of(specs[0], connect, resume=resume, debug=debug)
        kept("Run the same command with --resume to process the others.")
        result = run_batch(specs, output, doing, reporter, overwrite=overwrite, resume=resume)
        if not events:
            tell(result)
        if result.having("failed"):
            raise typer.Exit(1)


def _scenes(given: list[str], s1_pattern: str | None) -> tuple[list[BatchScene], list[str]]:
    from sunbreak.batches.manifest import find_scenes, read_manifest

    tables = [text for text in given if text.lower().endswith(".csv")]
    if not tables:
        return find_scenes(given, s1_pattern)
    if len(given) > 1:
        raise InputError(
            f"{tables[0]} is a CSV file; it cannot be combined with other scenes.",
            "Give only the CSV file.",
            code="bad-option",
        )
    if s1_pattern is not None:
        raise InputError(
            "--s1-pattern cannot be combined with a CSV file.", "Give Sentinel-1 in its column s1.", code="bad-option"
        )
    return read_manifest(Path(tables[0]))


def _with_other_dates(
    scenes: list[BatchScene], wanted: str, task: Task, s2_bands: list[str] | None
) -> tuple[list[BatchScene], list[str]]:
    from sunbreak.batches.other_dates import wanted_dates, with_other_dates

    count = wanted_dates(wanted)
    if task not in (Task.clean, Task.run):
        raise InputError(
            f"--references is an option of the tasks clean and run, not of {task.value}.", "Leave it out.",
            code="bad-option",
        )  # fmt: skip
    return with_other_dates(scenes, count, s2_bands)


def executor_of(
    spec: JobSpec, connect: Callable[[Reporter], Connection] | None, *, resume: bool, debug: bool
) -> Executor:
    """Who does the jobs of a batch: the workers of a cluster, or this process.

    Args:
        spec: One of the jobs.
        connect: Connects to the cluster, if one is to be used.
        resume: Whether to go on with what an earlier batch left of a scene.
        debug: Whether to print the traceback of every failure in this process.

    Raises:
        SunbreakError: A network cannot be used.
    """
    from sunbreak.batches.executor import KeptNetworks, OneByOne

    if connect is None:
        work = KeptNetworks(spec)
        return OneByOne(_traced(work) if debug else work)
    from sunbreak.batches.dask_executor import DaskExecutor
    from sunbreak.jobs.execute import check

    check(spec)
    stops_workers()
    return DaskExecutor(connect, resume=resume)


def _traced(work: Work) -> Work:
    """The work, with the traceback of every failure printed."""

    def tracing(spec: JobSpec, reporter: Reporter) -> Result:
        try:
            return work(spec, reporter)
        except Exception:
            traceback.print_exc()
            raise

    return tracing


def tell(result: BatchResult) -> None:
    """Print the failed scenes and the counts."""
    from rich.console import Console

    terminal = Console(highlight=False)
    failed = result.having("failed")
    if failed:
        table = plain_table("failed", "why")
        for outcome in failed:
            add_row(table, outcome.name, outcome.reason, fold=True)
        terminal.print(table)
    done, skipped = len(result.having("done")), len(result.having("skipped"))
    said = f"{done} done, {len(failed)} failed" + (f", {skipped} skipped" if skipped else "")
    say(f"{said}: {result.summary}")
