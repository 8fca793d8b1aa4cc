"""Texts that are passed on name neither the user nor the home folder."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from sunbreak.privacy import without_private


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/bob/models/a.json is broken", "~/models/a.json is broken"),
        ("in /home/bob: no", "in ~: no"),
        ("'/home/bob'", "'~'"),
        ("/home/bobby/x", "/home/bobby/x"),
        ("/tmp/runtime-bob/x and /data/bob/y", "/tmp/runtime-<user>/x and /data/<user>/y"),
        ("bob is a word, bobcat too", "bob is a word, bobcat too"),
        ("/data/bobcat/x", "/data/bobcat/x"),
        ("nothing", "nothing"),
    ],
)
def test_on_linux(text, shown):
    assert without_private(text, ["/home/bob"], ["bob"]) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"C:\Users\Jo Doe\AppData\x.dll", r"~\AppData\x.dll"),
        ("c:/users/jo doe/x", "~/x"),
        (r"D:\scratch\Jo Doe\x", r"D:\scratch\<user>\x"),
    ],
)
def test_on_windows(text, shown):
    assert without_private(text, [r"C:\Users\Jo Doe"], ["Jo Doe"]) == shown


def test_a_home_that_is_a_link_is_hidden_by_both_its_names():
    text = without_private("/home/bob/x /data/users/bob7/x", ["/home/bob", "/data/users/bob7"], ["bob"])
    assert text == "~/x ~/x"


def test_a_home_in_the_root_folder_hides_nothing_else():
    assert without_private("/usr/bin/python", ["/"], [""]) == "/usr/bin/python"


def test_this_users_own_home_is_hidden():
    assert without_private(f"{Path.home()}/x/{getpass.getuser()}/y") == "~/x/<user>/y"
