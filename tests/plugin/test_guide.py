"""The user guide calls everything by the name that it has in QGIS."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

CHECKOUT = Path(__file__).resolve().parents[2]
IMAGES = CHECKOUT / "docs" / "images"
GUIDE = (CHECKOUT / "docs" / "guide.md").read_text(encoding="utf-8")
OF_QGIS = {
    "Help", "Install Plugin", "Styles", "Run as Batch Process…", "Properties > Metadata", "Properties > Temporal",
    "Settings > Options > Network", "View > Panels > Temporal Controller",
    "Plugins > Manage and Install Plugins > Install from ZIP",
}  # fmt: skip
OF_THE_LAYERS = {"seen", "none"}  # texts of the backend


def plain(text):
    """A text without the mark of its key, the dots of a dialog and what it is about."""
    return re.sub(r"\s+", " ", text).replace("&", "").removesuffix("…").removeprefix("{scene}: ").strip()


@pytest.fixture(scope="module")
def named():
    """What the page has in italics, but for what belongs to QGIS."""
    without_code = re.sub(r"`[^`]*`", "", GUIDE)
    found = {re.sub(r"\s+", " ", text) for text in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", without_code)}
    assert found >= OF_QGIS | OF_THE_LAYERS
    return found - OF_QGIS - OF_THE_LAYERS


@pytest.fixture
def algorithms(ready):
    from qgis.core import QgsApplication

    return QgsApplication.processingRegistry().providerById("sunbreak").algorithms()


def test_entries_of_the_menu_are_called_by_their_names(ready, named):
    entries = {plain(action.text()) + "…" * action.text().endswith("…") for action in ready._menu.actions}
    asked = {text.rpartition(" > ")[2] for text in named if text.startswith("Plugins > Sunbreak > ")}
    assert asked <= entries
    assert len(asked) > 4


def test_algorithms_are_where_the_page_says(algorithms, named):
    places = {f"Processing Toolbox > Sunbreak > {one.group()} > {one.displayName()}" for one in algorithms}
    asked = {text for text in named if text.startswith("Processing Toolbox")}
    assert asked <= places
    assert len(asked) > 3


def test_buttons_fields_and_layers_are_called_by_their_names(algorithms, named):
    source = ElementTree.parse(CHECKOUT / "i18n" / "sunbreak_de.ts")
    texts = {plain(message.findtext("source") or "") for message in source.iter("message")}
    texts |= {plain(one.description()) for algorithm in algorithms for one in algorithm.parameterDefinitions()}
    texts |= {re.sub(r" \(.*", "", text) for text in texts}  # an explanation in brackets is no part of the name
    assert {text for text in named if " > " not in text and plain(text) not in texts} == set()


def test_parameters_have_the_names_for_scripts(algorithms):
    parameters = {one.name() for algorithm in algorithms for one in algorithm.parameterDefinitions()}
    outputs = {one.name() for algorithm in algorithms for one in algorithm.outputDefinitions()}
    scripts = re.findall(r"`([^`]+)`", GUIDE)
    alone = {text for text in scripts if re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", text)} - {"VV", "VH"}
    given = {name for text in scripts for name in re.findall(r"(?<!\S)([A-Z][A-Z0-9_]*)=", text)}
    assert {"DATES", "MASK_CODING", "REPLACE", "INPUT"} <= alone | given <= parameters | outputs


def test_each_picture_of_the_tour_is_shown_once():
    shown = re.findall(r"\]\(images/([^)]+)\)", GUIDE)
    assert len(shown) == len(set(shown))
    assert {path.name for path in IMAGES.glob("tour-*.png")} <= set(shown)
    assert all((IMAGES / name).is_file() for name in shown)


def test_no_picture_is_left_over_or_large():
    pages = [*CHECKOUT.glob("docs/*.md"), CHECKOUT / "README.md"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in pages)
    assert [path.name for path in IMAGES.iterdir() if f"images/{path.name}" not in text] == []
    assert {path.name: path.stat().st_size for path in IMAGES.glob("tour-*.png") if path.stat().st_size > 600_000} == {}
