"""The downstream study from images, step by step: pair, cover, clean, classifier, logits, report.

Each step leaves its results in `steps/` of the study's folder and needs only those of the steps before it. What stands
there and was made from the same inputs is not made again, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sunbreak.errors import Cancelled, InputError, OutputError
from sunbreak.events import Reporter
from sunbreak.metrics.classification import MODES, Mode
from sunbreak.models.registry import DEFAULT_CLASSIFIER, DEFAULT_REMOVAL, ModelFiles, find_model
from sunbreak.studies.downstream.quadruplets import Pairs, Quadruplet, pair
from sunbreak.studies.downstream.remarks import Remark
from sunbreak.studies.downstream.results import REPLICATES, Evaluation, evaluate
from sunbreak.studies.downstream.store import read_json, write_json
from sunbreak.studies.downstream.study_classifier import CROP
from sunbreak.studies.downstream.table import PatchTable
from sunbreak.studies.downstream.table_files import write_table
from sunbreak.studies.downstream.teaching import Teaching, read_curve, taught, teach

if TYPE_CHECKING:
    from sunbreak.engine.runtime import DeviceName, RuntimeName
    from sunbreak.studies.downstream.study_classifier import Judge

STEPS = ("pair", "cover", "clean", "classifier", "logits", "report")
TRAIN = "train"
TABLE = "patches.npz"


@dataclass(frozen=True)
class StudyOptions:
    """What the study is to be.

    Attributes:
        sen12ms: Folder of SEN12MS; needed by the step `pair` only.
        sen12mscr: Folder of SEN12MS-CR; needed by the step `pair` only.
        removal: Model of cloud removal; None takes that of the run before, or the bundled one.
        classifier: Classifier, or ``train``; None takes that of the run before, or the bundled one.
        season: ``spring``, ``summer``, ``fall``, ``winter`` or ``all``.
        split: The split that is evaluated.
        limit: At most so many patches of each split.
        exclude: Patches to leave out.
        explain: Patches whose saliency maps are wanted.
        teaching: How a classifier is trained.
        device: Where the networks run.
        runtime: What runs cloud removal.
        modes: Conventions of the report.
        replicates: Bootstrap resamples.
        seed: Of the resamples.
    """

    sen12ms: Path | None = None
    sen12mscr: Path | None = None
    removal: str | None = None
    classifier: str | None = None
    season: str = "spring"
    split: str = "test"
    limit: int | None = None
    exclude: tuple[str, ...] = ()
    explain: tuple[str, ...] = ()
    teaching: Teaching = field(default_factory=Teaching)
    device: DeviceName = "auto"
    runtime: RuntimeName = "auto"
    modes: tuple[Mode, ...] = MODES
    replicates: int = REPLICATES
    seed: int = 0


class Study:
    """A study in its folder.

    Args:
        folder: Where the report goes, and the steps.
        options: What it is to be.
        reporter: Told about the progress and asked whether to stop.
    """

    def __init__(self, folder: Path, options: StudyOptions, reporter: Reporter) -> None:
        self.folder, self.reporter = folder, reporter
        self.steps = folder / "steps"
        self.options = self._with_earlier(options)
        self._judge: Judge | None = None

    def run(self, steps: Sequence[str] = STEPS, *, resume: bool = False) -> Evaluation | None:
        """Run steps in their order.

        Args:
            steps: Which; a single one needs what those before it left.
            resume: Go on with a study that stands in the folder already.

        Returns:
            The evaluation, if the report was among the steps.

        Raises:
            OutputError: A study stands in the folder already and is not to be resumed, or it cannot be written.
            InputError: A step has not got what it needs.
            Cancelled: The caller asked to stop; finished parts stay.
        """
        # a step by itself is asked for by somebody who knows that there is a study
        if len(steps) == len(STEPS) and not resume and self.steps.is_dir() and any(self.steps.iterdir()):
            raise OutputError(
                f"{self.folder} holds a study already.",
                "Go on with it by --resume, or choose another folder.",
                code="study-exists",
            )
        evaluation = None
        try:
            for step in STEPS:
                if step in steps:
                    self.reporter.checkpoint()
                    found = getattr(self, f"_{step}")()
                    evaluation = found if isinstance(found, Evaluation) else evaluation
        except Cancelled as error:
            raise Cancelled(hint="What was finished stays: go on with --resume.") from error
        return evaluation

    def _pair(self) -> None:
        o = self.options
        if o.sen12ms is None or o.sen12mscr is None:
            raise InputError(
                "The data sets are not given.",
                "Give --sen12ms and --sen12mscr, or a table of logits with --table.",
                code="missing-option",
            )
        self._check_models()
        self._message("Pairing the patches and reading their land cover.")
        pairs = pair(
            o.sen12ms.absolute(),
            o.sen12mscr.absolute(),
            self.steps / "labels.json",
            season=o.season,
            split=o.split,
            limit=o.limit,
            exclude=o.exclude,
            checkpoint=self._progress,
        )
        pairs.write(self.steps / "pairs.json")
        counts = ", ".join(f"{len(pairs.of_split(split))} {split}" for split in ("train", "val", "test"))
        self._message(f"{len(pairs.patches)} patches: {counts}.")

    def _cover(self) -> None:
        from sunbreak.studies.downstream.covers import find_covers

        wanted = self._evaluated()
        self._message(f"Looking for the clouds of {len(wanted)} patches, at 10 m.")
        self._computed(find_covers(wanted, self.steps / "cover", self._progress), len(wanted))

    def _clean(self) -> None:
        from sunbreak.studies.downstream.cleaning import clean_patches

        wanted, model = self._evaluated(), self._removal()
        self._message(f"Cleaning {len(wanted)} patches by {model.card.name}.")
        new = clean_patches(
            wanted,
            model,
            self.steps / "cover",
            self.steps / "cleaned",
            device=self.options.device,
            runtime=self.options.runtime,
            checkpoint=self._progress,
        )
        self._computed(new, len(wanted))
        self._remember()

    def _classifier(self) -> None:
        if self.options.classifier != TRAIN:
            self._message(f"The classifier is {self._chosen_classifier().card.name}.")
            return
        pairs = self._pairs()
        learned = len(pairs.of_split("train"))
        self._message(f"Training a classifier on the clear images of {learned} patches.")
        files = teach(pairs, self.options.teaching, self._teaching_folder, self.reporter, self._device_name())
        self._message(f"The classifier stands in {files.path}.")

    def _logits(self) -> PatchTable:
        from sunbreak.studies.downstream.logits import gather, judge_patches

        pairs, removal, classifier = self._pairs(), self._removal(), self._chosen_classifier()
        self._message(f"Judging {len(pairs.patches)} patches by {classifier.card.name}.")
        split, folder = self.options.split, self.steps / "logits"
        cover, cleaned = self.steps / "cover", self.steps / "cleaned"
        new = judge_patches(
            pairs, split, removal, classifier, self._ready_judge, cover, cleaned, folder, self._progress
        )
        self._computed(new, len(pairs.patches))
        table = gather(pairs, split, removal, classifier, folder)
        write_table(table, self.folder / TABLE)
        self._remember()
        return table

    def _report(self) -> Evaluation:
        from sunbreak.studies.downstream.examples import Sources, curve_chapter, example_chapter
        from sunbreak.studies.downstream.explained import attention_chapters
        from sunbreak.studies.downstream.logits import gather
        from sunbreak.studies.downstream.report_pages import write_report

        o = self.options
        pairs, removal, classifier = self._pairs(), self._removal(), self._chosen_classifier()
        table = gather(pairs, o.split, removal, classifier, self.steps / "logits")
        evaluation = evaluate(
            table, split=o.split, modes=o.modes, replicates=o.replicates, seed=o.seed, checkpoint=self._told
        )
        remarks = [*pairs.remarks, *self._remarks(removal, classifier), *evaluation.remarks]
        evaluation = replace(evaluation, remarks=remarks)
        sources = Sources(
            {patch.name: patch for patch in self._evaluated()}, removal, self.steps / "cover", self.steps / "cleaned"
        )
        trained = o.classifier == TRAIN
        curve = read_curve(self._teaching_folder) if trained else None
        chapters = [
            example_chapter(evaluation.table, sources),
            curve_chapter(curve, int(classifier.card.arguments["depth"]) if trained else None),
            *attention_chapters(evaluation.table, o.explain, sources, self._ready_judge),
        ]
        self._message("Drawing the figures.")
        write_report(evaluation, self.folder, self.reporter.checkpoint, chapters)
        return evaluation

    def _remarks(self, removal: ModelFiles, classifier: ModelFiles) -> list[Remark]:
        tile = classifier.card.tile
        text = (
            f"Clouds were removed by {removal.card.name}; the classifier is {classifier.card.name}, which sees the "
            f"centre of each patch ({CROP} x {CROP} pixels, smaller patches whole)."
        )
        if tile < CROP:
            text += (
                f" It was trained on {tile} x {tile} pixels: it sees larger images in such windows and averages "
                "the logits."
            )
        return [Remark("models", 2, text)]

    # what the steps share

    def _with_earlier(self, options: StudyOptions) -> StudyOptions:
        """The options, with the models of the run before where none is named."""
        earlier = read_json(self.steps / "study.json") or {}
        return replace(
            options,
            removal=options.removal or earlier.get("removal") or DEFAULT_REMOVAL,
            classifier=options.classifier or earlier.get("classifier") or DEFAULT_CLASSIFIER,
        )

    def _check_models(self) -> None:
        """Find out before hours of work that a model cannot be used, and remember which were chosen."""
        from sunbreak.studies.downstream.study_classifier import check_classes

        self._removal()
        if self.options.classifier != TRAIN:
            check_classes(self._chosen_classifier())
        self._remember()

    def _remember(self) -> None:
        """Keep the names of the models for steps that are run alone and name none."""
        choice = {"removal": self.options.removal, "classifier": self.options.classifier}
        if read_json(self.steps / "study.json") != choice:
            write_json(self.steps / "study.json", choice)

    def _removal(self) -> ModelFiles:
        return find_model(self.options.removal or DEFAULT_REMOVAL, "cloud-removal")

    def _chosen_classifier(self) -> ModelFiles:
        if self.options.classifier != TRAIN:
            return find_model(self.options.classifier or DEFAULT_CLASSIFIER, "land-cover")
        found = taught(self._teaching_folder)
        if found is None:
            raise InputError(
                f"{self._teaching_folder}: the classifier was not trained yet.",
                "Run --step classifier first.",
                code="step-missing",
            )
        return found

    def _ready_judge(self) -> Judge:
        from sunbreak.engine.runtime import choose_device
        from sunbreak.studies.downstream.study_classifier import Judge

        if self._judge is None:
            self._judge = Judge(self._chosen_classifier(), choose_device(self.options.device))
        return self._judge

    def _device_name(self) -> str:
        from sunbreak.engine.runtime import choose_device

        return choose_device(self.options.device).type

    @property
    def _teaching_folder(self) -> Path:
        return self.steps / "classifier"

    def _pairs(self) -> Pairs:
        pairs = Pairs.read(self.steps / "pairs.json")
        if pairs is None:
            raise InputError(
                f"{self.steps}: the patches were not paired yet.", "Run --step pair first.", code="step-missing"
            )
        return pairs

    def _evaluated(self) -> tuple[Quadruplet, ...]:
        found = self._pairs().of_split(self.options.split)
        if not found:
            raise InputError(
                f"{self.steps}: no patch is in the split '{self.options.split}'.",
                "Choose another one with --split.",
                code="split-missing",
            )
        return found

    def _progress(self, done: int, total: int) -> None:
        self.reporter.checkpoint()
        self.reporter.progress(done, total, "patches")

    def _told(self, step: str) -> None:
        self.reporter.checkpoint()
        self._message(f"Computing {step}.")

    def _message(self, text: str) -> None:
        self.reporter.message(text)

    def _computed(self, new: int, total: int) -> None:
        if new < total:
            self._message(f"{total - new} of {total} stood there already.")
