"""The backend that is kept for the panel's previews: started, used, replaced and ended in a real QGIS."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

# a process that speaks as `sunbreak serve` does, and does what the command says
SERVER = """
import json, os, sys, time
def say(**fields):
    print(json.dumps(fields), flush=True)
def run(words):
    say(event="started", version=1, sunbreak="0.1.0", command=words[0])
    if words[0] == "die":
        os.kill(os.getpid(), 11)
    if words[0] == "fail":
        say(event="error", code="no-crs", message="a.tif has no CRS.", hint="Assign one.")
        return 2
    if words[0] == "wait":
        if words[1] == "for ever":
            time.sleep(60)
        sys.stdin.readline()
        say(event="error", code="cancelled", message="Cancelled.", hint="")
        return 130
    print("a library complains", file=sys.stderr, flush=True)
    say(event="progress", done=1, total=1, unit="tiles", eta=0.0)
    say(event="result", layers={}, numbers={"pid": os.getpid()})
    return 0
if "--old" in sys.argv:
    sys.exit("No such command 'serve'.")
say(event="ready", version=int(os.environ.get("SPEAKS", "1")), sunbreak="9.9")
for line in iter(sys.stdin.readline, ""):
    request = json.loads(line)
    status = run(request["arguments"])
    say(event="ended", id=request["id"], status=status)
    if request["arguments"][0] == "last":
        break
