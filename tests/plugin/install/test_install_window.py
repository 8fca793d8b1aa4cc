"""The backend dialog, used as by a person."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest
from installing import BASE, closed_port, install_task_running, wait_until

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")


def test_the_dialog_installs_offline_and_removes_without_blocking(dialog, plan, wheels, quick, monkeypatch):
    from qgis.PyQt.QtWidgets import QMessageBox

    from sunbreak.plugin import settings

    changes = []
    dialog.backendChanged.connect(lambda: changes.append(True))
    assert "No backend is installed" in dialog.state.text()
    assert not dialog.remove_button.isEnabled()
    dialog.tabs.setCurrentIndex(1)
    assert not dialog.go.isEnabled()
    dialog.pages[1].folder.setFilePath(str(wheels))
    assert dialog.go.isEnabled()
    assert dialog.pages[1].found.text().startswith("17 packages, 0 MB: Full (PyTorch and OpenVINO, CPU).")
    dialog.go.click()
    assert dialog.cancel.isVisible()
    assert not dialog.go.isEnabled()
    gap = wait_until(lambda: install_task_running() is None)
    assert gap < 1.0
    assert "is installed and will be used" in dialog.message.text()
    assert settings.backend_python() == plan.root / "backend-0.1.0" / "bin" / "python"
    assert changes == [True]
    assert "Successfully installed" in dialog.log.toPlainText()
    dialog.check_button.click()
    wait_until(lambda: install_task_running() is None)
    assert "works: Python" in dialog.message.text()
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    dialog.remove_button.click()
    wait_until(lambda: install_task_running() is None)
    assert "No backend is installed" in dialog.state.text()
    wait_until(lambda: list(plan.root.iterdir()) == [], 10)
    with pytest.raises(settings.BackendMissingError, match="Plugins > Sunbreak > Backend"):
        settings.backend_python()


def test_cancelling_in_the_dialog_takes_less_than_three_seconds(dialog, plan, quick, serve, monkeypatch):
    silence = threading.Event()
    monkeypatch.setenv("PIP_INDEX_URL", serve(lambda _: silence.wait(30)))
    dialog.tabs.setCurrentIndex(0)
    dialog.go.click()
    wait_until(lambda: "package index" in dialog.stand.text())
    time.sleep(0.5)
    start = time.monotonic()
    dialog.cancel.click()
    wait_until(lambda: install_task_running() is None, 5)
    assert time.monotonic() - start < 3
    assert dialog.message.text().startswith("Cancelled.")
    assert dialog.go.isEnabled()
    wait_until(lambda: list(plan.root.iterdir()) == [], 10)
    silence.set()


def test_a_failure_is_shown_in_the_dialog_and_in_the_log_of_qgis(dialog, quick, monkeypatch):
    from qgis.core import QgsApplication

    said = []
    QgsApplication.messageLog().messageReceived[str, str, "Qgis::MessageLevel"].connect(
        lambda text, tag, _: said.append((tag, text))
    )
    monkeypatch.setenv("PIP_INDEX_URL", f"http://localhost:{closed_port()}")
    dialog.tabs.setCurrentIndex(0)
    dialog.go.click()
    wait_until(lambda: install_task_running() is None)
    assert "package index cannot be reached" in dialog.message.text()
    assert ("Sunbreak", dialog.message.text()) in said


def test_an_environment_is_accepted_by_its_folder(dialog, backend):
    from sunbreak.plugin import settings

    dialog.tabs.setCurrentIndex(2)
    dialog.pages[2].path.setEditText(str(Path(sys.prefix)))
    dialog.go.click()
    wait_until(lambda: install_task_running() is None)
    assert "has no Sunbreak backend" in dialog.message.text()
    with pytest.raises(settings.BackendMissingError):
        settings.backend_python()
    dialog.pages[2].path.setEditText(str(backend.parent.parent))
    dialog.go.click()
    wait_until(lambda: install_task_running() is None)
    assert "works: Python" in dialog.message.text()
    assert settings.backend_python() == backend
    assert "your own Python" in dialog.state.text()


def test_an_older_backend_is_offered_an_update(dialog, plan, wheels):
    from sunbreak.plugin.bridge.installed import write_record

    older = plan.root / "backend-0.0.9" / "bin"
    older.mkdir(parents=True)
    (older / "python").symlink_to(BASE)
    write_record(older.parent, {"version": "0.0.9", "variant": "cpu", "base": str(BASE), "python": "3.11.2"})
    dialog._show_state()
    dialog._refresh_buttons()
    assert "press Update" in dialog.state.text()
    assert dialog.update_button.isVisible()
