"""A batch on the workers of a cluster: the same bytes as in one process, one table in the scenes' order."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from dask_cluster import layers_in, left_in

from sunbreak.batches.dask_executor import DaskExecutor
from sunbreak.batches.executor import LocalExecutor
from sunbreak.batches.outcome import BatchResult
from sunbreak.batches.runner import run_batch
from sunbreak.batches.specs import specs_of
from sunbreak.cluster.connection import Connection
from sunbreak.errors import InputError
from sunbreak.events import Reporter, Silent
from sunbreak.jobs.options import task_options
from sunbreak.jobs.spec import JobInputs


class Told(Reporter):
    """Remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.shares: list[float] = []
        self.on: list[list[str]] = []

    def message(self, text, level="info"):
        self.said.append(text)

    def progress(self, done, total, unit="tiles"):
        self.shares.append(done / total)
        self.on.append(list(self._working_on))


@pytest.fixture
def specs(scenes, small_model, small_classifier):
    def make(found, out: Path, task: str = "clean", **options):
        reading = JobInputs(found[0].s2, s2_unit="dn", s2_offset=0.0)
        chosen = task_options(task, runtime="openvino", device="cpu", **options)
        return specs_of(
            found, out, task, reading, chosen, removal=str(small_model.path), classifier=str(small_classifier.path)
        )

    return make


def on_cluster(cluster, specs, out: Path, reporter: Reporter | None = None, **options) -> BatchResult:
    executor = DaskExecutor(lambda told: Connection(told, scheduler=cluster.address))
    return run_batch(specs, out, executor, reporter or Silent(), **options)


@pytest.mark.parametrize("task", ["clean", "run", "classify"])
def test_the_layers_are_those_of_one_process_to_the_byte(cluster, scenes, specs, tmp_path, task):
    found = scenes(3)
    here, there = tmp_path / "here", tmp_path / "there"
    local = specs(found, here, task)
    run_batch(local, here, LocalExecutor(local[0]), Silent())
    result = on_cluster(cluster, specs(found, there, task), there)
    assert [outcome.status for outcome in result.outcomes] == ["done"] * 3
    layers = layers_in(here)
    assert len(layers) > 6
    assert layers_in(there) == layers
    assert left_in(there) == []


def test_the_table_is_in_the_order_of_the_scenes_and_has_the_figures_of_one_process(cluster, scenes, specs, tmp_path):
    found = scenes(4)
    found[1].s1[0].write_bytes(b"no radar")
    here, there = tmp_path / "here", tmp_path / "there"
    local = specs(found, here)
    expected = run_batch(local, here, LocalExecutor(local[0]), Silent())
    result = on_cluster(cluster, specs(found, there), there)

    def table(path: Path) -> list[dict[str, str]]:
        with path.open(newline="") as file:
            return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]

    rows = table(result.summary)
    assert [row["name"] for row in rows] == ["a0", "a1", "a2", "a3"]
    assert [row["status"] for row in rows] == ["done", "failed", "done", "done"]
    assert "a1_s1.tif" in rows[1]["reason"]
    assert rows == table(expected.summary)


def test_messages_carry_the_scene_and_the_progress_grows_to_the_end(cluster, scenes, specs, tmp_path):
    told = Told()
    on_cluster(cluster, specs(scenes(3), tmp_path / "out"), tmp_path / "out", told)
    assert sum("done in" in text for text in told.said) == 3
    assert any(text.startswith("a2: Model small with OpenVINO") for text in told.said)
    assert told.shares == sorted(told.shares)
    assert told.shares[-1] == 1
    assert any(text.startswith("a0: ") for texts in told.on for text in texts)


def test_what_is_done_is_skipped_the_next_time_by_either_executor(cluster, scenes, specs, tmp_path):
    found, out = scenes(2), tmp_path / "out"
    on_cluster(cluster, specs(found, out), out)
    again = on_cluster(cluster, specs(found, out), out, resume=True)
    assert [outcome.status for outcome in again.outcomes] == ["skipped"] * 2
    local = specs(found, out)
    here = run_batch(local, out, LocalExecutor(local[0]), Silent(), resume=True)
    assert [outcome.status for outcome in here.outcomes] == ["skipped"] * 2
    marker = json.loads((out / "a0" / ".sunbreak-done.json").read_text())
    assert [path for path, *_ in marker["inputs"]] == [str(found[0].s2[0]), str(found[0].s1[0])]


def test_paths_relative_to_this_folder_are_found_by_workers_in_another(cluster, scenes, specs, tmp_path, monkeypatch):
    found = scenes(1)
    monkeypatch.chdir(tmp_path)
    near = [
        type(one)(one.name, (one.s2[0].relative_to(tmp_path),), (one.s1[0].relative_to(tmp_path),)) for one in found
    ]
    result = on_cluster(cluster, specs(near, Path("out")), Path("out"))
    assert [outcome.status for outcome in result.outcomes] == ["done"]
    assert (tmp_path / "out" / "a0" / "a0_cleaned.tif").is_file()


def test_no_scheduler_is_one_line(scenes, specs, tmp_path):
    executor = DaskExecutor(lambda told: Connection(told, scheduler="tcp://127.0.0.1:9"))
    with pytest.raises(InputError, match=r"No dask scheduler answers at tcp://127\.0\.0\.1:9") as error:
        run_batch(specs(scenes(1), tmp_path / "out"), tmp_path / "out", executor, Silent())
    assert error.value.code == "no-scheduler"
    assert left_in(tmp_path) == []
