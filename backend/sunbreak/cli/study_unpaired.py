"""`sunbreak study unpaired`: cloud removal without pairs, with a report."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import keeping_work, session


class SizeName(str, Enum):
    """How large the study is."""

    small = "small"
    medium = "medium"
    paper = "paper"


def unpaired(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the report; made when missing.")],
    bigearthnet: Annotated[
        Path | None,
        typer.Option("--bigearthnet", help="Folder of BigEarthNet v1 or v2; a simulated one is written if not given."),
    ] = None,
    size: Annotated[
        SizeName,
        typer.Option(
            help="small: two cores, minutes; medium: a GPU; paper: the reference's networks, a GPU, for real data."
        ),
    ] = SizeName.small,
    patches: Annotated[int | None, typer.Option(min=20, help="Simulated patches, if other than the size says.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs of the translation, if other.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 1,
    device: Annotated[str, typer.Option("--device", help="Where to train: cpu or cuda.")] = "cpu",
    workers: Annotated[int, typer.Option(min=0, help="Processes that read; 0 reads in this one.")] = 0,
    threads: Annotated[
        int, typer.Option(min=1, help="Threads of a CPU; the last digits, and so the figures, depend on it.")
    ] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the study in that folder.")] = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Learn cloud removal from a cloudy and a clear pile, judged by the Frechet distance in a classifier's features.

    Trains the classifier, measures cloudy beside clear, trains the Augmented CycleGAN with a distance after every
    epoch, and writes a report. With --resume it continues after a stop.
    """
    with session("study unpaired", events=events, debug=debug) as reporter, keeping_work("--resume"):
        from sunbreak.studies.unpaired.unpaired_report import ratio, write_report
        from sunbreak.studies.unpaired.unpaired_study import StudyOptions, run
        from sunbreak.training.unpaired.pipeline import checked_device

        options = StudyOptions(bigearthnet, size.value, patches, epochs, seed, checked_device(device), workers, threads)
        results = run(output, options, reporter, resume=resume)
        reporter.message("Drawing the figures.")
        paths = write_report(results, output, reporter.checkpoint)
        named = {"clear": results.floor, "cloudy": results.baseline, "cleared": results.final}
        if not events:
            for name, found in named.items():
                typer.echo(f"{name}: {found.text()}")
        numbers: dict[str, float | str] = {f"frechet {name}": found.frechet.value for name, found in named.items()}
        numbers |= {"ratio": ratio(results), "diversity": results.final.score.value, "minutes": results.minutes}
        reporter.result({"report": paths["report"], "distances": paths["csv_distances"]}, numbers)
