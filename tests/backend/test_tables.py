"""No text in a table can act as a formula, and numbers stay as they are."""

import csv
import io

import pytest

from sunbreak.tables import CsvTable, original, plain


def written(*rows: list[object]) -> str:
    stream = io.StringIO(newline="")
    CsvTable(stream, lineterminator="\n").rows(rows)
    return stream.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        " =1",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1+1",
        "＠a",
        "'=1",
        "--5",
        "-x",
        "+49 30 1",
        "= ",
    ],
)
def test_a_formula_gets_an_apostrophe_and_is_read_back_without_it(text):
    cell = plain(text)
    # what a spreadsheet looks at is the first character
    assert cell[0] in "'\\" and not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    if text.isprintable():
        assert original(cell) == text


@pytest.mark.parametrize(
    "cell", ["-0.25", "+3", "-inf", "nan", "1e-05", "-1E+30", "", "scene", "it's", "a=b", 5, -0.5, None]
)
def test_numbers_and_plain_texts_stay_as_they_are(cell):
    assert plain(cell) is cell or plain(cell) == cell
    if isinstance(cell, str):
        assert original(cell) == cell


def test_a_name_with_line_breaks_and_escapes_stays_on_its_line():
    text = written(["name\n=cmd", "a\x1b[2Jb", "u\u202ev", "ä,b"])
    assert text == 'name\\n=cmd,a\\x1b[2Jb,u\\u202ev,"ä,b"\n'
    assert next(csv.reader([text])) == ["name\\n=cmd", "a\\x1b[2Jb", "u\\u202ev", "ä,b"]


def test_records_have_a_header_and_gaps():
    stream = io.StringIO(newline="")
    CsvTable(stream).records(["@a", "b"], [{"@a": 1}, {"b": "x", "@a": -2}])
    assert stream.getvalue() == "'@a,b\r\n1,\r\n-2,x\r\n"
