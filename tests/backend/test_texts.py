"""Texts from files and names of files are shown, and never act."""

import json
import unicodedata

import pytest

from sunbreak.texts import visible, visible_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("scene äöü 日本 .tif", "scene äöü 日本 .tif"),
        ("می‌خواهم", "می‌خواهم"),
        ("a\nb\rc\td", r"a\nb\rc\td"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("\x7f\x00", r"\x7f\x00"),
        ("fit\u202egpj.exe", r"fit\u202egpj.exe"),
        ("\u2066a\u2069\u200f\u061c", r"\u2066a\u2069\u200f\u061c"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("zero\ufeffwidth\u200b", r"zero\ufeffwidth\u200b"),
        ("\U000e0041", r"\U000e0041"),
        ("not utf-8 \udcff", r"not utf-8 \xff"),
        ("\ud800", r"\ud800"),
    ],
)
def test_characters_that_act_are_escaped_and_others_stay(text, shown):
    assert visible(text) == shown


def test_nothing_that_acts_is_left_of_any_character():
    everything = "".join(map(chr, range(0x110000)))
    left = {unicodedata.category(one) for one in visible(everything)}
    assert not left & {"Cc", "Cs", "Zl", "Zp"}
    visible(everything).encode("utf-8")


def test_what_is_kept_is_kept():
    assert visible("a\nb\x1b", keep="\n") == "a\nb\\x1b"


def test_json_means_the_same_and_holds_nothing_that_acts():
    content = {"title": "a\x9b\u202e\x7f\U000e0041 ä\n\x1b"}
    text = visible_json(json.dumps(content, indent=2, ensure_ascii=False))
    assert json.loads(text) == content
    assert visible(text, keep="\n") == text and "ä" in text
