"""Loads the translation for QGIS's language, `i18n/sunbreak_<language>.qm`."""

from __future__ import annotations

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QTranslator

from .settings import PLUGIN_FOLDER


def load_translator() -> QTranslator | None:
    """Install the translation for QGIS's language; None if there is none, as for English.

    The longer name is tried first: `de_AT` before `de`. The caller keeps the translator; Qt does not.
    """
    locale = QgsApplication.locale()
    for language in dict.fromkeys((locale, locale.split("_")[0])):
        path = PLUGIN_FOLDER / "i18n" / f"sunbreak_{language}.qm"
        translator = QTranslator()
        if path.is_file() and translator.load(str(path)):
            QCoreApplication.installTranslator(translator)
            return translator
    return None


def remove_translator(translator: QTranslator | None) -> None:
    """Remove a translation when the plugin is unloaded."""
    if translator is not None:
        QCoreApplication.removeTranslator(translator)
