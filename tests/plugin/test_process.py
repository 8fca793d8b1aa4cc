"""The bridge against real child processes that follow or break the protocol."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

STARTED = "say(event='started', version=1, sunbreak='0.1.0', command='clean')\n"
PRELUDE = """
import json, os, pathlib, signal, sys, threading, time
def say(**fields):
    print(json.dumps(fields), flush=True)
"""


def run(script, feedback, *arguments):
    from sunbreak.plugin.bridge.process import run_program

    return run_program(sys.executable, ["-I", "-u", "-c", PRELUDE + script, *arguments], feedback)


def run_over_scenes(script, feedback):
    """As `run`, for a command over several scenes."""
    from sunbreak.plugin.bridge.process import run_program

    return run_program(sys.executable, ["-I", "-u", "-c", PRELUDE + script], feedback, several=True)


def failure(script, feedback, *arguments):
    from sunbreak.plugin.bridge.process import BackendError

    with pytest.raises(BackendError) as caught:
        run(script, feedback, *arguments)
    return caught.value


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def cancel_once(path, feedback):
    """Cancel from another thread when the child has written `path`; gives the time of the cancel."""
    moment = []

    def watch():
        while not path.exists():
            time.sleep(0.01)
        moment.append(time.monotonic())
        feedback.cancel()

    threading.Thread(target=watch, daemon=True).start()
    return moment


def test_a_run_gives_layers_numbers_and_progress(feedback):
    result = run(
        STARTED
        + """
say(event='message', text='B10 is zero', level='info')
say(event='message', text='radar covers 61 %', level='warning')
print('a library speaks')
print('and complains', file=sys.stderr)
for done in range(5):
    say(event='progress', done=done, total=4, unit='tiles', eta=61.0)
say(event='layer', role='cleaned', path='/x/a_cleaned.tif')
say(event='result', layers={'cleaned': '/x/a_cleaned.tif'}, numbers={'cloud_share': 0.25})
""",
        feedback,
    )
    assert result.layers == {"cleaned": Path("/x/a_cleaned.tif")}
    assert result.numbers == {"cloud_share": 0.25}
    assert feedback.said["info"] == ["B10 is zero"]
    assert feedback.said["warning"] == ["radar covers 61 %"]
    assert set(feedback.said["console"]) == {"a library speaks", "and complains"}
    assert feedback.said["text"] == ["0 / 4 tiles, about 1 min 01 s left"]
    assert feedback.steps[-1] == 100.0
    assert feedback.steps == sorted(feedback.steps)


def test_the_progress_names_the_scenes_at_work_without_flooding_the_log(feedback, monkeypatch):
    from sunbreak.plugin.bridge import listening

    monkeypatch.setattr(listening, "_REPORT_OTHERS_S", 0.0)
    script = """
for done in range(200):
    on = [f'{name}: tiles, {done / 2:.0f}%' for name in ('a: b', 'c', 'd', 'e', 'f', 'g')[: 6 if done < 100 else 2]]
    say(event='progress', done=done / 100, total=6, unit='scenes', eta=61.0, on=on)
say(event='result', layers={}, numbers={})
"""
    run(STARTED + script, feedback)
    assert feedback.said["text"] == [
        "0 / 6 scenes, about 1 min 01 s left. At work: a: b: tiles, 0%; c: tiles, 0%; d: tiles, 0%; e: tiles, 0%; "
        "and 2 more",
        "1 / 6 scenes, about 1 min 01 s left. At work: a: b: tiles, 50%; c: tiles, 50%",
    ]
    assert max(feedback.steps) == pytest.approx(100 * 1.99 / 6)


def test_other_scenes_at_work_are_told_after_seconds_only(feedback):
    script = """
for done in range(50):
    say(event='progress', done=done, total=50, unit='scenes', eta=None, on=[f'{done}: tiles, 10%'])
say(event='result', layers={}, numbers={})
"""
    run(STARTED + script, feedback)
    assert feedback.said["text"] == ["0 / 50 scenes. At work: 0: tiles, 10%"]


def test_a_command_over_scenes_keeps_the_layers_of_each_and_may_fail_for_some(feedback):
    script = (
        STARTED
        + """
for day in ("1", "2"):
    say(event='layer', role='cleaned', path=f'/x/{day}/a_cleaned.tif')
say(event='result', layers={}, numbers={'done': 2, 'failed': 1})
sys.exit(1)
"""
    )
    result = run_over_scenes(script, feedback)
    assert result.written == [("cleaned", Path("/x/1/a_cleaned.tif")), ("cleaned", Path("/x/2/a_cleaned.tif"))]
    assert result.numbers == {"done": 2, "failed": 1}
    assert "exit status 1" in str(failure(script, feedback))


def test_a_command_over_scenes_without_a_result_has_failed(feedback):
    from sunbreak.plugin.bridge.process import BackendError

    with pytest.raises(BackendError, match="ended with exit status 1"):
        run_over_scenes(STARTED + "sys.exit(1)", feedback)


def test_more_output_than_a_pipe_holds_does_not_block(feedback):
    result = run(
        STARTED
        + """
for i in range(3000):
    print('x' * 200); print('y' * 200, file=sys.stderr)
