"""Commands of another program in one process, `sunbreak serve`: a real process that speaks the protocol."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sunbreak.cli.serving import read_request
from sunbreak.engine import make_runtime
from sunbreak.errors import ModelError
from sunbreak.jobs.runtimes import Runtimes
from sunbreak.models.registry import find_model

RUN = [sys.executable, "-I", "-u", "-m", "sunbreak"]
PATIENCE_S = 60


class Served:
    """A process that serves commands."""

    def __init__(self, *options: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            [*RUN, "serve", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **variables},
        )  # fmt: skip
        self.greeting = self.hear()

    def hear(self) -> dict:
        return json.loads(self.process.stdout.readline())

    def say(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, name: int, *arguments: object) -> None:
        self.say(json.dumps({"id": name, "arguments": [str(one) for one in arguments]}))

    def until(self, event: str) -> list[dict]:
        heard = [self.hear()]
        while heard[-1]["event"] != event:
            heard.append(self.hear())
        return heard

    def run(self, name: int, *arguments: object) -> list[dict]:
        self.ask(name, *arguments)
        return self.until("ended")

    def close(self) -> int:
        self.process.stdin.close()
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def served():
    processes = []

    def start(*options: str, **variables: str) -> Served:
        processes.append(Served(*options, **variables))
        return processes[-1]

    yield start
    for one in processes:
        one.process.kill()
        one.process.wait()
        for stream in (one.process.stdin, one.process.stdout):
            stream.close()


@pytest.fixture
def cleaning(scene_files, write_raster, small_model, tmp_path):
    """The arguments of `clean` with a mask and a copy of the small model, and the card of the copy."""
    folder = tmp_path / "model"
    folder.mkdir()
    for path in (small_model.path, small_model.weights, *small_model.converted):
        shutil.copy(path, folder)
    mask = np.zeros((1, 70, 90), np.uint8)
    mask[0, 20:50, 30:70] = 1
    s2, s1 = scene_files
    card = folder / small_model.path.name
    arguments = ["clean", s2, "--s1", s1, "--mask", write_raster("mask.tif", mask), "--model", card, "-o"]
    return arguments, card


def rasters(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.tif"))}


def open_files(server: Served) -> int:
    """How many files the process has open when it has tidied up; 0 where the system does not show it."""
    server.say("no request")
    server.until("ended")
    return sum(1 for _ in Path(f"/proc/{server.process.pid}/fd").glob("*"))


def test_a_second_job_loads_nothing_again_and_writes_the_bytes_of_a_fresh_process(served, cleaning, tmp_path):
    arguments, card = cleaning
    fresh = subprocess.run([*RUN, *map(str, arguments), tmp_path / "fresh"], capture_output=True, text=True)
    assert fresh.returncode == 0, fresh.stderr
    server = served()
    assert server.greeting["event"] == "ready" and server.greeting["version"] == 1
    first = server.run(1, *arguments, tmp_path / "first")
    assert first[-1] == {"event": "ended", "id": 1, "status": 0}, first
    for kind in (".safetensors", ".bin"):
        card.with_suffix(kind).write_bytes(b"damaged")  # who loads them now, stops
    files = open_files(server)
    second = server.run(2, *arguments, tmp_path / "second", "--events")
    assert second[-1] == {"event": "ended", "id": 2, "status": 0}, second
    assert second[0]["event"] == "started" and second[-2]["event"] == "result"
    assert rasters(tmp_path / "first") == rasters(tmp_path / "second") == rasters(tmp_path / "fresh")
    assert len(rasters(tmp_path / "fresh")) == 4
    assert open_files(server) <= files
    assert server.close() == 0
    with pytest.raises(ModelError):
        make_runtime(find_model(str(card)))


def test_a_cancelled_job_leaves_nothing_and_the_process_takes_the_next_one(served, cleaning, tmp_path):
    arguments, _ = cleaning
    server = served()
    server.ask(1, *arguments, tmp_path / "one")
    server.say('{"cancel": 1}')
    server.ask(2, *arguments, tmp_path / "two")
    server.ask(3, *arguments, tmp_path / "three")
    server.say('{"cancel": 3}')
    heard = server.until("ended")
    assert [line["code"] for line in heard if line["event"] == "error"] == ["cancelled"]
    assert heard[-1] == {"event": "ended", "id": 1, "status": 130}
    assert not (tmp_path / "one").exists()
    assert server.until("ended")[-1] == {"event": "ended", "id": 2, "status": 0}
    waited = server.until("ended")
    assert [line["event"] for line in waited] == ["error", "ended"] and waited[-1]["status"] == 130
    assert len(rasters(tmp_path / "two")) == 4 and not (tmp_path / "three").exists()


def test_bad_lines_and_bad_options_are_answered_in_one_line_and_the_process_goes_on(served, cleaning, tmp_path):
    server = served()
    for line, name, code in (
        ("no json", None, "bad-request"),
        ('{"id": 4, "arguments": ["doctor"]}', 4, "bad-request"),
        ('{"id": "five", "arguments": ["clean", "--nothing"]}', "five", "bad-call"),
        ('{"id": 6, "arguments": ["inspect", "no such.tif"]}', 6, "missing-file"),
    ):
        server.say(line)
        heard = server.until("ended")
        assert heard[-1] == {"event": "ended", "id": name, "status": 2}
        errors = [one for one in heard if one["event"] == "error"]
        assert [one["code"] for one in errors] == [code]
        assert "\n" not in errors[0]["message"] and errors[0]["hint"]
    assert server.close() == 0


def test_the_process_ends_with_its_input_even_if_it_works(served, cleaning, tmp_path):
    arguments, _ = cleaning
    server = served()
    server.ask(1, *arguments, tmp_path / "out")
    server.until("started")
    start = time.monotonic()
    assert server.close() in (0, 130)
    assert time.monotonic() - start < 8
    assert not (tmp_path / "out").exists()


def test_a_process_ends_after_idle_time_after_its_last_command_and_at_a_signal(served):
    server = served("--idle", "0.1")
    assert server.process.wait(PATIENCE_S) == 0
    busy = served("--most", "1")
    busy.say("no request")
    assert busy.until("ended")[-1]["status"] == 2 and busy.process.wait(PATIENCE_S) == 0
    waiting = served()
    waiting.process.send_signal(signal.SIGTERM)
    assert waiting.process.wait(PATIENCE_S) == 0


def test_a_terminate_signal_ends_the_job_and_the_process(served, cleaning, tmp_path):
    arguments, _ = cleaning
    server = served()
    server.ask(1, *arguments, tmp_path / "out")
    server.until("started")
    server.process.send_signal(signal.SIGTERM)
    assert server.until("ended")[-1]["status"] == 130
    assert server.process.wait(PATIENCE_S) == 130
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (None, "longer than"),
        (b"[1]", "no JSON object"),
        (b'{"arguments": ["clean"]}', "no id"),
        (b'{"id": 1, "arguments": "clean"}', "no list"),
        (b'{"id": 1, "arguments": []}', "no list"),
        (b'{"id": 1, "arguments": ["models", "delete"]}', "not served"),
        (b"[" * 100_000, "no JSON"),
    ],
)
def test_a_request_that_cannot_be_run_says_why(line, fault):
    cancelled, request = read_request(line)
    assert cancelled is None and fault in request.fault


def test_a_cancelling_line_names_a_request():
    assert read_request(b'{"cancel": "a"}') == ("a", None)


def test_no_more_networks_are_held_than_wanted(monkeypatch, small_model):
    made = []

    def make(files, device, runtime, precision):
        made.append((device, runtime))
        return object()

    monkeypatch.setattr("sunbreak.jobs.runtimes.make_runtime", make)
    held = Runtimes(most=2)
    for device in ("a", "b", "a", "c", "a", "b"):
        with held.lent(small_model, device, "auto"):
            pass
    assert [device for device, _ in made] == ["a", "b", "c", "b"]
