"""Batches: the effect of a failed scene, and which scenes a resumed batch repeats."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sunbreak.batches.executor import OneByOne
from sunbreak.batches.manifest import MARKER, BatchScene, find_scenes
from sunbreak.batches.markers import read_marker
from sunbreak.batches.runner import run_batch
from sunbreak.batches.scene_reporter import SceneReporter
from sunbreak.batches.specs import specs_of
from sunbreak.clouds import CloudSettings
from sunbreak.errors import Cancelled, InputError, OutputError, RunError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.jobs.options import ClassifyOptions, DetectOptions
from sunbreak.jobs.result import Result
from sunbreak.jobs.spec import JobInputs, JobSpec

OTHER = DetectOptions(CloudSettings(threshold=0.5))


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Heard(Reporter):
    """Remembers everything."""

    def __init__(self, cancellation: Cancellation | None = None) -> None:
        super().__init__(cancellation)
        self.events: list[dict[str, object]] = []

    def _emit(self, event: str, **fields: object) -> None:
        self.events.append({"event": event, **fields})

    def of(self, kind: str) -> list[dict[str, object]]:
        return [event for event in self.events if event["event"] == kind]


class Copy:
    """An executor that copies the input, or does something else for scenes of a given name."""

    def __init__(self, **otherwise: Callable[[], None]) -> None:
        self.otherwise = otherwise
        self.asked: list[str] = []
        self.roles = ("copy",)

    def __call__(self, spec: JobSpec, reporter: Reporter) -> Result:
        folder, name, s2 = spec.output, spec.output.name, spec.inputs.s2[0]
        self.asked.append(name)
        reporter.progress(0, 4)
        reporter.message("copying")
        self.otherwise.get(name, lambda: None)()
        reporter.progress(2, 4)
        reporter.checkpoint()
        layers = {role: folder / f"{name}_{role}.tif" for role in self.roles}
        for role, path in layers.items():
            if path.exists() and not spec.overwrite:
                raise OutputError(f"The output {path} exists already.", "Choose another folder.", code="output-exists")
            folder.mkdir(exist_ok=True)
            path.write_bytes(s2.read_bytes())
            reporter.layer(role, path)
        numbers = {"bytes": len(s2.read_bytes()), "seconds": 99.0}
        reporter.result(layers, numbers)
        return Result(layers, numbers)


def fail(error: Exception) -> Callable[[], None]:
    def now() -> None:
        raise error

    return now


@pytest.fixture
def scenes(tmp_path) -> list[BatchScene]:
    made = []
    for name in ("a", "b", "c", "d"):
        path = tmp_path / "in" / f"{name}.tif"
        put(path, name * 10)
        made.append(BatchScene(name, (path,)))
    return made


@pytest.fixture
def run(scenes, tmp_path):
    def call(job, reporter: Reporter | None = None, **options):
        given, out = options.pop("scenes", scenes), tmp_path / "out"
        task, how = options.pop("task", "detect"), options.pop("how", DetectOptions())
        specs = specs_of(given, out, task, JobInputs(given[0].s2), how)
        return run_batch(specs, out, OneByOne(job), reporter or Silent(), **options)

    return call


def statuses(result) -> str:
    return " ".join(f"{outcome.name}:{outcome.status}" for outcome in result.outcomes)


def test_a_failed_scene_is_recorded_and_the_others_are_processed(run, tmp_path):
    job = Copy(
        b=fail(RunError("The disk is full.", "Free\nsome space.", code="disk-full")),
        c=fail(ZeroDivisionError("1/0\nx")),
    )
    heard = Heard()
    result = run(job, heard)
    assert statuses(result) == "a:done b:failed c:failed d:done"
    rows = rows_of(tmp_path / "out" / "summary.csv")
    assert list(rows[0]) == ["name", "status", "seconds", "bytes", "code", "reason"]
    assert [row["bytes"] for row in rows] == ["10", "", "", "10"]
    assert [row["code"] for row in rows] == ["", "disk-full", "internal", ""]
    assert rows[1]["reason"] == "The disk is full. Free some space."
    assert rows[2]["reason"] == "ZeroDivisionError: 1/0"
    assert all(0 <= float(row["seconds"]) < 5 for row in rows)
    last = heard.events[-1]
    assert last["event"] == "result"
    assert {key: last["numbers"][key] for key in ("done", "failed", "skipped")} == {
        "done": 2,
        "failed": 2,
        "skipped": 0,
    }
    assert len(heard.of("result")) == 1
    assert not list((tmp_path / "out").glob(".*"))


def test_messages_carry_the_scenes_name_and_the_progress_never_goes_back(run, scenes):
    heard = Heard()
    run(Copy(), heard)
    texts = [event["text"] for event in heard.of("message")]
    assert [text for text in texts if "copying" in text] == [f"{scene.name}: copying" for scene in scenes]
    steps = heard.of("progress")
    assert {(step["total"], step["unit"]) for step in steps} == {(4, "scenes")}
    done = [step["done"] for step in steps]
    assert done == sorted(done)
    assert done[:4] == [0, 0, 0.25, 1]
    assert done[-1] == 4
    assert [Path(event["path"]).name for event in heard.of("layer")] == [f"{s.name}_copy.tif" for s in scenes]


def test_each_phase_of_a_job_fills_half_of_the_remaining_bar():
    heard = Heard()
    reporter = SceneReporter(heard, "x", 2, 5)
    for done, total, unit in (
        (0, 3, "blocks"),
        (3, 3, "blocks"),
        (0, 2, "tiles"),
        (2, 2, "tiles"),
        (0, 2, "tiles"),
        (0, 0, "rows"),
    ):
        reporter.progress(done, total, unit)
    assert [event["done"] for event in heard.of("progress")] == [2.0, 2.5, 2.5, 2.75, 2.75, 2.875]


def test_cancelling_stops_at_once_and_keeps_finished_scenes(run, tmp_path):
    cancellation = Cancellation()
    job = Copy(c=cancellation.request)
    with pytest.raises(Cancelled, match="2 of 4 scenes are done") as caught:
        run(job, Heard(cancellation))
    assert "--resume" in caught.value.hint
    assert job.asked == ["a", "b", "c"]
    assert [row["name"] for row in rows_of(tmp_path / "out" / "summary.csv")] == ["a", "b"]
    assert (tmp_path / "out" / "b" / "b_copy.tif").is_file()
    assert not (tmp_path / "out" / "c").exists()
    assert not list((tmp_path / "out").glob(".*"))
    again = Copy()
    assert statuses(run(again, resume=True)) == "a:skipped b:skipped c:done d:done"
    assert again.asked == ["c", "d"]


def test_an_error_after_a_cancellation_is_no_failed_scene(run, tmp_path):
    cancellation = Cancellation()

    def break_down() -> None:
        cancellation.request()
        raise OSError("read thread stopped")

    with pytest.raises(Cancelled):
        run(Copy(a=break_down), Heard(cancellation))
    assert not (tmp_path / "out").exists()


def test_resuming_repeats_failed_scenes_only(run, tmp_path):
    run(Copy(b=fail(RunError("no"))))
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*_copy.tif")}
    heard, job = Heard(), Copy()
    result = run(job, heard, resume=True)
    assert statuses(result) == "a:skipped b:done c:skipped d:skipped"
    assert job.asked == ["b"]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert "3 of 4 scenes are done already, 1 are left." in [event["text"] for event in heard.of("message")]
    assert heard.of("progress")[-1]["total"] == 1
    # the summary is as full as that of a batch in one go
    assert [row["bytes"] for row in rows_of(result.summary)] == ["10"] * 4
    assert {Path(event["path"]).name for event in heard.of("layer")} == {f"{n}_copy.tif" for n in "abcd"}


@pytest.mark.parametrize("how", ["input", "touched", "layer", "marker", "radar", "parameter", "task"])
def test_resuming_repeats_scenes_that_no_longer_match(run, scenes, tmp_path, how):
    run(Copy())
    folder = tmp_path / "out" / "b"
    options: dict[str, object] = {}
    if how == "input":
        put(scenes[1].s2[0], "changed")
    elif how == "touched":
        os.utime(scenes[1].s2[0], (1, 1))
    elif how == "layer":
        (folder / "b_copy.tif").unlink()
    elif how == "marker":
        (folder / MARKER).write_text('{"task": "detect", "layers": 3')
    elif how == "radar":
        radar = put(tmp_path / "r.tif", "r")
        options["scenes"] = [scenes[0], BatchScene("b", scenes[1].s2, (radar,)), *scenes[2:]]
    elif how == "parameter":
        options["how"] = OTHER
    else:
        options |= {"task": "classify", "how": ClassifyOptions()}
    job = Copy()
    run(job, resume=True, **options)
    assert job.asked == (["a", "b", "c", "d"] if how in ("parameter", "task") else ["b"])
    assert (folder / "b_copy.tif").read_text() == scenes[1].s2[0].read_text()
    assert run(Copy(), resume=True, **options).having("skipped")[-1].name == "d"


def test_a_folder_of_files_matches_until_one_of_them_changes(run, scenes, tmp_path):
    folder = scenes[0].s2[0].parent
    one = [BatchScene("all", (scenes[0].s2[0],), (folder,))]
    run(Copy(), scenes=one)
    put(folder / "a.tif.aux.xml", "left by a viewer")
    assert statuses(run(Copy(), scenes=one, resume=True)) == "all:skipped"
    put(folder / "d.tif", "other")
    assert statuses(run(Copy(), scenes=one, resume=True)) == "all:done"


def test_without_resume_existing_layers_stay_and_their_scene_fails(run, tmp_path):
    run(Copy())
    before = (tmp_path / "out" / "a" / MARKER).read_bytes()
    result = run(Copy())
    assert {outcome.code for outcome in result.outcomes} == {"output-exists"}
    assert (tmp_path / "out" / "a" / MARKER).read_bytes() == before
    assert statuses(run(Copy(), resume=True)) == "a:skipped b:skipped c:skipped d:skipped"
    assert len(run(Copy(), overwrite=True).having("done")) == 4


def test_a_scene_that_fails_while_it_is_replaced_is_no_finished_one(run, tmp_path):
    run(Copy())
    run(Copy(a=fail(RunError("no"))), how=OTHER, resume=True)
    job = Copy()
    run(job, resume=True)
    assert "a" in job.asked


def test_a_layer_of_an_earlier_run_that_is_not_replaced_is_named(run, tmp_path):
    job = Copy()
    job.roles = ("copy", "extra")
    run(job)
    heard = Heard()
    run(Copy(), heard, how=OTHER, resume=True)
    said = [event["text"] for event in heard.of("message") if event["level"] == "warning"]
    assert [text.split(": ")[1] for text in said] == [
        f"{name}_extra.tif is left from an earlier run with other settings." for name in "abcd"
    ]
    assert (tmp_path / "out" / "a" / "a_extra.tif").is_file()


def test_the_marker_says_what_was_done(run, tmp_path, scenes):
    run(Copy())
    marker = json.loads((tmp_path / "out" / "a" / MARKER).read_text())
    assert marker["task"] == "detect"
    assert marker["parameters"] == {
        "clouds": {"threshold": 0.4, "average": 4, "dilation": 2, "factor": 3}, "detector": "auto",
        "s2_unit": "auto", "s2_offset": "auto", "s2_bands": None, "s1_unit": "auto",
    }  # fmt: skip
    assert marker["layers"] == {"copy": "a_copy.tif"}
    assert marker["inputs"] == [[str(scenes[0].s2[0]), 10, scenes[0].s2[0].stat().st_mtime_ns]]


def test_patterns_leave_out_what_a_batch_wrote(run, tmp_path):
    run(Copy())
    found, _ = find_scenes([str(tmp_path / "**" / "*.tif")])
    assert [scene.name for scene in found] == ["a", "b", "c", "d"]
    with pytest.raises(InputError, match="only layers"):
        find_scenes([str(tmp_path / "out" / "*" / "*.tif")])


def test_a_summary_that_cannot_be_replaced_stops_the_batch_only_at_its_end(run, tmp_path):
    summary = tmp_path / "out" / "summary.csv"

    def block() -> None:
        summary.unlink(missing_ok=True)
        summary.mkdir()

    heard, job = Heard(), Copy(a=block)
    with pytest.raises(OutputError, match=r"summary\.csv"):
        run(job, heard)
    assert len(job.asked) == 4
    assert len([event for event in heard.of("message") if "summary.csv" in event["text"]]) == 1


def test_two_batches_do_not_work_in_one_folder(run, tmp_path):
    def second() -> None:
        run(Copy())

    result = run(Copy(b=second))
    assert [(outcome.name, outcome.code) for outcome in result.having("failed")] == [("b", "output-locked")]


def test_a_batch_that_lost_its_lock_leaves_the_lock_of_the_other(run, tmp_path):
    other = f"4711 farm-2 {'a' * 32}\n"
    found = []

    def taken_over() -> None:
        found.extend(tmp_path.rglob(".sunbreak-batch.lock"))
        found[0].write_text(other)

    run(Copy(b=taken_over))
    assert found[0].read_text() == other


def test_a_file_where_the_folder_should_be_is_refused(run, tmp_path):
    put(tmp_path / "out", "a file")
    with pytest.raises(OutputError, match="Choose another folder"):
        run(Copy())


@pytest.mark.parametrize("how", ["file", "link", "folder"])
def test_a_summary_that_is_not_of_this_batch_is_refused_before_any_scene_runs(tmp_path, how):
    out, mine = tmp_path / "out", tmp_path / "mine.csv"
    out.mkdir()
    mine.write_text("my own table")
    summary = out / "summary.csv"
    {"file": lambda: summary.write_text("my own"), "link": lambda: summary.symlink_to(mine), "folder": summary.mkdir}[
        how
    ]()

    def never(*_):
        raise AssertionError("a scene ran")

    for resume in (False, True):
        with pytest.raises(OutputError, match=r"summary\.csv") as caught:
            run_batch([], out, OneByOne(never), Silent(), resume=resume)
        assert caught.value.exit_status == 2
    if how != "folder":
        run_batch([], out, OneByOne(never), Silent(), overwrite=True)
        assert summary.read_text().startswith("name,status,seconds") and not summary.is_symlink()
    assert mine.read_text() == "my own table"


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        '{"layers": {"a": "../../x"}}',
        '{"seconds": NaN}',
        '{"seconds": 1e999}',
        '{"numbers": {"a": [1]}}',
        '{"task": "' + "x" * 2**24 + '"}',
        "\0" * 100,
    ],
    ids=["deep", "elsewhere", "nan", "infinite", "list", "huge", "zeros"],
)
def test_a_marker_that_no_batch_wrote_counts_as_missing(tmp_path, content):
    whole = {
        "task": "clean", "parameters_sha256": "0", "inputs": [], "layers": {"a": "a.tif"}, "numbers": {"a": 1},
        "seconds": 1,
    }  # fmt: skip
    path = tmp_path / ".sunbreak-done.json"
    path.write_text(json.dumps(whole))
    assert read_marker(tmp_path) is not None
    try:
        path.write_text(json.dumps({**whole, **json.loads(content)}))
    except (ValueError, RecursionError):
        path.write_text(content)
    assert read_marker(tmp_path) is None


def test_a_marker_that_is_a_link_or_a_pipe_is_not_read(tmp_path):
    (tmp_path / "elsewhere").write_text("{}")
    path = tmp_path / ".sunbreak-done.json"
    path.symlink_to(tmp_path / "elsewhere")
    assert read_marker(tmp_path) is None
    path.unlink()
    os.mkfifo(path)
    assert read_marker(tmp_path) is None


def test_names_of_scenes_are_no_formulas_in_the_summary(tmp_path):
    from sunbreak.batches.outcome import Outcome
    from sunbreak.batches.runner import _table

    text = _table([Outcome("=cmd|' /C calc'!A0", "failed", 1.0, {"share": -0.5}, "x", "-a\nb")])
    assert text.splitlines()[1] == "'=cmd|' /C calc'!A0,failed,1.00,-0.5,x,'-a\\nb"
