"""The whole study, from images to the report: a stopped study resumes with the same result; errors are clear."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
from program import sunbreak

from sunbreak.errors import Cancelled, InputError, ModelError, OutputError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.models.architectures import load_classifier
from sunbreak.studies.downstream import teaching
from sunbreak.studies.downstream.examples import curve_chapter
from sunbreak.studies.downstream.quadruplets import pair
from sunbreak.studies.downstream.study import STEPS, Study
from sunbreak.studies.downstream.study_options import StudyOptions
from sunbreak.studies.downstream.table import INPUTS, QUALITY, columns_of
from sunbreak.studies.downstream.table_files import read_table
from sunbreak.studies.downstream.teaching import Teaching, read_curve, teach

pytest.importorskip("matplotlib")

TABLE_STEPS = STEPS[:-1]


@pytest.fixture(scope="module", autouse=True)
def few_pages():
    """One case of each kind: saliency maps take most of the time of a report."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sunbreak.studies.downstream.explained.PER_KIND", 1)
        yield


@pytest.fixture(scope="module")
def options(data, small_model, small_classifier) -> StudyOptions:
    return StudyOptions(
        sen12ms=data[0],
        sen12mscr=data[1],
        removal=str(small_model.path),
        classifier=str(small_classifier.path),
        device="cpu",
        runtime="torch",
        replicates=12,
        modes=("paper",),
        explain=("1158_spring_31_p30",),
    )


@pytest.fixture(scope="module")
def study(options, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "whole"
    return folder, Study(folder, options, Silent()).run()


class StopsAt(Reporter):
    """Cancels at the n-th checkpoint of the run."""

    def __init__(self, look: int) -> None:
        super().__init__(Cancellation())
        self.looks, self.stop = 0, look
        self.heard = ""

    def message(self, text, level="info"):
        self.heard = text

    def checkpoint(self) -> None:
        self.looks += 1
        if self.looks == self.stop:
            raise Cancelled


def same_tables(first, second) -> bool:
    mine, theirs = columns_of(read_table(first)), columns_of(read_table(second))
    assert mine.keys() == theirs.keys()
    return all(
        np.array_equal(values, theirs[name], equal_nan=values.dtype.kind == "f") for name, values in mine.items()
    )


def test_the_table_has_all_inputs_and_metrics_of_the_test_patches(study):
    table = read_table(study[0] / "patches.npz")
    part = table.of_split("test")
    assert (len(table), len(part)) == (16, 8)
    assert tuple(part.logits) == INPUTS
    assert set(part.quality) == {(figure, name) for figure in QUALITY for name in INPUTS[1:]}
    for values in (*part.quality.values(), *part.features.values(), part.cover):
        assert not np.isnan(values).any()
    assert (part.logits["removed"] != part.logits["removed_raw"]).any()
    others = table.split != "test"
    assert np.isfinite(table.logits["clear"]).all()
    assert np.isnan(table.logits["cloudy"][others]).all() and np.isnan(table.cover[others]).all()


def test_clear_patches_keep_their_quality_in_the_default_output(study):
    part = read_table(study[0] / "patches.npz").of_split("test")
    clearest = part.cover.argmin()
    # the network has random weights: replaced pixels are wrong
    assert part.quality["psnr", "removed"][clearest] > part.quality["psnr", "removed_raw"][clearest]


def test_the_report_has_image_figures_and_exclusions(study):
    folder, evaluation = study
    page = (folder / "report.html").read_text(encoding="utf-8")
    names = {path.stem for path in (folder / "figures").glob("*.png")}
    assert {"fig2_classes", "fig4_examples", "cam_chosen_removed_raw_1"} <= names
    assert any(name.startswith("cam_confident_removed") or name.startswith("fig10_wrong") for name in names)
    for name in names:
        assert f"figures/{name}.png" in page
    for words in (
        "Clear pixels kept compared with the raw prediction",
        "MAE, reflectance",
        "28.79",
        "1158_spring_31_p30",
    ):
        assert words in page
    topics = {remark.topic for remark in evaluation.remarks}
    assert {"incomplete patches", "broken patches", "patches without a class", "models"} <= topics
    assert "It was trained on 64 x 64 pixels" in page
    assert "there is no training curve" in page


def test_a_study_stopped_at_any_time_ends_with_the_same_table(study, options, tmp_path):
    counter = StopsAt(-1)
    Study(tmp_path / "count", options, counter).run(TABLE_STEPS)
    assert same_tables(tmp_path / "count" / "patches.npz", study[0] / "patches.npz")
    folder = tmp_path / "stopped"
    stopped_while = []
    for moment in (2, 12, 21, 27, 30, 36, 41, counter.looks - 9):
        reporter = StopsAt(moment)
        with pytest.raises(Cancelled, match="Resume with --resume"):
            Study(folder, options, reporter).run(TABLE_STEPS, resume=True)
        stopped_while.append(reporter.heard.split()[0])
        assert not list(folder.rglob("*.part"))
    assert set(stopped_while) == {"Pairing", "Detecting", "Cleaning", "Classifying"}
    Study(folder, options, Silent()).run(TABLE_STEPS, resume=True)
    assert same_tables(folder / "patches.npz", study[0] / "patches.npz")


def test_a_resumed_study_repeats_no_work(options, tmp_path):
    Study(tmp_path, options, Silent()).run(TABLE_STEPS)
    before = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "steps").rglob("*") if path.suffix in (".npz", ".tif")
    }
    assert len(before) == 8 + 3 * 8 + 2
    Study(tmp_path, options, Silent()).run(TABLE_STEPS, resume=True)
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())


