"""`sunbreak study unpaired`: cloud removal without pairs, with a report."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import keeping_work, session
from sunbreak.cli.showing import say


class SizeName(str, Enum):
    """Size of the study."""

    small = "small"
    medium = "medium"
    paper = "paper"


OverwriteReport = Annotated[bool, typer.Option("--overwrite", help="Replace an existing report.")]


def check_report(folder: Path, *, replaced: bool, beside: Sequence[str] = ()) -> None:
    """Check that a report can be written into a folder, before anything is computed.

    Args:
        folder: Where it goes.
        replaced: Whether it may replace what has the names of its parts.
        beside: Names of the files that are written beside it.

    Raises:
        OutputError: The folder cannot be written, or a part of a report is there.
    """
    from sunbreak.outputs import check_folder, refuse_existing, refuse_folders, refuse_other_than_folders

    page = folder / "report.html"
    check_folder(folder)
    refuse_folders([page, *(folder / name for name in beside)])
    refuse_other_than_folders([folder / name for name in ("csv", "figures", "steps", "work")])
    if not replaced:
        refuse_existing([page, folder / "csv", folder / "figures", *(folder / name for name in beside)])


def unpaired(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the report; created if missing.")],
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
    patches: Annotated[int | None, typer.Option(min=20, help="Simulated patches; by default set by --size.")] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs of the translation; by default set by --size.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")] = 1,
    device: Annotated[str, typer.Option("--device", help="Device: cpu or cuda.")] = "cpu",
    workers: Annotated[int, typer.Option(min=0, help="Processes that read the data; 0 reads in the main process.")] = 0,
    threads: Annotated[
        int, typer.Option(min=1, help="CPU threads; the last digits of the results depend on their number.")
    ] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the study in this folder.")] = False,
    overwrite: OverwriteReport = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Train cloud removal on unpaired cloudy and clear patches, and measure it by the Frechet distance.

    Trains the classifier, measures the distance between cloudy and clear patches, trains the Augmented CycleGAN with a
    distance after every epoch, and writes a report. --resume resumes a stopped study.
    """
    with session("study unpaired", events=events, debug=debug) as reporter, keeping_work("--resume", saves=True):
        from sunbreak.studies.unpaired.unpaired_report import ratio, write_report
        from sunbreak.studies.unpaired.unpaired_study import StudyOptions, run
        from sunbreak.training.unpaired.pipeline import checked_device

        check_report(output, replaced=overwrite or resume)
        options = StudyOptions(bigearthnet, size.value, patches, epochs, seed, checked_device(device), workers, threads)
        results = run(output, options, reporter, resume=resume)
        reporter.message("Drawing the figures.")
        paths = write_report(results, output, reporter.checkpoint)
        named = {"clear": results.floor, "cloudy": results.baseline, "cleared": results.final}
        if not events:
            for name, found in named.items():
                say(f"{name}: {found.text()}")
        numbers: dict[str, float | str] = {f"frechet {name}": found.frechet.value for name, found in named.items()}
        numbers |= {"ratio": ratio(results), "diversity": results.final.score.value, "minutes": results.minutes}
        reporter.result({"report": paths["report"], "distances": paths["csv_distances"]}, numbers)
