"""`sunbreak study`: the studies that Sunbreak grew from, with a report."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import session

if TYPE_CHECKING:
    from sunbreak.metrics.classification import Mode

app = typer.Typer(help="Repeat the studies that Sunbreak grew from.", no_args_is_help=True)


class StudyMode(str, Enum):
    """Whose conventions the numbers follow."""

    paper = "paper"
    corrected = "corrected"
    both = "both"


@app.callback()
def _top() -> None:
    pass


@app.command()
def downstream(
    table: Annotated[Path, typer.Option("--table", help="Table of patches with their logits: .npz or .parquet.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the report; made when missing.")],
    mode: Annotated[
        StudyMode, typer.Option(help="Conventions: the paper's, corrected ones, or both.")
    ] = StudyMode.both,
    split: Annotated[str, typer.Option(help="The split to evaluate.")] = "test",
    replicates: Annotated[int, typer.Option(min=10, help="Bootstrap resamples behind each interval.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the resamples.")] = 0,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """What cloud removal does to a land-cover classifier: a report with figures and CSV from a table of logits."""
    with session("study downstream", events=events, debug=debug) as reporter:
        from sunbreak.metrics.classification import MODES
        from sunbreak.studies.downstream.evaluation import evaluate
        from sunbreak.studies.downstream.report import write_report
        from sunbreak.studies.downstream.table_files import read_table

        def checkpoint(step: str) -> None:
            reporter.checkpoint()
            reporter.message(f"Computing {step}.")

        modes: tuple[Mode, ...] = MODES if mode is StudyMode.both else (mode.value,)
        evaluation = evaluate(
            read_table(table), split=split, modes=modes, replicates=replicates, seed=seed, checkpoint=checkpoint
        )
        for remark in evaluation.remarks:
            reporter.message(remark.text)
        reporter.message("Drawing the figures.")
        paths = write_report(evaluation, output, reporter.checkpoint)
        numbers = {
            f"macro F1 {name}": found.macro["supported"]["f1"].value for name, found in evaluation.inputs.items()
        }
        if not events:
            typer.echo(", ".join(f"{name} {value:.3f}" for name, value in numbers.items()))
        reporter.result({"report": paths["report"], "numbers": paths["csv_numbers"]}, numbers)