say(event='result', layers={}, numbers={'n': 1})
""",
        feedback,
    )
    assert result.numbers == {"n": 1}
    assert len(feedback.said["console"]) == 6000


def test_an_error_keeps_the_backend_message(feedback):
    error = failure(
        STARTED
        + "say(event='error', code='no-crs', message='a.tif has no CRS.', hint='Assign one with gdal_edit.')\n"
        + "sys.exit(2)",
        feedback,
    )
    assert str(error) == "a.tif has no CRS. Assign one with gdal_edit."
    assert error.code == "no-crs"


def test_a_killed_backend_is_reported_as_out_of_memory(feedback):
    error = failure(STARTED + "os.kill(os.getpid(), signal.SIGKILL)", feedback)
    assert "ran out of memory" in str(error)


def test_exit_status_137_is_reported_as_out_of_memory(feedback):
    assert "ran out of memory" in str(failure(STARTED + "sys.exit(137)", feedback))


def test_a_traceback_reaches_the_user(feedback):
    error = failure(STARTED + "raise ValueError('something odd')", feedback)
    assert "exit status 1" in str(error)
    assert "ValueError: something odd" in str(error)


def test_an_interpreter_without_backend_gives_the_install_command(feedback):
    error = failure("sys.exit('/usr/bin/python3: No module named sunbreak')", feedback)
    assert error.code == "backend-missing"
    assert f'"{sys.executable}" -m pip install sunbreak' in str(error)


def test_a_program_that_cannot_start_names_the_setting(feedback, tmp_path):
    from sunbreak.plugin.bridge.process import BackendError, run_program

    with pytest.raises(BackendError, match=r"could not be started.*Providers > Sunbreak"):
        run_program(str(tmp_path / "none"), [], feedback)


def test_an_end_without_a_result_is_an_error(feedback):
    assert "without a result" in str(failure(STARTED, feedback))


def test_a_result_without_a_greeting_is_an_error(feedback):
    assert "without a result" in str(failure("say(event='result', layers={}, numbers={})", feedback))


def test_another_protocol_version_is_refused_and_the_process_stopped(feedback, tmp_path):
    pid_file = tmp_path / "pid"
    error = failure(
        "pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))\n"
        "say(event='started', version=2, sunbreak='9.0')\n"
        "sys.stdin.read()",
        feedback,
        str(pid_file),
    )
    assert error.code == "backend-version"
    assert "version 2" in str(error)
    assert not is_alive(int(pid_file.read_text()))


def test_cancelling_closes_the_input_and_the_backend_cleans_up(feedback, tmp_path):
    work = tmp_path / "partial"
    moment = cancel_once(work, feedback)
    error = failure(
        STARTED + "work = pathlib.Path(sys.argv[1]); work.write_text(str(os.getpid()))\n"
        "sys.stdin.read(); work.unlink(); say(event='error', code='cancelled', message='Cancelled.', hint='')\n"
        "sys.exit(130)",
        feedback,
        str(work),
    )
    assert error.code == "cancelled"
    assert time.monotonic() - moment[0] < 1.0
    assert not work.exists()


def test_a_backend_that_ignores_its_input_is_terminated(feedback, tmp_path):
    pid_file = tmp_path / "pid"
    moment = cancel_once(pid_file, feedback)
    error = failure(
        STARTED + "pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(60)", feedback, str(pid_file)
    )
    assert error.code == "cancelled"
    assert 1.5 < time.monotonic() - moment[0] < 4.0
    assert not is_alive(int(pid_file.read_text()))


def test_a_backend_that_ignores_everything_is_killed(feedback, tmp_path, monkeypatch):
    from sunbreak.plugin.bridge import process

    monkeypatch.setattr(process, "GRACE_MS", 300)
    monkeypatch.setattr(process, "KILL_AFTER_MS", 700)
    pid_file = tmp_path / "pid"
    moment = cancel_once(pid_file, feedback)
    error = failure(
        STARTED + "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(60)",
        feedback,
        str(pid_file),
    )
    assert error.code == "cancelled"
    assert 0.9 < time.monotonic() - moment[0] < 3.0
    assert not is_alive(int(pid_file.read_text()))


def test_a_listed_model_is_offered_for_its_task_only():
    from sunbreak.plugin.bridge.models import Model, parse_models

    rows = [
        {"name": "a", "title": "Model A", "task": "cloud-removal"},
        {"name": "b", "title": "", "task": "classification"},
        {"title": "nameless"},
        {"name": "c"},
    ]
    models = parse_models(json.dumps(rows).encode(), "cloud-removal")
    assert models == (Model("a", "Model A", "cloud-removal"), Model("c", "c", ""))
    assert parse_models(b"Traceback ...", "cloud-removal") == ()
    assert parse_models(b'{"name": "a"}', "cloud-removal") == ()


def test_classes_and_default_are_optional_in_a_model_list():
    from sunbreak.plugin.bridge.models import parse_models

    rows = [
        {
            "name": "a",
            "task": "land-cover",
            "classes": ["Forest", "Urban/Built-up"],
            "default": True,
            "per_pixel": True,
        },
        {"name": "b", "task": "land-cover"},
        {"name": "c", "task": "land-cover", "classes": "Forest", "default": "yes"},
    ]
    models = parse_models(json.dumps(rows).encode(), "land-cover")
    assert [model.classes for model in models] == [("Forest", "Urban/Built-up"), (), ()]
    assert [model.default for model in models] == [True, False, False]
    assert [model.per_pixel for model in models] == [True, False, False]