"""


@pytest.fixture
def kept(plugin_folder, tmp_path, monkeypatch):
    """A kept process of the script above."""
    import sys

    from sunbreak.plugin.bridge import kept as module
    from sunbreak.plugin.bridge import process

    script = tmp_path / "server.py"
    script.write_text(SERVER)
    monkeypatch.setattr(module, "ARGUMENTS", [str(script)])
    monkeypatch.setattr(module, "NEEDED_BYTES", 0)
    monkeypatch.setattr(process, "GRACE_MS", 300)
    backend = module.KeptBackend()
    backend.python = Path(sys.executable)
    yield backend
    backend.end()


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def wait_until(holds):
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_commands_run_in_one_process_and_tell_the_feedback(kept, feedback):
    first = kept.run(kept.python, ["clean"], feedback).numbers["pid"]
    assert kept.run(kept.python, ["clean"], feedback).numbers["pid"] == first == kept.pid
    assert feedback.steps[-1] == 100.0
    wait_until(lambda: kept.run(kept.python, ["clean"], feedback) and "a library complains" in feedback.said["console"])
    kept.end()
    assert kept.pid is None and gone(first)


def test_an_error_is_that_of_the_backend_and_the_process_stays(kept, feedback):
    from sunbreak.plugin.bridge.process import BackendError

    with pytest.raises(BackendError, match=r"a\.tif has no CRS\. Assign one\.") as caught:
        kept.run(kept.python, ["fail"], feedback)
    assert caught.value.code == "no-crs"
    assert kept.run(kept.python, ["clean"], feedback).numbers["pid"] == kept.pid


def cancel_soon(feedback):
    threading.Timer(0.2, feedback.cancel).start()


def test_a_cancelled_command_leaves_the_process(kept, feedback):
    from sunbreak.plugin.bridge.process import BackendError

    kept.start(kept.python)
    pid = kept.pid
    cancel_soon(feedback)
    with pytest.raises(BackendError) as caught:
        kept.run(kept.python, ["wait", "for a line"], feedback)
    assert caught.value.code == "cancelled"
    assert kept.pid == pid


def test_a_process_that_goes_on_after_a_cancellation_is_ended(kept, feedback, monkeypatch):
    from sunbreak.plugin.bridge import kept as module
    from sunbreak.plugin.bridge.process import BackendError

    monkeypatch.setattr(module, "GRACE_S", 0.2)
    kept.start(kept.python)
    pid = kept.pid
    cancel_soon(feedback)
    with pytest.raises(BackendError, match="Cancelled"):
        kept.run(kept.python, ["wait", "for ever"], feedback)
    assert gone(pid) and kept.pid is None


def test_a_process_that_was_killed_while_it_waited_is_replaced(kept, feedback):
    first = kept.run(kept.python, ["clean"], feedback).numbers["pid"]
    os.kill(first, signal.SIGKILL)
    assert kept.run(kept.python, ["clean"], feedback).numbers["pid"] != first


def test_a_process_that_ends_by_itself_is_replaced(kept, feedback):
    first = kept.run(kept.python, ["last"], feedback).numbers["pid"]
    assert kept.run(kept.python, ["clean"], feedback).numbers["pid"] != first


def test_a_crash_is_reported_and_the_next_command_has_a_new_process(kept, feedback):
    from sunbreak.plugin.bridge.process import BackendError

    with pytest.raises(BackendError, match=r"crashed \(signal 11\)"):
        kept.run(kept.python, ["die"], feedback)
    assert kept.pid is None
    assert kept.run(kept.python, ["clean"], feedback).numbers["pid"] == kept.pid


def test_a_backend_that_cannot_serve_is_asked_once(kept, feedback, monkeypatch, tmp_path):
    from sunbreak.plugin.bridge import kept as module

    monkeypatch.setattr(module, "ARGUMENTS", [*module.ARGUMENTS, "--old"])
    assert kept.run(kept.python, ["clean"], feedback) is None
    monkeypatch.setattr(module, "_Child", lambda *_: pytest.fail("it was asked again"))
    assert kept.run(kept.python, ["clean"], feedback) is None


def test_another_version_of_the_protocol_is_refused(kept, feedback, monkeypatch):
    from sunbreak.plugin.bridge.process import BackendError

    monkeypatch.setenv("SPEAKS", "2")
    with pytest.raises(BackendError, match="version 2"):
        kept.run(kept.python, ["wait", "for ever"], feedback)
    assert kept.pid is None


def test_another_environment_gets_another_process(kept, feedback, monkeypatch):
    first = kept.run(kept.python, ["clean"], feedback).numbers["pid"]
    monkeypatch.setenv("SUNBREAK_MODELS", "/elsewhere")
    assert kept.run(kept.python, ["clean"], feedback).numbers["pid"] != first
    assert gone(first)


def test_a_busy_process_leaves_a_second_command_to_a_process_of_its_own(kept, feedback):
    from sunbreak.plugin.bridge.process import BackendError

    def wait():
        with pytest.raises(BackendError):
            kept.run(kept.python, ["wait", "for a line"], feedback)

    first = threading.Thread(target=wait)
    first.start()
    wait_until(lambda: kept.pid is not None)
    assert kept.run(kept.python, ["clean"], feedback) is None
    feedback.cancel()
    first.join()


def test_too_little_memory_keeps_nothing(kept, feedback, monkeypatch):
    from sunbreak.plugin.bridge import kept as module

    monkeypatch.setattr(module, "NEEDED_BYTES", 1 << 80)
    kept.start(kept.python)
    assert kept.pid is None
    assert kept.run(kept.python, ["clean"], feedback) is None


def test_the_free_memory_is_what_linux_calls_available(plugin_folder, tmp_path):
    from sunbreak.plugin.bridge.free_memory import free_memory

    facts = tmp_path / "meminfo"
    facts.write_text("MemTotal:       16000 kB\nMemFree:  10 kB\nMemAvailable:    8000 kB\n")
    assert free_memory(facts) == 8000 * 1024
    assert free_memory(tmp_path / "none") > 1 << 60


def test_all_processes_end_before_the_backend_is_replaced(kept):
    from sunbreak.plugin.bridge.kept import end_all

    kept.start(kept.python)
    pid = kept.pid
    end_all()
    assert gone(pid)


# in the panel, with the real backend


@pytest.fixture
def panel(ready, scene, qgis_new_project, qgis_canvas, monkeypatch):
    from qgis.core import QgsProject, QgsRasterLayer, QgsRectangle

    from sunbreak.plugin.bridge import kept as module

    monkeypatch.setattr(module, "NEEDED_BYTES", 0)
    for name in ("s1", "s2"):
        layer = QgsRasterLayer(str(scene[name]), f"place {name}")
        QgsProject.instance().addMapLayer(layer)
    qgis_canvas.setDestinationCrs(layer.crs())
    qgis_canvas.setExtent(QgsRectangle.fromCenterAndSize(layer.extent().center(), 1000, 1000))
    return ready._menu.panel


def preview(panel, qt):
    panel.preview.click()
    qt.waitUntil(lambda: panel._run is None)
    assert panel.message.text().startswith("Done: ")


def test_previews_share_the_process_that_starts_with_the_panel(panel, qt, ready):
    from qgis.core import QgsProject
    from qgis.PyQt.QtWidgets import QApplication

    backend = panel.keeping.backend
    assert backend.pid is None
    panel.setFloating(True)
    panel.show()
    QApplication.processEvents()
    pid = backend.pid
    assert pid is not None
    said = []
    panel.preview.click()
    panel._run.said.connect(said.append)
    qt.waitUntil(lambda: panel._run is None)
    assert panel.message.text().startswith("Done: ")
    assert any(text.startswith("Model uncrtaints-guided") for text in said)
    assert panel.bar.value() == 100
    preview(panel, qt)
    assert backend.pid == pid
    previews = [one.name() for one in QgsProject.instance().mapLayers().values() if one.name().startswith("Preview")]
    assert len(previews) == 2
    ready.unload()
    assert gone(pid)


def test_switching_the_setting_off_ends_the_process_and_a_preview_starts_none(panel, qt):
    from processing.core.ProcessingConfig import ProcessingConfig, settingsWatcher
    from qgis.PyQt.QtWidgets import QApplication

    panel.setFloating(True)
    panel.show()
    QApplication.processEvents()
    pid = panel.keeping.backend.pid
    assert pid is not None
    ProcessingConfig.settings["SUNBREAK_KEEP_BACKEND"].value = False
    try:
        settingsWatcher.settingsChanged.emit()
        assert gone(pid)
        assert panel.keeping.for_preview() is None
    finally:
        ProcessingConfig.settings["SUNBREAK_KEEP_BACKEND"].value = True
    assert panel.keeping.for_preview() is panel.keeping.backend


def test_no_process_is_started_while_the_backend_is_replaced(panel, monkeypatch):
    from sunbreak.plugin.bridge import install_task

    monkeypatch.setattr(install_task, "_running", object())
    panel.keeping.start()
    assert panel.keeping.backend.pid is None and panel.keeping.for_preview() is None
