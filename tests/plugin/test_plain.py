"""Texts from cards, files and the backend are shown in QGIS as they are, and never taken for markup."""

import ast
from pathlib import Path

import pytest
from qgis.PyQt.QtCore import Qt

PLUGIN = Path(__file__).parents[2] / "plugin"
HOSTILE = '<img src="file:///etc/passwd"><a href="https://a.example">x</a>\x1b\u202e'


def test_labels_show_plain_text_from_their_first_text_on(qgis_app):
    from sunbreak.plugin.plain import plain_label

    label = plain_label(HOSTILE)
    assert label.textFormat() == Qt.TextFormat.PlainText
    assert label.text() == HOSTILE[:-2] + "\\x1b\\u202e"
    label.setText("a\nb\u202e")
    assert label.text() == "a\nb\\u202e"


def test_plain_texts_stay_and_markup_is_escaped():
    from sunbreak.plugin.plain import in_html, shown

    assert shown("Sigma < 0.1 & more\nsecond line") == "Sigma < 0.1 & more\nsecond line"
    assert "<img" not in shown(HOSTILE) and "&lt;img" in shown(HOSTILE)
    assert in_html("a<b>\nc") == "a&lt;b&gt;<br>c"


@pytest.mark.parametrize("path", sorted(PLUGIN.rglob("*.py")), ids=lambda path: path.stem)
def test_no_text_reaches_a_place_where_qt_guesses(path):
    """Labels are plain ones; tooltips, questions, bars and logs are given translated, fixed or guarded texts."""
    places = {"setToolTip": 0, "pushMessage": 1, "logMessage": 0, "createMessage": 1, "question": 2, "warning": 2,
              "critical": 2, "information": 2, "setWhatsThis": 0, "setStatusTip": 0}  # fmt: skip
    wrong = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        if name == "QLabel" and path.name != "plain.py":
            wrong.append(ast.unparse(node))
        at = places.get(name)
        if name == "setToolTip" and len(node.args) == 2:  # of a column of a tree
            at = 1
        if at is not None and len(node.args) > at and not guarded(node.args[at]):
            wrong.append(ast.unparse(node))
        if name == "setItemData" and "ToolTip" in ast.unparse(node) and not guarded(node.args[1]):
            wrong.append(ast.unparse(node))
    assert not wrong


def guarded(node: ast.AST) -> bool:
    if isinstance(node, ast.IfExp):
        return guarded(node.body) and guarded(node.orelse)
    if isinstance(node, ast.Constant):
        return True
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("tr", "shown", "in_html")
