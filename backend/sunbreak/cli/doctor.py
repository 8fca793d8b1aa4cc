"""`sunbreak doctor`: what works on this machine."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import session
from sunbreak.cli.showing import add_row, plain_table, say_json


def doctor(
    folder: Annotated[
        Path, typer.Option("--folder", help="Folder for results, whose disk space is checked.", show_default=False)
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON for another program.")] = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Check packages, GDAL, PROJ, device, models, a self-test, disk and proxy. Exit status 1 if a check fails.

    The text names neither the user nor the home folder, so it can be shared. With --events the exit status is 0, and
    the result holds the checks and the number of failures.
    """
    start = time.monotonic()
    with session("doctor", events=events, debug=debug) as reporter:
        from sunbreak.diagnostics.checks import check_up

        checks = check_up(folder, reporter)
        failures = sum(not check.well for check in checks)
        if events:
            listed = json.dumps([asdict(check) for check in checks])
            reporter.result({}, {"checks": listed, "failures": failures, "seconds": time.monotonic() - start})
            return
        reporter.close()
        if as_json:
            say_json([asdict(check) for check in checks])
        else:
            from rich.console import Console

            table = plain_table("", "", "found", "what to do")
            for check in checks:
                add_row(table, "ok" if check.well else "!!", check.name, check.found, check.advice)
            Console(highlight=False).print(table, markup=False)
        if failures:
            raise typer.Exit(1)
