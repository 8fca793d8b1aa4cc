"""Divides the work on one scene between the workers of a cluster, and puts the rows of the layers together.

The phases follow one another: the clouds of the scene, those of its other dates, the first pass, the cleaning. Each is
cut into parts. The rows of a part are written as soon as those above are there. Finished parts stay until the layers
are complete, so that a run that was killed computes the missing ones only.
"""

from __future__ import annotations

import contextlib
import itertools
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sunbreak.array_files import DamagedArrays
from sunbreak.cluster.calls import Call
from sunbreak.cluster.connection import Connection
from sunbreak.cluster.dispatch import Dispatcher
from sunbreak.engine import RunCount
from sunbreak.engine.checkpoints import State
from sunbreak.engine.writing import Write
from sunbreak.errors import InputError, RunError
from sunbreak.events import Reporter
from sunbreak.jobs.parts.files import FinishedPart, Part, PartRecord, SharedClouds, save_state
from sunbreak.jobs.parts.work import CLOUDS_FILE, FITTED_FILE
from sunbreak.jobs.runtimes import SceneMemory
from sunbreak.jobs.sharing import DividableTask
from sunbreak.jobs.spec import JobSpec
from sunbreak.jobs.travel import absolute, inputs_of
from sunbreak.layers.output import LayerSet
from sunbreak.removal.first_pass import BlockLook

_FUNCTION = "sunbreak.jobs.parts.work:do_part"
_UNITS = {"dates": "dates", "around": "rows around"}


class Spread:
    """The workers that share the work on one scene. Use it as a context manager.

    Args:
        connect: Connects to their cluster; called when the output is known to be free.
        spec: The job.
        reporter: Is told about the workers.
        parts: Parts that the strips of the scene are cut into; one for each worker, if it is not given.

    Raises:
        InputError: The input files cannot be read.
    """

    def __init__(
        self, connect: Callable[[Reporter], Connection], spec: JobSpec, reporter: Reporter, parts: int | None = None
    ) -> None:
        self._connect, self._spec, self._reporter, self._wanted = connect, absolute(spec), reporter, parts
        self._inputs = inputs_of(self._spec)
        self._run = uuid.uuid4().hex
        self._layers: LayerSet | None = None
        self._open = contextlib.ExitStack()
        self._connection: Connection | None = None
        self.memory = SceneMemory()

    def __enter__(self) -> Spread:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection = None
        self._open.close()

    def begin(self, layers: LayerSet) -> None:
        """Use the hidden folder of these layers; called before the steps run.

        Raises:
            SunbreakError: There is no cluster, or no worker can be used.
        """
        self._layers = layers
        self.folder.mkdir(exist_ok=True)
        self.memory.clouds = SharedClouds(self.folder)
        self._connection = self._open.enter_context(self._connect(self._reporter))

    @property
    def connection(self) -> Connection:
        """The connection to the cluster."""
        if self._connection is None:
            raise ValueError("call begin first")
        return self._connection

    @property
    def parts(self) -> int:
        """Parts that the strips of the scene are cut into."""
        return self._wanted or self.connection.slots

    @property
    def folder(self) -> Path:
        """The folder of the parts, which all workers must see."""
        if self._layers is None:
            raise ValueError("call begin first")
        return self._layers.folder_of_parts

    def detect(self, task: DividableTask, write: Write, reporter: Reporter) -> RunCount:
        """Detect the clouds of the scene; the workers know them afterwards."""
        count = self._strips("clouds", task, write, reporter)
        save_state(self.folder / CLOUDS_FILE, task.state())
        return count

    def find_clouds_of_dates(self, dates: int, reporter: Reporter) -> None:
        """Detect the clouds of the other dates: their files are read by all."""
        self._work([Part("dates", number, number + 1) for number in range(dates)], reporter, lambda part, record: None)

    def look_around(self, blocks: int, reporter: Reporter) -> list[BlockLook]:
        """The first pass over so many blocks of rows; what they show, from top to bottom."""
        found: list[BlockLook] = []

        def take(part: FinishedPart, record: PartRecord) -> None:
            state = part.state()
            for number in range(part.part.first, part.part.stop):
                start = f"{number}."
                own = {name.removeprefix(start): array for name, array in state.items() if name.startswith(start)}
                found.append(BlockLook.of_state(own))

        self._work(cut("around", blocks, self.parts), reporter, take)
        return found

    def clean(self, task: DividableTask, fitted: State, write: Write, reporter: Reporter) -> RunCount:
        """Clean the scene.

        Args:
            task: The task; the sums of the parts are added to it.
            fitted: What the first pass found.
            write: Receives the rows of the layers.
            reporter: Receives the progress; cancels.
        """
        save_state(self.folder / FITTED_FILE, fitted)
        return self._strips("clean", task, write, reporter)

    def _strips(self, phase: str, task: DividableTask, write: Write, reporter: Reporter) -> RunCount:
        """Run a phase over the strips of a task."""
        count, labels = RunCount(), dict[str, None]()

        def take(part: FinishedPart, record: PartRecord) -> None:
            for role in record.rows or {}:
                for row, values in part.rows(record, role, self._columns(role)):
                    reporter.checkpoint()
                    write(role, row, values)
            task.merge(part.state())
            count.tiles += record.tiles
            count.computed += record.computed
            labels[_without_streams(record.label)] = None

        strips = sum(1 for _ in task.layout.strips())
        self._work(cut(phase, strips, self.parts), reporter, take, task.unit, task.layout.count)
        if len(labels) > 1:
            text = f"The parts ran with different programs, which may round differently: {', '.join(labels)}."
            reporter.message(text, "warning")
        return count

    def _work(
        self,
        parts: Sequence[Part],
        reporter: Reporter,
        take: Callable[[FinishedPart, PartRecord], None],
        unit: str = "",
        total: int | None = None,
    ) -> None:
        """Have all parts computed that are not finished yet, and take them in their order.

        Raises:
            SunbreakError: A part failed.
        """
        if self._layers is None:
            raise ValueError("call begin first")
        specs = {spec.role: spec for spec in self._layers.specs}
        finished = {part.name: FinishedPart(self.folder, part, specs) for part in parts}
        missing = [part for part in parts if finished[part.name].record() is None]
        left = list(parts)

        def take_next() -> None:
            while left and (record := finished[left[0].name].record()) is not None:
                part = left.pop(0)
                try:
                    take(finished[part.name], record)
                except (OSError, ValueError, KeyError, DamagedArrays) as error:
                    raise RunError(
                        f"The part {part.name} in {self.folder} cannot be read: {error}.",
                        "Check the disk, then run again.",
                    ) from error

        shown = _Progress(reporter, parts, missing, unit or _UNITS[parts[0].phase], total or len(parts))
        dispatcher = Dispatcher(self.connection, reporter, shown.hear)
        take_next()
        with contextlib.closing(dispatcher.run([self._call(part) for part in missing])) as answers:
            for call, answer in answers:
                if answer.state == "failed":
                    error = RunError if answer.internal else InputError
                    raise error(answer.reason, code=answer.code)
                shown.over(call)
                take_next()
        if left:
            raise RunError(f"The part {left[0].name} in {self.folder} is gone.", "Check the disk, then run again.")

    def _call(self, part: Part) -> Call:
        arguments = {
            "spec": self._spec.to_json(), "inputs": self._inputs, "folder": str(self.folder), "run": self._run,
            "phase": part.phase, "first": part.first, "stop": part.stop,
        }  # fmt: skip
        return Call(part.name, _FUNCTION, arguments)

    def _columns(self, role: str) -> int:
        if self._layers is None:
            raise ValueError("call begin first")
        spec = next(spec for spec in self._layers.specs if spec.role == role)
        return self._layers.grid.coarser(spec.cell).width


