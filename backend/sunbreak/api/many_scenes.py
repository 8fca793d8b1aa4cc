"""The functions of the Python interface that work on many scenes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sunbreak.api.opening import checked_options
from sunbreak.batches.dask_executor import DaskExecutor
from sunbreak.batches.executor import Executor, LocalExecutor
from sunbreak.batches.manifest import BatchScene, find_scenes, read_manifest
from sunbreak.batches.other_dates import AUTO, wanted_dates, with_other_dates
from sunbreak.batches.outcome import BatchResult
from sunbreak.batches.runner import run_batch
from sunbreak.batches.series import find_series
from sunbreak.batches.specs import specs_of
from sunbreak.cluster.connection import Connection
from sunbreak.errors import InputError
from sunbreak.events import Reporter, Silent
from sunbreak.jobs.execute import check
from sunbreak.jobs.options import TaskName, task_options
from sunbreak.jobs.spec import JobInputs, JobSpec

if TYPE_CHECKING:
    from sunbreak.scene.mask_codings import CodingOption
    from sunbreak.scene.radar_units import RadarUnitOption
    from sunbreak.scene.radiometry import OffsetOption, UnitOption
from sunbreak.scene.validity import NodataOption


def batch(
    scenes: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    task: TaskName = "run",
    s1_pattern: str | None = None,
    references: Literal["auto"] | int | None = None,
    model: str | Path | None = None,
    classifier: str | Path | None = None,
    explained: str = "predicted",
    options: Mapping[str, Any] | None = None,
    bands: Sequence[str] | None = None,
    s2_unit: UnitOption = "auto",
    s2_offset: OffsetOption = "auto",
    s2_nodata: NodataOption = "auto",
    s2_scale: float | None = None,
    s1_unit: RadarUnitOption = "auto",
    mask_coding: CodingOption = "auto",
    overwrite: bool = False,
    resume: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    reporter: Reporter | None = None,
) -> BatchResult:
    """Do the same with many scenes, one after the other; a failing one does not stop the others.

    Args:
        scenes: A CSV file with the columns s2, s1, mask, mask_coding, references, reference_s1, name; or Sentinel-2
            files, folders or patterns such as ``in/**/*_s2.tif``.
        output: Folder of the batch; every scene gets a folder of its own in it.
        task: ``run`` (all), ``detect``, ``clean``, ``classify`` or ``explain``.
        s1_pattern: Sentinel-1 relative to the Sentinel-2 file, such as ``{stem}_s1.tif``; not with a CSV file.
        references: With ``clean`` and ``run``: other dates of each scene's place among the scenes, ``auto`` (the
            nearest 8) or how many at most. The column references of a CSV file wins.
        model: Model of cloud removal; the default one if not given.
        classifier: Classifier; the default one if not given.
        explained: Class to explain, ``predicted``, or with ``run`` ``none``.
        options: Further options by name, as for `sunbreak.jobs.options.task_options`: ``{"feather": 2}``.
        bands: Names of the Sentinel-2 bands in the files' order, if the files do not say.
        s2_unit: What the stored Sentinel-2 numbers are.
        s2_offset: Added to stored Sentinel-2 numbers.
        s2_nodata: The stored number of pixels without data; ``auto`` takes what the files declare or show.
        s2_scale: Reflectance of one stored number, where the files do not say.
        s1_unit: What the stored Sentinel-1 numbers are.
        mask_coding: What the values of the cloud masks stand for, as for `sunbreak.api.arrays.Reading`.
        overwrite: Replace existing layers.
        resume: Skip scenes that are done with the same files and options; do the others again.
        workers: Do so many scenes at the same time, each in a process on this machine. A script must then do its work
            below ``if __name__ == "__main__":``. Needs dask.distributed.
        scheduler: Address of a dask scheduler whose workers do the scenes, such as ``tcp://host:8786``.
        reporter: Told about the progress; cancels the batch.

    Returns:
        `outcomes`, one per scene (``name``, ``status`` ``done``, ``failed`` or ``skipped``, ``seconds``, ``numbers``,
        ``reason``), and `summary`, the path of ``summary.csv``.

    Raises:
        InputError: No scene is found, the table is wrong, or an option is.
        ModelError: A model cannot be used.
        OutputError: The folder cannot be written, or another batch works there.
        Cancelled: The caller asked to stop; what is finished stays.

    Source:
        See `clean`, `classify` and `explain`.

    Example:
        >>> result = sunbreak.batch("in/*_s2.tif", "out", task="clean", s1_pattern="{stem}_s1.tif")
        >>> [outcome.name for outcome in result.having("failed")]
        []
    """
    told = reporter or Silent()
    chosen = task_options(task, explained=explained, **checked_options(options or {}))
    found, notes = _scenes(scenes, s1_pattern)
    for text in notes:
        told.message(text)
    if references is not None:
        count = wanted_dates(references)
        if task not in ("clean", "run"):
            raise InputError(f"references are for clean and run, not for {task}.", "Leave them out.", code="bad-option")
        found, notes = with_other_dates(found, count, bands)
        for text in notes:
            told.message(text)
    reading = JobInputs(
        found[0].s2, s2_unit=s2_unit, s2_offset=s2_offset, s2_nodata=s2_nodata, s2_scale=s2_scale, s1_unit=s1_unit,
        s2_bands=None if bands is None else tuple(bands), mask_coding=mask_coding,
    )  # fmt: skip
    named = {"removal": model, "classifier": classifier}
    models = {role: None if name is None else str(name) for role, name in named.items()}
    specs = specs_of(found, Path(output), task, reading, chosen, **models)
    executor = _executor(specs[0], workers, scheduler, resume)
    return run_batch(specs, Path(output), executor, told, overwrite=overwrite, resume=resume)


def series(
    dates: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    s1: str | Path | Sequence[str | Path] = (),
    count: int = AUTO,
    only: str | Path | Sequence[str | Path] | None = None,
    model: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    window: tuple[int, int, int, int] | None = None,
    bbox: tuple[float, float, float, float] | None = None,
    bands: Sequence[str] | None = None,
    s2_unit: UnitOption = "auto",
    s2_offset: OffsetOption = "auto",
    s2_nodata: NodataOption = "auto",
    s2_scale: float | None = None,
    s1_unit: RadarUnitOption = "auto",
    overwrite: bool = False,
    resume: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    reporter: Reporter | None = None,
) -> BatchResult:
    """Clean every date of a place with the other dates, one after the other; a failing one does not stop the others.

    Args:
        dates: A folder that holds the acquisitions of one place, or the acquisitions: GeoTIFFs, ``.SAFE`` folders,
            folders of bands.
        output: Folder of the series; every date gets a folder ``YYYY-MM-DD`` in it.
        s1: Sentinel-1 of any of the dates, matched by date. Those in the folder of `dates` are used too.
        count: Other dates that each date is cleaned with at most, the nearest.
        only: Clean only these dates: ``YYYY-MM-DD`` or files.
        model: Model of cloud removal; the default one if not given.
        options: Further options of `clean` by name, as for `sunbreak.jobs.options.task_options`: ``{"feather": 2}``.
        window: (column, row, width, height) in pixels of the first date: the same place is cleaned on all dates.
        bbox: (left, bottom, right, top) in the CRS of the first date: likewise.
        bands: Names of the Sentinel-2 bands in the files' order, if the files do not say.
        s2_unit: What the stored Sentinel-2 numbers are.
        s2_offset: Added to stored Sentinel-2 numbers.
        s2_nodata: The stored number of pixels without data; ``auto`` takes what the files declare or show.
        s2_scale: Reflectance of one stored number, where the files do not say.
        s1_unit: What the stored Sentinel-1 numbers are.
        overwrite: Replace existing layers.
        resume: Skip dates that are done with the same files and options; do the others again.
        workers: Clean so many dates at the same time, as for `batch`.
        scheduler: Address of a dask scheduler, as for `batch`.
        reporter: Told about the progress; cancels the series.

    Returns:
        As `batch`, one outcome for each date, named by it.

    Raises:
        InputError: There are fewer than two dates of one place, or an input or option is wrong.
        ModelError: A model cannot be used.
        OutputError: The folder cannot be written, or another batch works there.
        Cancelled: The caller asked to stop; what is finished stays.

    Source:
        See `clean`.

    Example:
        >>> result = sunbreak.series("dates", "out", count=4)
        >>> [outcome.name for outcome in result.outcomes]
        ['2020-05-03', '2020-05-13', '2020-06-02']
    """
    told = reporter or Silent()
    chosen = task_options("clean", **checked_options(options or {}))
    found = find_series(_several(dates), _several(s1), count=count, s2_bands=bands, window=window, bbox=bbox)
    found.tell(told)
    wanted = found.only(None if only is None else _several(only))
    reading = JobInputs(
        found.scenes[0].s2, s2_unit=s2_unit, s2_offset=s2_offset, s2_nodata=s2_nodata, s2_scale=s2_scale,
        s1_unit=s1_unit, s2_bands=None if bands is None else tuple(bands),
    )  # fmt: skip
    removal = None if model is None else str(model)
    specs = specs_of(found.scenes, Path(output), "clean", reading, chosen, removal=removal)
    executor = _executor(specs[0], workers, scheduler, resume)
    return run_batch(specs, Path(output), executor, told, overwrite=overwrite, resume=resume, only=wanted)


def _executor(spec: JobSpec, workers: int | None, scheduler: str | None, resume: bool) -> Executor:
    """Who does the jobs: this process, or the workers of a cluster."""
    if workers is None and scheduler is None:
        return LocalExecutor(spec)
    if workers is not None and scheduler is not None:
        raise InputError("workers and scheduler are both given.", "Give one of them.", code="bad-option")
    check(spec)
    return DaskExecutor(lambda told: Connection(told, scheduler=scheduler, workers=workers), resume=resume)


def _several(given: str | Path | Sequence[str | Path]) -> list[str | Path]:
    return [given] if isinstance(given, (str, Path)) else list(given)


def _scenes(given: str | Path | Sequence[str | Path], s1_pattern: str | None) -> tuple[list[BatchScene], list[str]]:
    texts = [str(given)] if isinstance(given, (str, Path)) else [str(one) for one in given]
    if len(texts) == 1 and texts[0].lower().endswith(".csv") and s1_pattern is None:
        return read_manifest(Path(texts[0]))
    return find_scenes(texts, s1_pattern)
