"""Options of commands that may work in several processes."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from sunbreak.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sunbreak.cluster.connection import Connection
    from sunbreak.events import Reporter

PARALLEL = "Processes and machines"


class ExecutorChoice(str, Enum):
    """Who does the work."""

    local = "local"
    dask = "dask"


ExecutorOption = Annotated[
    ExecutorChoice,
    typer.Option(
        "--executor",
        help="local: one after the other in this process; dask: at the same time on the workers of a dask cluster.",
        rich_help_panel=PARALLEL,
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        help="Address of a dask scheduler, such as tcp://host:8786. Without it, workers are started on this machine.",
        rich_help_panel=PARALLEL,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        help="Workers on this machine: as many as cores and memory allow, unless given.",
        rich_help_panel=PARALLEL,
    ),
]
ThreadsPerWorker = Annotated[
    int | None,
    typer.Option(
        "--threads-per-worker",
        min=1,
        help="Threads that each worker on this machine computes with: the cores are shared out, unless given.",
        rich_help_panel=PARALLEL,
    ),
]
Parts = Annotated[
    int | None,
    typer.Option(
        "--parts",
        min=1,
        help="Cut the scene into so many horizontal parts for the workers; one for each, unless given.",
        rich_help_panel=PARALLEL,
    ),
]


def connect_with(
    executor: ExecutorChoice,
    scheduler: str | None,
    workers: int | None,
    threads: int | None,
    parts: int | None = None,
) -> Callable[[Reporter], Connection] | None:
    """What connects to the cluster that the options ask for; None for this process alone.

    Raises:
        InputError: The options contradict each other (``bad-option``), or `distributed` is not installed.
    """
    given = [
        option
        for option, value in (("--scheduler", scheduler), ("--workers", workers), ("--threads-per-worker", threads))
        if value is not None
    ]
    if executor is ExecutorChoice.local:
        given += ["--parts"] if parts is not None else []
        if given:
            raise InputError(f"{given[0]} needs --executor dask.", "Add it.", code="bad-option")
        return None
    if scheduler is not None and len(given) > 1:
        raise InputError(
            f"{given[1]} is for workers on this machine, and --scheduler names a cluster that has its own.",
            f"Leave out {given[1]}.",
            code="bad-option",
        )
    from sunbreak.cluster.connection import Connection, require_distributed

    require_distributed()
    return lambda reporter: Connection(reporter, scheduler=scheduler, workers=workers, threads=threads)