class _Progress:
    """Shows the parts as one progress.

    Args:
        reporter: Receives it.
        parts: All parts.
        missing: Those that are computed now.
        unit: What is counted.
        total: How many there are.
    """

    def __init__(
        self, reporter: Reporter, parts: Sequence[Part], missing: Sequence[Part], unit: str, total: int
    ) -> None:
        self._reporter, self._unit, self._total = reporter, unit, total
        self._size = sum(part.stop - part.first for part in parts)
        self._sizes = {part.name: part.stop - part.first for part in missing}
        self._over = self._size - sum(self._sizes.values())
        self._shares: dict[str, float] = {}
        self._show()

    def hear(self, call: Call, event: Mapping[str, Any]) -> None:
        """An event of a part."""
        if event["event"] == "progress" and event["total"]:
            self._shares[call.name] = min(event["done"] / event["total"], 1.0)
            self._show()

    def over(self, call: Call) -> None:
        """A part is finished."""
        self._shares.pop(call.name, None)
        self._over += self._sizes[call.name]
        self._show()

    def _show(self) -> None:
        done = self._over + sum(share * self._sizes[name] for name, share in self._shares.items())
        self._reporter.working_on([f"{name}: {share:.0%}" for name, share in self._shares.items()])
        self._reporter.progress(round(done * self._total / max(self._size, 1), 2), self._total, self._unit)


def cut(phase: str, count: int, parts: int) -> list[Part]:
    """Cut so many strips or blocks into parts of about the same size, in their order."""
    parts = max(1, min(parts, count))
    ends = [count * number // parts for number in range(parts + 1)]
    return [Part(phase, first, stop) for first, stop in itertools.pairwise(ends)]


def _without_streams(label: str) -> str:
    """A runtime without the number of its threads, which makes no difference."""
    return label.partition(" (")[0]
