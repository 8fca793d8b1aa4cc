"""The downstream study from images, step by step: pair, cover, clean, classifier, logits, report.

Each step writes its results to `steps/` in the study's folder and needs only the results of earlier steps. Results with
unchanged inputs are not computed again, so a stopped run resumes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sunbreak.errors import Cancelled, InputError, OutputError
from sunbreak.events import Reporter
from sunbreak.models.card_landcover import is_per_pixel
from sunbreak.models.registry import DEFAULT_REMOVAL, ModelFiles, find_model
from sunbreak.studies.downstream.per_pixel.results import PixelEvaluation
from sunbreak.studies.downstream.quadruplets import Pairs, Quadruplet, pair
from sunbreak.studies.downstream.remarks import Remark
from sunbreak.studies.downstream.results import Evaluation, evaluate
from sunbreak.studies.downstream.store import read_json, write_json
from sunbreak.studies.downstream.study_classifier import CROP
from sunbreak.studies.downstream.study_options import DEFAULT_CLASSIFIER, TRAIN, StudyOptions, with_earlier
from sunbreak.studies.downstream.table_files import write_table
from sunbreak.studies.downstream.teaching import read_curve, taught, teach

if TYPE_CHECKING:
    from sunbreak.studies.downstream.examples import Sources
    from sunbreak.studies.downstream.per_pixel.counting import PixelClassifier
    from sunbreak.studies.downstream.study_classifier import Judge

STEPS = ("pair", "cover", "clean", "classifier", "logits", "report")
TABLE = "patches.npz"


class Study:
    """A study in its folder.

    Args:
        folder: Folder of the report and of the steps.
        options: Options of the study.
        reporter: Receives the progress and can stop the study.
    """

    def __init__(self, folder: Path, options: StudyOptions, reporter: Reporter) -> None:
        self.folder, self.reporter = folder, reporter
        self.steps = folder / "steps"
        self.options = with_earlier(options, read_json(self.steps / "study.json"))
        self._judge: Judge | None = None
        self._pixel_classifier: PixelClassifier | None = None

    def run(self, steps: Sequence[str] = STEPS, *, resume: bool = False) -> Evaluation | PixelEvaluation | None:
        """Run steps in their order.

        Args:
            steps: The steps; a single step needs the results of the earlier steps.
            resume: Resume the study in the folder.

        Returns:
            The evaluation, if the report is among the steps; that of pixels with a per-pixel classifier.

        Raises:
            OutputError: The folder has a study and `resume` is False, or it cannot be written.
            InputError: A step lacks its inputs.
            Cancelled: The reporter asked to stop; finished results remain.
        """
        # a single step is only requested for an existing study
        if len(steps) == len(STEPS) and not resume and self.steps.is_dir() and any(self.steps.iterdir()):
            raise OutputError(
                f"{self.folder} has a study already.",
                "Resume it with --resume, or choose another folder.",
                code="study-exists",
            )
        evaluation: Evaluation | PixelEvaluation | None = None
        try:
            for step in STEPS:
                if step in steps:
                    self.reporter.checkpoint()
                    found = getattr(self, f"_{step}")()
                    evaluation = found if isinstance(found, Evaluation | PixelEvaluation) else evaluation
        except Cancelled as error:
            raise Cancelled(hint="Finished results remain. Resume with --resume.") from error
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
        self._message(f"Detecting the clouds of {len(wanted)} patches at 10 m.")
        self._computed(find_covers(wanted, self.steps / "cover", self._progress), len(wanted))

    def _clean(self) -> None:
        from sunbreak.studies.downstream.cleaning import clean_patches

        wanted, model = self._evaluated(), self._removal()
        self._message(f"Cleaning {len(wanted)} patches with {model.card.name}.")
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
        self._message(f"The classifier is in {files.path}.")

    def _logits(self) -> None:
        from sunbreak.studies.downstream.logits import gather, judge_patches

        pairs, removal, classifier = self._pairs(), self._removal(), self._chosen_classifier()
        if is_per_pixel(classifier.card):
            self._count_pixels(removal, classifier)
            return
        self._message(f"Classifying {len(pairs.patches)} patches with {classifier.card.name}.")
        split, folder = self.options.split, self.steps / "logits"
        cover, cleaned = self.steps / "cover", self.steps / "cleaned"
        new = judge_patches(
            pairs, split, removal, classifier, self._ready_judge, cover, cleaned, folder, self._progress
        )
        self._computed(new, len(pairs.patches))
        write_table(gather(pairs, split, removal, classifier, folder), self.folder / TABLE)
        self._remember()

    def _count_pixels(self, removal: ModelFiles, classifier: ModelFiles) -> None:
        from sunbreak.studies.downstream.per_pixel.counting import count_patches

        wanted = self._evaluated()
        self._message(f"Classifying the pixels of {len(wanted)} patches with {classifier.card.name}.")
        new = count_patches(
            wanted, removal, classifier, self._ready_pixels, self.steps / "cover", self.steps / "cleaned",
            self.steps / "pixels", self._progress,
        )  # fmt: skip
        self._computed(new, len(wanted))
        self._remember()

    def _report(self) -> Evaluation | PixelEvaluation:
        from sunbreak.studies.downstream.examples import Sources, curve_chapter, example_chapter
        from sunbreak.studies.downstream.explained import attention_chapters
        from sunbreak.studies.downstream.logits import gather
        from sunbreak.studies.downstream.report_pages import write_report

        o = self.options
        pairs, removal, classifier = self._pairs(), self._removal(), self._chosen_classifier()
        sources = Sources(
            {patch.name: patch for patch in self._evaluated()}, removal, self.steps / "cover", self.steps / "cleaned"
        )
        if is_per_pixel(classifier.card):
            return self._report_pixels(pairs, classifier, sources)
        table = gather(pairs, o.split, removal, classifier, self.steps / "logits")
        evaluation = evaluate(
            table, split=o.split, modes=o.modes, replicates=o.replicates, seed=o.seed, checkpoint=self._told
        )
        remarks = [*pairs.remarks, *self._remarks(removal, classifier), *evaluation.remarks]
        evaluation = replace(evaluation, remarks=remarks)
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

    def _report_pixels(self, pairs: Pairs, classifier: ModelFiles, sources: Sources) -> PixelEvaluation:
        from sunbreak.studies.downstream.per_pixel.counting import gather_counts
        from sunbreak.studies.downstream.per_pixel.examples import example_chapter
        from sunbreak.studies.downstream.per_pixel.page import write_pixel_report
        from sunbreak.studies.downstream.per_pixel.results import evaluate_pixels

        o, card = self.options, classifier.card
        self._refuse_explain()
        counts = gather_counts(tuple(sources.patches.values()), sources.removal, classifier, self.steps / "pixels")
        models = f"Clouds were removed with {sources.removal.card.name}. The per-pixel classifier is {card.name}."
        evaluation = evaluate_pixels(
            counts,
            split=o.split,
            replicates=o.replicates,
            seed=o.seed,
            remarks=[*pairs.remarks, Remark("models", 2, models)],
            checkpoint=self._told,
        )
        self._message("Drawing the figures.")
        examples = example_chapter(counts, sources, card.classes, self._ready_pixels)
        write_pixel_report(evaluation, card.name, self.folder, self.reporter.checkpoint, [examples])
        return evaluation

    def _remarks(self, removal: ModelFiles, classifier: ModelFiles) -> list[Remark]:
        tile = classifier.card.tile
        text = (
            f"Clouds were removed with {removal.card.name}. The classifier is {classifier.card.name}; its input is the "
            f"centre crop of each patch ({CROP} x {CROP} pixels; smaller patches are not cropped)."
        )
        if tile < CROP:
            text += (
                f" It was trained on {tile} x {tile} pixels. Larger images are classified in windows of this size, and "
                "the logits are averaged."
            )
        return [Remark("models", 2, text)]

    # what the steps share

    def _check_models(self) -> None:
        """Refuse unusable models before hours of work, and store the choice of models."""
        from sunbreak.studies.downstream.study_classifier import check_classes

        self._removal()
        if self.options.classifier != TRAIN:
            chosen = self._chosen_classifier()
            if is_per_pixel(chosen.card):
                self._refuse_explain()
            else:
                check_classes(chosen)
        self._remember()

    def _refuse_explain(self) -> None:
        if self.options.explain:
            raise InputError(
                "--explain cannot be combined with a per-pixel classifier.",
                "Leave it out, or run `sunbreak explain` on the images of the patch.",
                code="bad-option",
            )

    def _remember(self) -> None:
        """Store the names of the models for single steps without model options."""
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
                f"{self._teaching_folder}: the classifier is not trained yet.",
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

    def _ready_pixels(self) -> PixelClassifier:
        from sunbreak.studies.downstream.per_pixel.counting import PixelClassifier

        if self._pixel_classifier is None:
            o = self.options
            self._pixel_classifier = PixelClassifier(self._chosen_classifier(), o.device, o.runtime)
        return self._pixel_classifier

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
                f"{self.steps}: the patches are not paired yet.", "Run --step pair first.", code="step-missing"
            )
        return pairs

    def _evaluated(self) -> tuple[Quadruplet, ...]:
        found = self._pairs().of_split(self.options.split)
        if not found:
            raise InputError(
                f"{self.steps}: no patch is in the split '{self.options.split}'.",
                "Choose another split with --split.",
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
            self._message(f"{total - new} of {total} results existed already.")