def test_only_results_of_a_changed_image_are_computed_again(own_data, options, tmp_path):
    from dataclasses import replace

    mine = replace(options, sen12ms=own_data[0], sen12mscr=own_data[1])
    folder = tmp_path / "study"
    Study(folder, mine, Silent()).run(TABLE_STEPS)
    first = columns_of(read_table(folder / "patches.npz"))
    files = {path: path.stat().st_mtime_ns for path in (folder / "steps").rglob("*.npz")}
    cloudy = next(own_data[1].rglob("*_s2_cloudy_106_p30.tif"))
    with (
        rasterio.open(next(own_data[1].rglob("*_s2_cloudy_31_p31.tif"))) as other,
        rasterio.open(cloudy, "r+") as target,
    ):
        target.write(other.read())
    Study(folder, mine, Silent()).run(TABLE_STEPS, resume=True)
    again = {path for path, time in files.items() if path.stat().st_mtime_ns != time}
    assert {path.name for path in again} == {"1158_spring_106_p30.npz", "shard_00000.npz"}
    second = columns_of(read_table(folder / "patches.npz"))
    changed = (first["logits_cloudy"] != second["logits_cloudy"]).any(axis=1) & (first["split"] == "test")
    assert first["patch"][changed].tolist() == ["1158_spring_106_p30"]
    assert np.array_equal(first["logits_clear"], second["logits_clear"])


def test_single_steps_run_and_name_the_missing_step(options, study, tmp_path):
    from dataclasses import replace

    for step, needs in (("cover", "--step pair"), ("logits", "--step pair")):
        with pytest.raises(InputError, match=needs):
            Study(tmp_path, options, Silent()).run([step])
    for step in STEPS[:5]:
        if step == "clean":
            with pytest.raises(InputError, match="Run --step"):
                Study(tmp_path, options, Silent()).run(["logits"])
        # the models are those of the earlier step, and the data sets are stored
        known = (
            options if step == "pair" else replace(options, sen12ms=None, sen12mscr=None, removal=None, classifier=None)
        )
        Study(tmp_path, known, Silent()).run([step])
    assert same_tables(tmp_path / "patches.npz", study[0] / "patches.npz")


def test_later_steps_use_the_model_of_an_earlier_step(options, tmp_path):
    from dataclasses import replace

    few = replace(options, limit=2)
    Study(tmp_path, few, Silent()).run(TABLE_STEPS)
    first = columns_of(read_table(tmp_path / "patches.npz"))["logits_clear"]
    Study(tmp_path, replace(few, classifier="resnet18-landcover"), Silent()).run(["logits"])
    second = columns_of(read_table(tmp_path / "patches.npz"))["logits_clear"]
    assert not np.allclose(first, second)
    Study(tmp_path, replace(few, removal=None, classifier=None), Silent()).run(["logits"])
    assert np.array_equal(columns_of(read_table(tmp_path / "patches.npz"))["logits_clear"], second)


def test_an_existing_study_is_not_overwritten(study, options):
    with pytest.raises(OutputError, match="has a study already"):
        Study(study[0], options, Silent()).run()


def test_unusable_models_are_refused_before_any_work(options, small_model, small_classifier, tmp_path):
    from dataclasses import replace

    for changes in (
        {"classifier": str(small_model.path)},
        {"removal": str(small_classifier.path)},
        {"removal": "nobody"},
    ):
        with pytest.raises(ModelError):
            Study(tmp_path, replace(options, **changes), Silent()).run()
    assert not (tmp_path / "steps").exists()


def test_an_unknown_patch_to_explain_is_refused(study, options):
    from dataclasses import replace

    with pytest.raises(InputError, match="--explain 1158_spring_31_p999"):
        Study(study[0], replace(options, explain=("1158_spring_31_p999",)), Silent()).run(["report"])


