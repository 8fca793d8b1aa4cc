"""`sunbreak worker`: workers of a dask cluster on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import session, stops_workers


def worker(
    scheduler: Annotated[str, typer.Argument(help="Address of the dask scheduler, such as tcp://host:8786.")],
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="Processes: as many as cores and memory allow, unless given."),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads", min=1, help="Threads that each worker computes with: the cores are shared out, unless given."
        ),
    ] = None,
    memory: Annotated[
        float | None,
        typer.Option(
            "--memory",
            min=0.5,
            help="GiB of each worker; one that needs more is ended and started anew. The memory is shared out, unless "
            "given.",
        ),
    ] = None,
    gpus: Annotated[
        str | None,
        typer.Option("--gpus", help="CUDA devices, such as 0,1: one worker for each, which sees no other."),
    ] = None,
    wait: Annotated[
        float, typer.Option("--wait", min=0, help="Seconds to wait for a scheduler that does not answer.")
    ] = 600.0,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Run workers for a dask scheduler, until interrupted.

    They do the scenes of `sunbreak batch --executor dask --scheduler ADDRESS`. They must see the inputs and the output
    under the same paths as the machine that runs the batch, and have the same version and models. A worker takes one
    scene at a time and keeps its networks loaded.
    """
    with session("worker", events=events, debug=debug) as reporter:
        from sunbreak.cluster.workers import WorkerOptions, run_workers

        stops_workers()
        devices = [part.strip() for part in gpus.split(",") if part.strip()] if gpus else []
        options = WorkerOptions(workers, threads, None if memory is None else int(memory * 2**30), devices, wait)
        run_workers(scheduler, options, reporter)
