"""What a worker does for a scene in parts: one part at a time, of one phase.

The scene is opened, and what the first pass found is read, once for all parts of one run that a worker gets.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sunbreak.clouds.detection import DetectorRuntime
from sunbreak.engine import run_task
from sunbreak.engine.checkpoints import State
from sunbreak.engine.runtime import NoRuntime
from sunbreak.engine.threads import one_blas_thread
from sunbreak.errors import OutputError, RunError
from sunbreak.events import Level, Reporter
from sunbreak.jobs.clean_step import CleanStep
from sunbreak.jobs.options import ChainOptions, CleanOptions
from sunbreak.jobs.parts.files import Part, PartWriter, SharedClouds, load_state
from sunbreak.jobs.relay import Relay
from sunbreak.jobs.runtimes import SceneMemory, process_runtimes
from sunbreak.jobs.spec import JobSpec
from sunbreak.jobs.travel import check_files, check_models
from sunbreak.outputs import FULL_DISK
from sunbreak.removal import first_pass
from sunbreak.removal.other_dates import OtherDatesRemoval
from sunbreak.scene.orientation import series_north_up

CLOUDS_FILE, FITTED_FILE = "clouds.npz", "fitted.npz"
"""What the phases leave for the next ones: the mask of the scene, and what the first pass found."""

_kept: dict[str, PartWork] = {}


def do_part(arguments: Mapping[str, Any], reporter: Reporter) -> None:
    """Compute a part and write its files.

    Args:
        arguments: `spec` of the whole job, `inputs` as the client sees them, `folder` of the parts, `run` that tells
            one run from another, and `phase`, `first`, `stop`.
        reporter: Receives the progress; cancels.

    Raises:
        WorkerDiffers: This machine does not see the files or the folder as the client does, or lacks a model.
        SunbreakError: Reading, computing or writing failed; nothing of the part is left behind.
        Cancelled: The client does not want it any more.
    """
    spec, folder = JobSpec.from_json(arguments["spec"]), Path(arguments["folder"])
    check_models(spec)
    check_files(spec, arguments["inputs"], folder)
    part = Part(arguments["phase"], arguments["first"], arguments["stop"])
    run = arguments["run"]
    work = _kept.pop(run, None)
    _kept.clear()  # one scene at a time: masks of large scenes are large
    try:
        with one_blas_thread():
            if work is None:
                work = PartWork(spec, folder)
            work.do(part, _Progress(reporter))
    except OSError as error:
        if error.errno in FULL_DISK:
            raise RunError(
                f"The disk of {folder.parent} is full.", "Free some space, then run again with --resume.",
                code="disk-full",
            ) from error  # fmt: skip
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}.", "Check the disk.") from error
    _kept[run] = work


class PartWork:
    """The parts of one scene on one worker.

    Args:
        spec: The job.
        folder: Of the parts.

    Raises:
        SunbreakError: The scene or the model cannot be used.
    """

    def __init__(self, spec: JobSpec, folder: Path) -> None:
        options = spec.options.clean if isinstance(spec.options, ChainOptions) else spec.options
        if not isinstance(options, CleanOptions):
            raise ValueError(f"{spec.task} has no parts")
        self.options, self.folder = options, folder
        self.files = spec.find_models()[0]
        series = series_north_up(spec.inputs.open_series())
        memory = SceneMemory(clouds=SharedClouds(folder))
        self.step = CleanStep(series, self.files, self.options, memory=memory)
        self.specs = {one.role: one for one in self.step.specs}
        self._knows_clouds = self.step.detecting is None
        self._is_fitted = False
        self._blank: State = {}

    def do(self, part: Part, reporter: Reporter) -> None:
        """Compute one part.

        Raises:
            SunbreakError: Reading or computing failed.
            OSError: The files of the part cannot be written.
        """
        with PartWriter(self.folder, part, self.specs) as writer:
            {"clouds": self._clouds, "dates": self._dates, "around": self._around, "clean": self._clean}[part.phase](
                part, writer, reporter
            )

    def _clouds(self, part: Part, writer: PartWriter, reporter: Reporter) -> None:
        """Detect the clouds of some strips."""
        detecting = self.step.detecting
        if detecting is None:
            raise ValueError("a given mask is used")
        task, runtime = detecting.task, DetectorRuntime(detecting.detector)
        self._knows_clouds = False
        task.mask.packed[...] = 0
        task.counts.restore(np.zeros_like(task.counts.state()))
        count = run_task(task, detecting.scene, runtime, writer.write, reporter, part=(part.first, part.stop))
        writer.finish(task.state(), count.tiles, count.computed, runtime.label)

    def _dates(self, part: Part, writer: PartWriter, reporter: Reporter) -> None:
        """Detect the clouds of some of the other dates; they are kept for all."""
        for number in range(part.first, part.stop):
            reporter.progress(number - part.first, part.stop - part.first, "dates")
            self.step.find_clouds_of(self.step.series.others[number], reporter)
        writer.finish({})

    def _around(self, part: Part, writer: PartWriter, reporter: Reporter) -> None:
        """Look at some blocks of rows in the first pass."""
        self._know_clouds()
        found: State = {}
        with self.step.task.scene.reader() as reader:
            for number in range(part.first, part.stop):
                look = self.step.task.look_at(reader, number * first_pass.ROWS, reporter.checkpoint)
                found |= {f"{number}.{name}": array for name, array in look.state().items()}
                reporter.progress(number + 1 - part.first, part.stop - part.first, "rows around")
        writer.finish(found)

    def _clean(self, part: Part, writer: PartWriter, reporter: Reporter) -> None:
        """Clean some strips."""
        self._know_clouds()
        task = self.step.task
        if not self._is_fitted:
            if isinstance(task, OtherDatesRemoval):
                self.step.look_at_dates(task, reporter)
            task.adopt(load_state(self.folder / FITTED_FILE))
            self._blank, self._is_fitted = task.state(), True
        task.restore({name: values.copy() for name, values in self._blank.items()})
        strips = part.first, part.stop
        if isinstance(task, OtherDatesRemoval) and not task.network:
            count = run_task(task, task.reads, NoRuntime(), writer.write, reporter, part=strips)
            writer.finish(task.state(), count.tiles, count.computed, NoRuntime.label)
            return
        with process_runtimes().lent(
            self.files, self.options.device, self.options.runtime, self.options.precision
        ) as runtime:
            count = run_task(task, task.reads, runtime, writer.write, reporter, part=strips)
        writer.finish(task.state(), count.tiles, count.computed, runtime.label)

    def _know_clouds(self) -> None:
        if not self._knows_clouds and self.step.detecting is not None:
            self.step.detecting.task.restore(load_state(self.folder / CLOUDS_FILE))
            self._knows_clouds = True


class _Progress(Relay):
    """Passes on the progress of a part: what it would say is said once, by the process that divides the work."""

    def message(self, text: str, level: Level = "info") -> None:
        """Say nothing."""
