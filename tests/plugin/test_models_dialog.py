"""The models dialog: list and card, import and deletion in the background, also if the dialog is closed."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")


@pytest.fixture
def dialog(ready, qt):
    """The window, with the bundled models in it."""
    from sunbreak.plugin.gui import models_dialog

    dialog = models_dialog.ModelsDialog()
    qt.waitUntil(lambda: dialog.list.count() >= 2)
    yield dialog
    models_dialog.stop()
    qt.waitUntil(lambda: models_dialog.running() is None)


def idle() -> bool:
    from sunbreak.plugin.gui import models_dialog

    return models_dialog.running() is None


def a_checkpoint(backend, folder):
    """A tiny classifier whose keys are those of the published ones, saved by torch."""
    import subprocess

    file = folder / "tiny öl.pth"
    script = (
        "import sys, torch\n"
        "from sunbreak.models.architectures import load_any\n"
        "from sunbreak.models.registry import find_model\n"
        "torch.save(load_any(find_model('resnet18-landcover')).state_dict(), sys.argv[1])\n"
    )
    subprocess.run([backend, "-I", "-c", script, file], check=True)
    return file


def test_a_broken_checkpoint_is_refused_with_the_reason_and_nothing_is_imported(dialog, qt, tmp_path):
    broken = tmp_path / "broken.pth"
    broken.write_bytes(b"no checkpoint")
    bundled = dialog.list.count()
    assert "licence" in dialog.card.toPlainText()
    assert not dialog.remove.isEnabled()
    dialog.start(["models", "import", str(broken), "--name", "mine"], "Importing mine…", "mine")
    assert not dialog.bar.isHidden()
    assert not dialog.add.isEnabled()
    qt.waitUntil(idle)
    assert "broken.pth" in dialog.message.text()
    assert dialog.bar.isHidden()
    assert dialog.add.isEnabled()
    assert dialog.list.count() == bundled >= 3


def test_a_model_of_the_user_can_be_deleted(dialog, qt, tmp_path, monkeypatch):
    from qgis.PyQt.QtWidgets import QMessageBox

    from sunbreak.plugin.settings import PLUGIN_FOLDER

    # the bundled classifier again under another name
    source, folder = PLUGIN_FOLDER / "resources" / "models", tmp_path / "models"
    folder.mkdir(exist_ok=True)
    card = (source / "resnet18-landcover.json").read_text(encoding="utf-8").replace("resnet18-landcover", "mine")
    (folder / "mine.json").write_text(card, encoding="utf-8")
    (folder / "mine.safetensors").write_bytes((source / "resnet18-landcover.safetensors").read_bytes())
    bundled = dialog.list.count()
    dialog.refresh("mine")
    qt.waitUntil(lambda: dialog.list.count() == bundled + 1)
    assert dialog._name() == "mine"
    assert dialog.remove.isEnabled()
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    dialog.remove.click()
    qt.waitUntil(lambda: dialog.list.count() == bundled and idle())
    assert dialog.message.text() == "Deleted mine."
    assert not (folder / "mine.json").exists()
    assert not (folder / "mine.safetensors").exists()


def test_an_import_takes_licence_title_and_configuration_and_the_model_is_chosen(dialog, qt, backend, tmp_path):
    from sunbreak.plugin.gui.import_dialog import ImportDialog

    config = tmp_path / "config.json"
    config.write_text('{"tile": 64}', encoding="utf-8")
    asked = ImportDialog(dialog, {"resnet18-landcover"})
    ok = asked.buttons.button(asked.buttons.StandardButton.Ok)
    assert not ok.isEnabled()
    asked.file.setFilePath(str(tmp_path / "nothing.pth"))
    assert not ok.isEnabled()
    asked.file.setFilePath(str(a_checkpoint(backend, tmp_path)))
    asked.name.setText("resnet18-landcover")
    assert "already" in asked.trouble.text()
    asked.name.setText("no name")
    assert not ok.isEnabled()
    asked.name.setText("tiny")
    asked.licence.setText("CC-BY-4.0")
    asked.title.setText("A small one")
    asked.config.setFilePath(str(config))
    assert ok.isEnabled()
    assert asked.arguments()[-6:] == ["--title", "A small one", "--licence", "CC-BY-4.0", "--config", str(config)]
    bundled = dialog.list.count()
    dialog._import(asked)
    qt.waitUntil(lambda: idle() and (dialog.list.count() == bundled + 1 or "tiny" not in dialog.message.text()))
    assert dialog.message.text().startswith("Imported tiny"), dialog.message.text()
    qt.waitUntil(lambda: dialog._name() == "tiny")
    assert "licence       CC-BY-4.0" in dialog.card.toPlainText()


def test_an_import_continues_when_the_dialog_is_closed(dialog, qt, backend, tmp_path):
    from qgis.PyQt import sip
    from qgis.PyQt.QtCore import QEvent
    from qgis.PyQt.QtWidgets import QApplication

    from sunbreak.plugin.gui import models_dialog

    file = a_checkpoint(backend, tmp_path)
    dialog.show()
    dialog.start(["models", "import", str(file), "--name", "tiny"], "Importing tiny…", "tiny")
    task = models_dialog.running()
    ended = []
    task.ended.connect(lambda *what: ended.append(what))
    dialog.close()
    QApplication.sendPostedEvents(dialog, QEvent.Type.DeferredDelete)
    assert sip.isdeleted(dialog)
    again = models_dialog.ModelsDialog()
    assert not again.add.isEnabled()
    assert not again.bar.isHidden()
    qt.waitUntil(idle)
    ((successful, text),) = ended
    assert successful, text
    assert (tmp_path / "models" / "tiny.json").exists()
    assert again.add.isEnabled()
    assert again.message.text().startswith("Imported tiny")


def test_a_cancelled_import_leaves_no_files(dialog, qt, backend, tmp_path):
    file = a_checkpoint(backend, tmp_path)
    dialog.start(["models", "import", str(file), "--name", "tiny"], "Importing tiny…", "tiny")
    start = time.monotonic()
    dialog.cancel.click()
    qt.waitUntil(idle)
    assert time.monotonic() - start < 10
    assert "Cancelled" in dialog.message.text()
    folder = tmp_path / "models"
    assert not folder.exists() or not list(folder.iterdir())
    assert dialog.add.isEnabled()
