"""The plugin uses QGIS's language: the German translation is complete, and the plugin loads it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def translations():
    """The tool that collects and compiles translations."""
    spec = importlib.util.spec_from_file_location("sunbreak_translations", CHECKOUT / "tools" / "translations.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def german(monkeypatch, translations, tmp_path):
    """QGIS in Austrian German, with the German translation compiled into a folder of its own."""
    from qgis.core import QgsApplication

    from sunbreak.plugin import translation

    folder = tmp_path / "Jürgen Öl" / "i18n"
    folder.mkdir(parents=True)
    folder.joinpath("sunbreak_de.qm").write_bytes(translations.compiled(CHECKOUT / "i18n" / "sunbreak_de.ts"))
    monkeypatch.setattr(translation, "PLUGIN_FOLDER", folder.parent)
    monkeypatch.setattr(QgsApplication, "locale", staticmethod(lambda: "de_AT"))


def test_every_text_of_the_plugin_has_a_german_translation(translations):
    assert translations.untranslated(CHECKOUT / "i18n" / "sunbreak_de.ts", CHECKOUT / "plugin") == []


def test_qt_finds_every_german_text_in_the_compiled_file(translations, tmp_path, qgis_app):
    from qgis.PyQt.QtCore import QCoreApplication, QTranslator

    source = CHECKOUT / "i18n" / "sunbreak_de.ts"
    path = tmp_path / "de.qm"
    path.write_bytes(translations.compiled(source))
    translator = QTranslator()
    assert translator.load(str(path))
    texts = translations.read(source)
    assert len(texts) > 200
    QCoreApplication.installTranslator(translator)
    try:
        assert {text: QCoreApplication.translate("Sunbreak", text) for text in texts if texts[text]} == {
            text: german for text, german in texts.items() if german
        }
        assert QCoreApplication.translate("Sunbreak", "no text of the plugin") == "no text of the plugin"
    finally:
        QCoreApplication.removeTranslator(translator)


def test_german_names_are_shown_until_the_plugin_is_unloaded(german, plugin_folder, qgis_iface, request):
    from qgis.core import QgsApplication

    plugin = request.getfixturevalue("plugin")
    algorithm = QgsApplication.processingRegistry().algorithmById("sunbreak:removeclouds")
    assert algorithm.displayName() == "Wolken entfernen"
    assert algorithm.parameterDefinition("UNCERTAINTY").description() == "Unsicherheit"
    assert algorithm.name() == "removeclouds"
    from sunbreak.plugin.compat import tr

    assert tr("Land cover") == "Landbedeckung"
    plugin.unload()
    assert tr("Land cover") == "Land cover"


def test_a_language_without_translation_keeps_english_texts(monkeypatch, plugin_folder, qgis_app):
    from qgis.core import QgsApplication

    from sunbreak.plugin.translation import load_translator

    monkeypatch.setattr(QgsApplication, "locale", staticmethod(lambda: "cy_GB"))
    assert load_translator() is None


def test_untranslatable_texts_are_reported_with_their_line(translations, tmp_path):
    (tmp_path / "dialog.py").write_text('TITLE = tr("too early")\n\ndef show(name):\n    return tr(f"hello {name}")\n')
    found, problems = translations.texts(tmp_path)
    assert found == []
    assert sorted(problem.split(": ")[0] for problem in problems) == ["dialog.py:1", "dialog.py:4"]


def test_lost_placeholders_and_stale_texts_are_reported(translations, tmp_path):
    (tmp_path / "m.py").write_text('def f():\n    return tr("{count} scenes")\n')
    path = tmp_path / "sunbreak_de.ts"
    translations.write(path, "de", {"{count} scenes": "Szenen", "gone": "weg"})
    assert [problem.split(": ")[1] for problem in translations.untranslated(path, tmp_path)] == [
        "no longer used",
        "other placeholders than the original",
    ]
