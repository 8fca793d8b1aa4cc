"""A run for which the backend lacks a package: what it says, and the button that opens the installer."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

LACKING = {
    "event": "error",
    "code": "missing-extra",
    "message": "Explaining by gradients needs torch, which is not installed.",
    "hint": "Install it: pip install 'sunbreak[torch]'.",
    "extra": "torch",
}
STARTED = {"event": "started", "version": 1, "sunbreak": "0.1.0", "command": "explain"}


@pytest.fixture
def light(tmp_path, monkeypatch):
    """A light backend in the profile, whose interpreter runs no backend but the scripts of the tests."""
    from sunbreak.plugin.bridge import installed, missing
    from sunbreak.plugin.gui import backend_dialog

    folder = tmp_path / "backend-0.1.0"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    record = {"version": installed.plugin_version(), "variant": "light", "base": sys.executable, "extras": []}
    installed.write_record(folder, record)
    for module in (installed, backend_dialog):
        monkeypatch.setattr(module, "home", lambda: tmp_path)
    monkeypatch.setattr(missing, "installed_backend", lambda: installed.installed_backend(tmp_path))
    monkeypatch.delenv("SUNBREAK_PYTHON", raising=False)
    return installed.installed_backend(tmp_path)


def failure(python, extra, feedback):
    """The text of a run that ends as the backend's does when it lacks the package of an extra."""
    from sunbreak.plugin.bridge.process import BackendError, run_program

    lines = "\n".join(map(json.dumps, (STARTED, {**LACKING, "extra": extra})))
    with pytest.raises(BackendError) as caught:
        run_program(str(python), ["-I", "-c", f"print({lines!r}); raise SystemExit(2)"], feedback)
    assert caught.value.code == "missing-extra"
    return str(caught.value)


@pytest.mark.parametrize(
    ("extra", "advice"),
    [
        ("torch", "Add PyTorch with Plugins > Sunbreak > Backend."),
        ("clouds", "Add the networks for clouds, which bring it, with Plugins > Sunbreak > Backend."),
        ("evaluation", "Add the networks for clouds, which bring it, with Plugins > Sunbreak > Backend."),
        ("catalogue", "Repair the backend with Plugins > Sunbreak > Backend."),
        ("training", "Install it: pip install 'sunbreak[torch]'."),  # no build has it: the backend's own hint
    ],
)
def test_a_missing_package_is_one_line_with_the_way_to_add_it(qgis_app, light, feedback, extra, advice):
    said = failure(light.python, extra, feedback)
    assert said == f"Explaining by gradients needs torch, which is not installed. {advice}"


def test_a_python_of_ones_own_keeps_the_hint_with_pip(plugin, light, feedback, monkeypatch, qgis_iface):
    pushed = []
    monkeypatch.setattr(qgis_iface.messageBar(), "pushWidget", lambda item, level: pushed.append(item))
    said = failure(Path(sys.executable), "torch", feedback)
    assert said.endswith("Install it: pip install 'sunbreak[torch]'.")
    assert pushed == []


def test_a_button_in_the_message_bar_opens_the_installer_at_the_right_build(
    plugin, light, feedback, monkeypatch, qgis_iface
):
    from qgis.PyQt.QtWidgets import QPushButton

    from sunbreak.plugin.gui import backend_dialog, build_choice

    monkeypatch.setattr(build_choice.platform, "system", lambda: "Linux")
    pushed, popped = [], []
    bar = qgis_iface.messageBar()
    monkeypatch.setattr(bar, "pushWidget", lambda item, level: pushed.append(item))
    monkeypatch.setattr(bar, "popWidget", popped.append, raising=False)
    failure(light.python, "clouds", feedback)
    failure(light.python, "torch", feedback)
    assert len(pushed) == 2
    assert popped == pushed[:1]  # the second message takes the place of the first
    assert pushed[1].text() == "Explaining by gradients needs torch, which is not installed."
    for item, chosen, action in ((pushed[0], "light", "Add the networks"), (pushed[1], "cpu", "Add PyTorch")):
        (button,) = [one for one in item.findChildren(QPushButton) if one.text() == "Add…"]
        button.click()
        dialog = backend_dialog._open
        assert dialog.pages[0].build.chosen().key == chosen
        assert dialog.go.text() == action
    backend_dialog.close_backend_dialog()


def test_a_run_in_the_background_reaches_the_main_thread(plugin, light, qt, monkeypatch, qgis_iface):
    from qgis.core import QgsApplication
    from qgis.PyQt.QtCore import QThread

    from sunbreak.plugin.bridge.command_task import CommandTask

    threads = []
    monkeypatch.setattr(qgis_iface.messageBar(), "pushWidget", lambda *_: threads.append(QThread.currentThread()))
    lines = light.folder / "lines"
    lines.write_text("\n".join(map(json.dumps, (STARTED, LACKING))))
    light.python.unlink()
    light.python.write_text(f'#!/bin/sh\ncat "{lines}"\nexit 2\n')
    light.python.chmod(0o755)
    task, ended = CommandTask("Explain", light.python, ["explain"]), []
    task.ended.connect(lambda *what: ended.append(what))
    QgsApplication.taskManager().addTask(task)
    qt.waitUntil(lambda: ended and threads)
    assert ended[0][0] is False
    assert ended[0][1].endswith("Add PyTorch with Plugins > Sunbreak > Backend.")
    assert threads == [QgsApplication.instance().thread()]


def test_the_doctor_names_the_build_of_the_installed_backend(plugin, light, monkeypatch, feedback):
    from sunbreak.plugin import settings
    from sunbreak.plugin.bridge import diagnosis

    for module in (settings, diagnosis):
        monkeypatch.setattr(module, "installed_backend", lambda: light)
    found = {finding.name: finding.found for finding in diagnosis.run_checks(Path(), "", feedback)}
    assert found["interpreter"] == f"{light.python}: Light (OpenVINO, no PyTorch)"
    assert "no Sunbreak backend is installed in it" in found["version"]