# training


def test_a_trained_classifier_has_a_curve_and_a_card(data, tmp_path):
    pairs = pair(*data, tmp_path / "labels.json")
    files = teach(pairs, Teaching(width=4, steps=8, batch=4), tmp_path / "work", Silent())
    curve = read_curve(tmp_path / "work")
    assert curve.steps.tolist() == list(range(1, 9))
    assert curve.checks.tolist() == [8]
    assert 0 <= curve.check_f1[-1] <= 1
    assert files.card.tile == 64 and files.card.training["patches"] == 6
    assert load_classifier(files).fc.out_features == 10
    again = teach(pairs, Teaching(width=4, steps=8, batch=4), tmp_path / "work", Silent())
    assert again.card.sha256 == files.card.sha256
    other = teach(pairs, Teaching(width=4, steps=8, batch=4, seed=2), tmp_path / "work", Silent())
    assert other.card.sha256 != files.card.sha256


def test_a_resumed_classifier_training_equals_an_uninterrupted_one(data, tmp_path, monkeypatch):
    monkeypatch.setattr("sunbreak.training.classifier.loop._SAVE_EVERY", 3)
    pairs = pair(*data, tmp_path / "labels.json")
    wanted = Teaching(width=4, steps=8, batch=4)
    whole = teach(pairs, wanted, tmp_path / "whole", Silent())
    with pytest.raises(Cancelled):
        teach(pairs, wanted, tmp_path / "stopped", StopsAt(6))
    assert teaching.taught(tmp_path / "stopped") is None
    resumed = teach(pairs, wanted, tmp_path / "stopped", Silent())
    assert resumed.card.sha256 == whole.card.sha256
    first, second = read_curve(tmp_path / "whole"), read_curve(tmp_path / "stopped")
    assert first.checks.tolist() == second.checks.tolist() == [3, 6, 8]
    assert first.loss == pytest.approx(second.loss)


def test_a_study_with_a_trained_classifier_reports_the_training(options, tmp_path):
    from dataclasses import replace

    mine = replace(options, classifier="train", teaching=Teaching(width=4, steps=6, batch=4), explain=())
    with pytest.raises(InputError, match="--step classifier"):
        Study(tmp_path, mine, Silent()).run(["pair", "cover", "clean", "logits"])
    Study(tmp_path, mine, Silent()).run(TABLE_STEPS, resume=True)
    assert np.isfinite(read_table(tmp_path / "patches.npz").of_split("test").logits["cloudy"]).all()
    chapter = curve_chapter(read_curve(tmp_path / "steps" / "classifier"), 18)
    assert "(ResNet-18) was trained for 6 steps" in chapter.texts[0] and ".471 macro" in chapter.texts[0]
    figure = chapter.draws["training_curve"]()
    assert [axes.get_ylabel() for axes in figure.axes] == ["Cross-entropy, nats", "F1 of the validation scenes"]
    figure.savefig(tmp_path / "curve.png")


def test_training_without_training_scenes_is_refused(data, tmp_path):
    pairs = pair(*data, tmp_path / "labels.json")
    bare = type(pairs)(pairs.of_split("test"), ())
    with pytest.raises(InputError, match="no patch of the split 'train'"):
        teach(bare, Teaching(), tmp_path / "work", Silent())


# the command


def test_the_command_runs_a_step_and_sends_events(data, small_model, small_classifier, tmp_path):
    call = ["study", "downstream", "--sen12ms", data[0], "--sen12mscr", data[1], "--removal", small_model.path]
    call += [
        "--classifier",
        small_classifier.path,
        "-o",
        tmp_path / "out",
        "--step",
        "pair",
        "--limit",
        "3",
        "--events",
    ]
    done = sunbreak(*call)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["event"] == "result"
    assert any("8 patches: 3 train, 2 val, 3 test." in event.get("text", "") for event in events)
    assert (tmp_path / "out" / "steps" / "pairs.json").is_file()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--table", "t.npz", "--limit", "3", "--depth", "50"], "--limit, --depth cannot be combined with --table"),
        (["--table", "t.npz", "--resume"], "--resume cannot be combined with --table"),
        ([], "The data sets are not given"),
        (["--step", "report"], "Run --step pair first"),
    ],
)
def test_contradicting_options_are_refused_with_a_one_line_error(tmp_path, options, said):
    done = sunbreak("study", "downstream", *options, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "report.html").exists()


def test_the_simulated_layout_refuses_options_of_a_single_scene(tmp_path):
    done = sunbreak("simulate", "--layout", "sen12ms", "--cover", "0.5", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert "for a single scene" in done.stderr
