"""`sunbreak study`: the studies that Sunbreak is based on, with a report."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import session
from sunbreak.cli.showing import say
from sunbreak.cli.study_unpaired import OverwriteReport, check_report, unpaired

if TYPE_CHECKING:
    from sunbreak.metrics.classification import Mode
    from sunbreak.studies.downstream.per_pixel.results import PixelEvaluation
    from sunbreak.studies.downstream.results import Evaluation

app = typer.Typer(help="Repeat the studies that Sunbreak is based on.", no_args_is_help=True, add_completion=False)

_IMAGES, _TRAINING, _REPORT = "From images", "Training (--classifier train)", "Report"


class StudyMode(str, Enum):
    """Conventions of the metrics."""

    paper = "paper"
    corrected = "corrected"
    both = "both"


class StudySeason(str, Enum):
    """Season of the regions of interest."""

    spring = "spring"
    summer = "summer"
    fall = "fall"
    winter = "winter"
    all = "all"


class StudyStep(str, Enum):
    """The steps in their order."""

    pair = "pair"
    cover = "cover"
    clean = "clean"
    classifier = "classifier"
    logits = "logits"
    report = "report"


app.command("unpaired")(unpaired)


@app.callback()
def _top() -> None:
    pass


@app.command()
def downstream(
    context: typer.Context,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the report and its steps; created if missing.")
    ],
    table: Annotated[
        Path | None,
        typer.Option("--table", help="Evaluate this table of patches with their logits instead: .npz or .parquet."),
    ] = None,
    sen12ms: Annotated[
        Path | None, typer.Option("--sen12ms", help="Folder of SEN12MS (land cover).", rich_help_panel=_IMAGES)
    ] = None,
    sen12mscr: Annotated[
        Path | None,
        typer.Option("--sen12mscr", help="Folder of SEN12MS-CR (radar, clear, cloudy).", rich_help_panel=_IMAGES),
    ] = None,
    removal: Annotated[
        str | None,
        typer.Option("--removal", help="Model of cloud removal: name or path of a card.", rich_help_panel=_IMAGES),
    ] = None,
    classifier: Annotated[
        str | None,
        typer.Option(
            "--classifier",
            help="Classifier of patches or pixels: name or path of a card, or train: on the clear training patches.",
            rich_help_panel=_IMAGES,
        ),
    ] = None,
    season: Annotated[
        StudySeason, typer.Option(help="Season of the regions of interest.", rich_help_panel=_IMAGES)
    ] = StudySeason.spring,
    limit: Annotated[
        int | None,
        typer.Option(help="Largest number of patches of each split, spread evenly.", min=2, rich_help_panel=_IMAGES),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", help="Patch to leave out, such as 1158_spring_31_p30.", rich_help_panel=_IMAGES),
    ] = None,
    step: Annotated[
        list[StudyStep] | None, typer.Option("--step", help="Run this step only.", rich_help_panel=_IMAGES)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the study in this folder.", rich_help_panel=_IMAGES)
    ] = False,
    explain: Annotated[
        list[str] | None,
        typer.Option("--explain", help="Patch whose saliency maps the report shows.", rich_help_panel=_IMAGES),
    ] = None,
    device: Annotated[
        o.Device, typer.Option("--device", help="Device of the networks.", rich_help_panel=_IMAGES)
    ] = o.Device.auto,
    runtime: Annotated[
        o.RuntimeChoice,
        typer.Option(
            "--runtime",
            help="Inference runtime of cloud removal and of a per-pixel classifier.",
            rich_help_panel=_IMAGES,
        ),
    ] = o.RuntimeChoice.auto,
    depth: Annotated[int, typer.Option(help="ResNet of 18 or 50 layers.", rich_help_panel=_TRAINING)] = 18,
    width: Annotated[
        int,
        typer.Option(help="Channels of the first stage; 64 in the published networks.", rich_help_panel=_TRAINING),
    ] = 20,
    steps: Annotated[int, typer.Option("--steps", help="Batches.", min=1, rich_help_panel=_TRAINING)] = 600,
    batch: Annotated[int, typer.Option(help="Patches per batch.", min=2, rich_help_panel=_TRAINING)] = 16,
    mode: Annotated[
        StudyMode,
        typer.Option(
            help="Conventions of figures of patches: the paper's, corrected, or both.", rich_help_panel=_REPORT
        ),
    ] = StudyMode.both,
    split: Annotated[str, typer.Option(help="The split to evaluate.", rich_help_panel=_REPORT)] = "test",
    replicates: Annotated[
        int, typer.Option(min=10, help="Bootstrap resamples for each interval.", rich_help_panel=_REPORT)
    ] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the resamples.", rich_help_panel=_REPORT)] = 0,
    overwrite: OverwriteReport = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Measure the effect of cloud removal on a land-cover classifier, from images or a table of logits.

    Writes a report with figures. From images it needs SEN12MS and SEN12MS-CR, and runs in steps that can be stopped,
    resumed and run alone.
    """
    with session("study downstream", events=events, debug=debug) as reporter:
        from sunbreak.errors import InputError
        from sunbreak.metrics.classification import MODES
        from sunbreak.outputs import refuse_inputs

        beside = ["patches.npz"] if table is None else []
        check_report(output, replaced=overwrite or resume or bool(step), beside=beside)
        modes: tuple[Mode, ...] = MODES if mode is StudyMode.both else (mode.value,)
        if table is not None:
            given = _given(context, (_IMAGES, _TRAINING))
            if given:
                raise InputError(
                    f"{', '.join(given)} cannot be combined with --table.",
                    "A table already holds the logits: leave these options out, or leave --table out.",
                    code="bad-option",
                )
            from sunbreak.studies.downstream.report_pages import write_report
            from sunbreak.studies.downstream.results import evaluate
            from sunbreak.studies.downstream.table_files import read_table

            refuse_inputs([output / "report.html", *output.glob("csv/*"), *output.glob("figures/*")], [table])

            def checkpoint(name: str) -> None:
                reporter.checkpoint()
                reporter.message(f"Computing {name}.")

            of_patches = evaluate(
                read_table(table), split=split, modes=modes, replicates=replicates, seed=seed, checkpoint=checkpoint
            )
            for remark in of_patches.remarks:
                reporter.message(remark.text)
            reporter.message("Drawing the figures.")
            write_report(of_patches, output, reporter.checkpoint)
            evaluation: Evaluation | PixelEvaluation = of_patches
        else:
            from sunbreak.studies.downstream.study import STEPS, Study
            from sunbreak.studies.downstream.study_options import StudyOptions
            from sunbreak.studies.downstream.teaching import Teaching

            wanted = StudyOptions(
                sen12ms=sen12ms, sen12mscr=sen12mscr, removal=removal, classifier=classifier, season=season.value,
                split=split, limit=limit, exclude=tuple(exclude or ()), explain=tuple(explain or ()),
                teaching=Teaching(depth, width, steps, batch), device=device.value, runtime=runtime.value, modes=modes,
                replicates=replicates, seed=seed,
            )  # fmt: skip
            alone = [one.value for one in step or ()]
            found = Study(output, wanted, reporter).run(alone or STEPS, resume=resume)
            if found is None:
                reporter.result({}, {})
                return
            evaluation = found
        numbers = _numbers(evaluation)
        if not events:
            say(", ".join(f"{name} {value:.3f}" for name, value in numbers.items()))
        reporter.result({"report": output / "report.html", "numbers": output / "csv" / "numbers.csv"}, numbers)


def _numbers(evaluation: Evaluation | PixelEvaluation) -> dict[str, float | str]:
    from sunbreak.studies.downstream.per_pixel.results import PixelEvaluation

    if isinstance(evaluation, PixelEvaluation):
        versions = evaluation.versions["all"]
        return {f"agreement {name}": found.overall["agreement"].value for name, found in versions.items()}
    return {f"macro F1 {name}": found.macro["supported"]["f1"].value for name, found in evaluation.inputs.items()}


def _given(context: typer.Context, panels: tuple[str, ...]) -> list[str]:
    """The options of these panels that were written on the command line."""
    found = []
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if (
            getattr(parameter, "rich_help_panel", None) in panels
            and source is not None
            and source.name == "COMMANDLINE"
        ):
            found.append(parameter.opts[0])
    return found
