"""Writes the layers of a run strip by strip, and then renames all of them or none.

The files are written to a hidden folder inside the target folder. `LayerSet.finish` converts, verifies, flushes and
then renames them. After any earlier failure the target folder is unchanged. A journal in the hidden folder records what
is on the disk, so that a killed run can be resumed.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak import unfinished
from sunbreak.drafts import flush
from sunbreak.errors import Cancelled, RunError
from sunbreak.layers import cog
from sunbreak.layers.describing import Description
from sunbreak.layers.encoding import encode
from sunbreak.layers.finished import is_finished
from sunbreak.layers.journal import Journal, Point, State
from sunbreak.layers.lock import OutputLock
from sunbreak.layers.names import OutputNames
from sunbreak.layers.publish import publish
from sunbreak.layers.resume import Continuation, run_identity
from sunbreak.layers.roles import LayerSpec
from sunbreak.layers.stac import Origin
from sunbreak.layers.staging import Staging, full_bytes, staged_bytes
from sunbreak.layers.target import TargetFolder, nbytes_below
from sunbreak.scene.grid import Grid


class LayerSet:
    """Writes the layers of one run; use it as a context manager.

    `write` may be called from one thread and `finish` afterwards from another. Leaving the context without `finish`, or
    with an exception, removes everything that was made, the folder too if it did not exist before.

    Args:
        directory: Target folder; made when it is missing.
        stem: Files are called ``<stem>_<role>.tif``.
        grid: The scene's grid; a layer with larger cells lies on its coarser form.
        specs: The layers.
        provenance: What is written into the files as ``SUNBREAK_<KEY>`` tags: model, weights_sha256, parameters, ...
        inputs: Files that the run reads; no output may be one of them.
        overwrite: Replace existing outputs, at the very end.
        acquired: When the scene was taken.
        threads: Threads that compress.
        beside: Further files that `finish` is asked to write, as ``<stem>_<name>``: ``report.html``, for example.
        resume: Resume the unfinished run on this output, if there is one. If it is finished already, nothing is to be
            done, see `done`.
        derived_from: The acquisitions that the STAC items link to.
        identity: What else a run depends on, text by name; it is compared when a run is resumed, and not written into
            the layers.
        made_with: Cards of the models. Layers that are older than one of them are not those of this run.
        south_up: The rows of the finished files go from south to north, though those of `grid` do not.
        in_parts: The rows come from parts, whose files lie in `folder_of_parts` until the end.

    Raises:
        OutputError: a file that the run would write exists, is an input or cannot have its name, the folder cannot be
            made or written, the disk is too full, or the unfinished run is a different one or damaged.
    """

    def __init__(
        self,
        directory: Path,
        stem: str,
        grid: Grid,
        specs: Sequence[LayerSpec],
        *,
        provenance: Mapping[str, str],
        inputs: Sequence[Path],
        overwrite: bool = False,
        acquired: datetime | None = None,
        threads: int = 2,
        beside: Sequence[str] = (),
        resume: bool = False,
        derived_from: Sequence[Origin] = (),
        identity: Mapping[str, str] | None = None,
        made_with: Sequence[Path] = (),
        south_up: bool = False,
        in_parts: bool = False,
    ) -> None:
        self.grid, self.specs, self.provenance = grid, tuple(specs), dict(provenance)
        self.overwrite, self.threads = overwrite, threads
        self.names = OutputNames(Path(directory).absolute(), stem, self.specs, tuple(beside))
        read = tuple(Path(path) for path in inputs)
        self._description = Description(grid, south_up, self.provenance, read, acquired, tuple(derived_from))
        self._made_from, self._south_up = [*read, *made_with], south_up
        self._staged: dict[str, Staging] = {}
        self._target = TargetFolder(self.names.directory)
        self._lock = OutputLock(self.names.lock)
        self._folder = self.names.folder
        self._begun = not resume
        self.names.check(self._made_from)
        self._target.check()
        run = run_identity({**self.provenance, **(identity or {})}, read, self.specs, grid)
        self.continuation = Continuation(self._folder, run, resume)
        self.done = resume and self.continuation.past is None and self._is_done()
        """Whether an earlier run wrote all of these layers from these inputs: nothing is to be done."""
        if not self.done:
            self.names.check_free(may_exist=overwrite or self.continuation.publishing)
            self._check_space(in_parts)

    def path(self, role: str) -> Path:
        """The final name of a layer."""
        return self.names.path(role)

    def path_beside(self, name: str) -> Path:
        """The final name of a further file."""
        return self.names.path_beside(name)

    @property
    def folder_of_parts(self) -> Path:
        """Folder inside the hidden one for parts that other processes compute; removed with it."""
        return self._folder / "parts"

    def __enter__(self) -> LayerSet:
        resumed = self.resumed
        try:
            self._target.make()
            self._lock.acquire()
            unfinished.add(self._folder, only_if=lambda: self._lock.held)
            if self.done:
                self.continuation.remove()
            elif resumed:
                names = [self.path(role).name for role in self.continuation.settled]
                self.continuation.take_over([*names, self.names.picture.name] if names else [])
            else:
                self.continuation.begin()  # what a killed run left goes: the lock shows that no process uses it
            for spec in self.specs if not (self.done or self.continuation.publishing) else ():
                if spec.role not in self.continuation.settled:
                    self._staged[spec.role] = self.continuation.staging(
                        spec, self.grid.coarser(spec.cell), south_up=self._south_up
                    )
        except OSError as error:
            if resumed:
                damaged = self.continuation.damaged_rows(error)
                self._discard()
                raise damaged from error
            self._discard()
            raise self._target.failure(error, "the layers") from error
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # a run that fails before it adds anything leaves the work of the earlier one as it was
        if self.resumed and not self._begun and error is not None and not isinstance(error, Cancelled):
            self.continuation.refused = True
        self._discard()

    def write(self, role: str, row: int, values: NDArray[Any]) -> None:
        """Append a strip to a layer.

        Args:
            role: Which layer.
            row: First row of the strip; the row that follows the strip before, 0 at first.
            values: (band, row, column) over the whole width. Values of the layer's own type are stored as they are,
                floating point values are physical and are encoded (see `sunbreak.layers.encoding.encode`).

        Raises:
            RunError: the strip does not follow the one before or has the wrong shape or type, or the disk is full.
            OutputError: the journal of the earlier run that is resumed contradicts itself.
        """
        staging = self._staged.get(role)
        if staging is None and role in self.continuation.settled:
            return
        if staging is None:
            raise RunError(f"There is no open layer '{role}' in this output.", "Please report this as a bug.")
        rows = values.shape[1] if values.ndim == 3 else 0
        grid = staging.grid
        self._check_journal(role, row, staging.next_row)
        if values.shape != (len(staging.spec.bands), rows, grid.width) or row != staging.next_row:
            raise RunError(
                f"Layer '{role}' expected rows from {staging.next_row} on, {len(staging.spec.bands)} bands and "
                f"{grid.width} columns, and was given rows from {row} on with shape {values.shape}.",
                "Please report this as a bug.",
            )
        if row + rows > grid.height:
            raise RunError(f"Layer '{role}' was given more than its {grid.height} rows.", "Please report this.")
        self._begun = True
        with self._full_disk_is_named(self.path(role).name):
            staging.append(encode(values, staging.spec))

    def read(self, role: str, first: int, stop: int) -> NDArray[Any]:
        """The rows [first, stop) of a layer as they were written: stored numbers (band, row, column)."""
        staging = self._staged[role]
        return staging.block(first, 0, stop - first, staging.grid.width)

    def finish(
        self,
        before: NDArray[np.float32] | None = None,
        *,
        beside: Callable[[Path, Mapping[str, Path]], None] = lambda folder, layers: None,
        checkpoint: Callable[[], None] = lambda: None,
        numbers: Mapping[str, float | str] = MappingProxyType({}),
    ) -> dict[str, Path]:
        """Convert, verify, describe and rename everything.

        Args:
            before: (3, row, column) reflectance of B04, B03, B02 of the whole scene before anything was done to it, at
                any size, NaN where unknown: the first panel of the quicklook. `sunbreak.layers.quicklook.Thumbnail`
                collects it.
            beside: Writes the further files into the folder that it is given, from the finished layers by role.
            checkpoint: Called between the steps; may raise `Cancelled`.
            numbers: Figures of the run. The items give those that say how much of the scene is cloud and shadow.

        Returns:
            Role -> final path.

        Raises:
            RunError: a layer is incomplete, reads back differently, or the disk is full.
            OutputError: a file of an earlier run cannot be replaced, or another run took over the output
                (``lease-lost``).
        """
        self._begun = True
        if self.continuation.publishing:
            return self._publish()
        for role, staging in self._staged.items():
            self._check_journal(role, staging.grid.height, staging.next_row)
            if staging.next_row != staging.grid.height:
                raise RunError(
                    f"Layer '{role}' has {staging.next_row} of {staging.grid.height} rows.",
                    "Please report this as a bug.",
                )
        with self._full_disk_is_named("the layers"):
            self._lock.check()
            drafts = {
                role: staging.describe(self._description.tags(staging.spec)) for role, staging in self._staged.items()
            }
        # one layer is compressed while the one before is checked and the quicklook is drawn
        with self._full_disk_is_named("the layers"), ThreadPoolExecutor(2, "sunbreak-finish") as aside:
            picture = aside.submit(self._draw, drafts, before)
            journal = self.continuation.journal
            checks = []
            for role, staging in self._staged.items():
                checkpoint()
                target = self._folder / self.path(role).name
                with self._full_disk_is_named(target.name):
                    self._lock.check()
                    cog.convert(staging, drafts[role], target, self.threads)
                checks.append(aside.submit(_settle, target, staging, picture, journal, self._lock))
            for check in checks:
                check.result()
        checkpoint()
        with self._full_disk_is_named(", ".join(self.names.beside) or "the styles"):
            beside(self._folder, {spec.role: self._folder / self.path(spec.role).name for spec in self.specs})
        with self._full_disk_is_named("styles and STAC items"):
            self._description.write_companions(self.names, numbers)
        return self._publish()

    def _check_journal(self, role: str, wanted: int, there: int) -> None:
        """Refuse rows that an earlier run recorded and that do not fit how far it says that it got.

        Raises:
            OutputError: ``damaged-run``.
        """
        if self.resumed and wanted != there:
            raise self.continuation.damaged_journal(role, wanted, there)

    @property
    def resumed(self) -> bool:
        """Whether this resumes an earlier run."""
        return self.continuation.past is not None

    def keep(self, point: Point, state: State) -> None:
        """Flush what has been written and record it in the journal. Called from the thread that writes.

        Raises:
            RunError: the disk is full.
            OutputError: another run took over the output, ``lease-lost``.
        """
        self._begun = True
        with self._full_disk_is_named("the journal"):
            self._lock.check()
            self.continuation.keep(self._staged, point, state)

    def _publish(self) -> dict[str, Path]:
        with self._full_disk_is_named("the layers"), unfinished.undisturbed():
            self._lock.check()
            self.continuation.journal.publishing()
            publish(self._folder, self.names.directory, overwrite=self.overwrite)
            self.continuation.journal.end()
        return {spec.role: self.path(spec.role) for spec in self.specs}

    def _draw(self, drafts: Mapping[str, Path], before: NDArray[np.float32] | None) -> None:
        from sunbreak.layers.quicklook import write_quicklook  # Pillow is wanted only now

        if self.continuation.settled:
            return  # it was written before the first layer was finished
        picture = self._folder / self.names.picture.name
        write_quicklook(picture, {s.role: (s, drafts[s.role]) for s in self.specs}, before)

    def _is_done(self) -> bool:
        """Whether all outputs are there, were made by this run and are younger than what they were made from."""
        layers = [(self.path(spec.role), self._description.tags(spec)) for spec in self.specs]
        return is_finished(self.names.outputs(picture=False), layers, self._made_from)

    def _check_space(self, in_parts: bool) -> None:
        staged = [staged_bytes(spec, self.grid.coarser(spec.cell)) for spec in self.specs]
        # The peak: every layer is staged, and the largest one has a copy that did not compress.
        needed = sum(staged) + max(staged, default=0)
        there = self.continuation.nbytes
        if in_parts:
            needed += sum(full_bytes(spec, self.grid.coarser(spec.cell)) for spec in self.specs)
            there += nbytes_below(self.folder_of_parts) if self.resumed else 0
        self._target.check_space(needed, there)

    def _discard(self) -> None:
        for staging in self._staged.values():
            staging.close()
        self._staged.clear()
        self.continuation.journal.close()
        if self._lock.held and not self.continuation.refused:  # not if another run took over: the folder is its own
            shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.release()
        unfinished.drop(self._folder)
        self._target.remove_if_empty()

    def _full_disk_is_named(self, what: str) -> contextlib.AbstractContextManager[None]:
        staged = self._staged.values()
        return self._target.full_disk_is_named(
            what, lambda: 2 * sum(layer.nbytes for layer in staged) - sum(layer.written for layer in staged)
        )


def _settle(target: Path, staging: Staging, picture: Future[None], journal: Journal, lock: OutputLock) -> None:
    """Verify and flush a finished layer, and delete its staged rows once the quicklook is drawn."""
    cog.verify(target, staging)
    flush(target)
    picture.result()
    lock.check()
    journal.settled(staging.spec.role)
    staging.discard()
