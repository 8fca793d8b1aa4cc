"""`sunbreak serve`: run commands for another program in one process."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    idle: Annotated[
        float, typer.Option("--idle", min=0, help="Seconds without a command after which the process ends; 0 for none.")
    ] = 600.0,
    most: Annotated[
        int, typer.Option("--most", min=1, help="Commands after which the process ends, so that its memory is bounded.")
    ] = 40,
    warm: Annotated[
        bool, typer.Option("--warm", help="Load the usual network for cloud removal before the first command.")
    ] = False,
) -> None:
    """Run commands for another program in one process, which keeps the networks loaded.

    Standard input takes one JSON object a line: {"id": 1, "arguments": ["clean", ...]} runs a command, {"cancel": 1}
    cancels it. Standard output carries the lines of the process protocol, and {"event": "ended", "id": 1, "status": 0}
    behind those of each command. The commands are clean, classify, detect-clouds, explain, run and inspect. The process
    ends when standard input is closed.
    """
    from sunbreak.cli.serving import Server
    from sunbreak.cli.session import private_stdout
    from sunbreak.cli.showing import tame_libraries

    tame_libraries()
    raise typer.Exit(Server(private_stdout(), idle or None, most, warm=warm).run())
