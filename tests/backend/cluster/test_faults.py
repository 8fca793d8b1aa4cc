"""What goes wrong with workers, schedulers and shares: every scene ends complete, or failed with one line."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import psutil
import pytest
from dask_cluster import SUNBREAK, dask_cluster, layers_in, left_in

from sunbreak.batches.dask_executor import DaskExecutor
from sunbreak.batches.executor import LocalExecutor
from sunbreak.batches.runner import run_batch
from sunbreak.batches.specs import specs_of
from sunbreak.cluster.connection import Connection
from sunbreak.errors import InputError
from sunbreak.events import Reporter, Silent
from sunbreak.jobs.options import task_options
from sunbreak.jobs.spec import JobInputs


@pytest.fixture
def specs(small_model):
    def make(found, out: Path, removal: str | None = None):
        reading = JobInputs(found[0].s2, s2_unit="dn", s2_offset=0.0)
        chosen = task_options("clean", runtime="openvino", device="cpu")
        return specs_of(found, out, "clean", reading, chosen, removal=removal or str(small_model.path))

    return make


@pytest.fixture
def environment(tmp_path_factory) -> dict[str, str]:
    base = tmp_path_factory.getbasetemp()
    return {"SUNBREAK_MODELS": str(base / "user-models"), "SUNBREAK_CACHE": str(base / "cache")}


class Acts(Reporter):
    """Does something once when a message says something, and remembers what was said."""

    def __init__(self, word: str = "", act=lambda: None, times: int = 1) -> None:
        super().__init__()
        self.word, self.act, self.times = word, act, times
        self.said: list[str] = []

    def message(self, text, level="info"):
        self.said.append(text)
        if self.times and self.word and self.word in text:
            self.times -= 1
            threading.Thread(target=self.act, daemon=True).start()


def batch(address: str, specs, out: Path, reporter: Reporter | None = None, **options):
    executor = DaskExecutor(lambda told: Connection(told, scheduler=address), resume=options.get("resume", False))
    return run_batch(specs, out, executor, reporter or Silent(), **options)


def expected(specs, out: Path) -> dict[str, bytes]:
    run_batch(specs, out, LocalExecutor(specs[0]), Silent())
    return layers_in(out)


def test_scenes_of_workers_that_are_killed_end_complete_with_the_right_bytes(environment, scenes, specs, tmp_path):
    found = scenes(4, rows=200)
    layers = expected(specs(found, tmp_path / "here"), tmp_path / "here")
    with dask_cluster(tmp_path / "cluster", 2, **environment) as cluster:

        def kill() -> None:
            victims = sorted(cluster.worker_processes(), key=lambda one: one.cpu_times().user)
            victims[-1].send_signal(signal.SIGKILL)

        told = Acts("Model small with", kill, times=3)
        result = batch(cluster.address, specs(found, tmp_path / "out"), tmp_path / "out", told)
    assert [outcome.status for outcome in result.outcomes] == ["done"] * 4
    assert any("its worker tcp://" in text and "ended" in text for text in told.said)
    assert layers_in(tmp_path / "out") == layers
    assert left_in(tmp_path / "out") == []


def test_a_scheduler_that_is_started_again_finds_the_batch_and_its_workers_again(environment, scenes, specs, tmp_path):
    found = scenes(3, rows=200)
    layers = expected(specs(found, tmp_path / "here"), tmp_path / "here")
    with dask_cluster(tmp_path / "cluster", 1, **environment) as cluster:

        def restart() -> None:
            cluster.stop_scheduler()
            time.sleep(1)
            cluster.start_scheduler()

        told = Acts("Model small with", restart)
        result = batch(cluster.address, specs(found, tmp_path / "out"), tmp_path / "out", told)
    assert [outcome.status for outcome in result.outcomes] == ["done"] * 3
    assert any("does not answer" in text for text in told.said)
    assert layers_in(tmp_path / "out") == layers


def test_a_worker_without_the_model_is_named(cluster, scenes, specs, small_model, tmp_path, monkeypatch):
    elsewhere = tmp_path / "models"
    elsewhere.mkdir()
    for path in small_model.path.parent.glob("small.*"):
        shutil.copy(path, elsewhere)
    monkeypatch.setenv("SUNBREAK_MODELS", str(elsewhere))
    made = specs(scenes(2), tmp_path / "out", "small")
    with pytest.raises(InputError, match=r"No worker can be used: .*small") as error:
        batch(cluster.address, made, tmp_path / "out")
    assert error.value.code == "workers-differ"
    assert left_in(tmp_path / "out") == []


def test_a_worker_with_another_version_is_named_and_left_out(environment, scenes, specs, tmp_path):
    older = tmp_path / "older"
    shutil.copytree(Path(__file__).parents[3] / "backend" / "sunbreak", older / "sunbreak")
    start = older / "sunbreak" / "__init__.py"
    text = start.read_text()
    from sunbreak import __version__

    assert __version__ in text
    start.write_text(text.replace(__version__, "0.0.1"))
    found = scenes(2)
    with dask_cluster(tmp_path / "cluster", 0, **environment) as cluster:
        cluster.start_workers(1, PYTHONPATH=str(older))
        with pytest.raises(InputError, match=rf"it has Sunbreak 0\.0\.1, not {__version__}") as error:
            batch(cluster.address, specs(found, tmp_path / "none"), tmp_path / "none")
        assert error.value.code == "workers-differ"
        cluster.start_workers(1)
        cluster.wait_for(2)
        told = Acts()
        result = batch(cluster.address, specs(found, tmp_path / "out"), tmp_path / "out", told)
    assert [outcome.status for outcome in result.outcomes] == ["done"] * 2
    assert any("is not used: it has Sunbreak 0.0.1" in text for text in told.said)


def test_inputs_that_vanish_fail_their_scene_only_and_resume_finishes_it(cluster, scenes, specs, tmp_path):
    found = scenes(3, rows=120)
    made = specs(found, tmp_path / "out")
    aside = tmp_path / "aside.tif"

    def vanish() -> None:
        found[2].s2[0].rename(aside)

    told = Acts("a0: ", vanish)
    result = batch(cluster.address, made, tmp_path / "out", told)
    assert [outcome.status for outcome in result.outcomes] == ["done", "done", "failed"]
    assert str(found[2].s2[0]) in result.outcomes[2].reason
    assert left_in(tmp_path / "out") == []
    aside.rename(found[2].s2[0])
    again = batch(cluster.address, made, tmp_path / "out", resume=True)
    assert [outcome.status for outcome in again.outcomes] == ["skipped", "skipped", "done"]


def test_a_scene_that_ends_every_worker_is_given_up_and_the_others_are_done(environment, scenes, specs, tmp_path):
    found = scenes(3)
    # what the system does with a process that wants too much memory
    poison = tmp_path / "poison"
    poison.mkdir()
    (poison / "sitecustomize.py").write_text(
        "import os, signal, threading, time\n"
        "def look():\n"
        "    while True:\n"
        "        time.sleep(0.05)\n"
        f"        if any(os.scandir({str(tmp_path / 'out' / 'a1')!r})) if os.path.isdir({str(tmp_path / 'out' / 'a1')!r}) else False:\n"
        "            lock = open([one.path for one in os.scandir("
        f"{str(tmp_path / 'out' / 'a1')!r}) if one.name.endswith('.lock')][0]).read().split()\n"
        "            if lock and int(lock[0]) == os.getpid():\n"
        "                os.kill(os.getpid(), signal.SIGKILL)\n"
        "threading.Thread(target=look, daemon=True).start()\n"
    )
    with dask_cluster(tmp_path / "cluster", 0, **environment) as cluster:
        cluster.start_workers(2, PYTHONPATH=str(poison))
        told = Acts()
        result = batch(cluster.address, specs(found, tmp_path / "out"), tmp_path / "out", told)
    assert [outcome.status for outcome in result.outcomes] == ["done", "failed", "done"]
    assert result.outcomes[1].code == "worker-lost"
    assert "5 workers ended one after the other" in result.outcomes[1].reason
    assert left_in(tmp_path / "out") == []


def test_cancelling_ends_everything_within_five_seconds(environment, scenes, tmp_path, small_model):
    found = scenes(4, rows=400)
    out = tmp_path / "out"
    command = [
        *SUNBREAK, "batch", *(str(one.s2[0]) for one in found), "--s1-pattern", "{stem}_s1.tif", "-o", str(out),
        "--task", "clean", "--model", str(small_model.path), "--s2-unit", "dn", "--s2-offset", "0", "--runtime",
        "torch", "--executor", "dask", "--workers", "2", "--events",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    for line in process.stdout:
        if "Model small with" in line:
            break
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    start = time.monotonic()
    process.send_signal(signal.SIGTERM)
    rest = process.stdout.read()
    assert process.wait(30) == 130
    assert time.monotonic() - start < 5.5
    assert '"code": "cancelled"' in rest
    _, alive = psutil.wait_procs(children, timeout=3)
    assert alive == []
    assert left_in(out) == [] if out.exists() else True


def test_a_batch_whose_client_is_killed_leaves_no_worker_at_work(environment, scenes, specs, tmp_path, small_model):
    found = scenes(2, rows=400)
    out = tmp_path / "out"
    with dask_cluster(tmp_path / "cluster", 1, **environment) as cluster:
        command = [
            *SUNBREAK, "batch", *(str(one.s2[0]) for one in found), "--s1-pattern", "{stem}_s1.tif", "-o", str(out),
            "--task", "clean", "--model", str(small_model.path), "--s2-unit", "dn", "--s2-offset", "0", "--runtime",
            "torch", "--executor", "dask", "--scheduler", cluster.address, "--events",
        ]  # fmt: skip
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, **environment},
        )  # fmt: skip
        for line in process.stdout:
            if "Model small with" in line:
                break
        process.kill()
        process.wait(10)
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and list(out.rglob("*.lock")) != [out / ".sunbreak-batch.lock"]:
            time.sleep(0.1)
        assert list(out.rglob("*.lock")) == [out / ".sunbreak-batch.lock"]
        result = batch(cluster.address, specs(found, out), out, resume=True)
    assert {outcome.status for outcome in result.outcomes} <= {"done", "skipped"}
