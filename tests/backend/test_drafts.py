"""Files are written whole or not at all."""

import json
import os

import pytest

from sunbreak.drafts import draft, draft_files, write_bytes, write_json, write_text


def test_a_file_gets_its_name_when_it_is_complete(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with draft(path) as place:
        place.write_text("new")
        assert path.read_text() == "old" and place.parent == tmp_path and place.name.startswith(".")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_no_draft(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), draft(path) as place:
        place.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_draft_that_was_never_written_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), draft(tmp_path / "table.csv"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_link_at_the_drafts_place_is_not_followed(tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("mine")
    path = tmp_path / "out" / "table.csv"
    path.parent.mkdir()
    with draft(path) as place:
        hidden = place
        place.write_text("first")
    hidden.symlink_to(other)
    write_text(path, "second")
    assert (other.read_text(), path.read_text()) == ("mine", "second")
    assert list(path.parent.iterdir()) == [path]


def test_processes_can_have_drafts_of_their_own(tmp_path):
    with draft(tmp_path / "a.npz", per_process=True) as place:
        assert str(os.getpid()) in place.name
        place.touch()


@pytest.mark.parametrize("sync", [False, True])
def test_bytes_text_and_json_are_written_as_they_are(tmp_path, sync):
    write_bytes(tmp_path / "a", b"\0\r\n", sync=sync)
    write_text(tmp_path / "b", "ä\r\n", sync=sync)
    write_json(tmp_path / "c", {"a": [1, 2]}, indent=1, sync=sync)
    assert (tmp_path / "a").read_bytes() == b"\0\r\n"
    assert (tmp_path / "b").read_bytes() == "ä\r\n".encode()
    assert (tmp_path / "c").read_text() == json.dumps({"a": [1, 2]}, indent=1)


def test_a_tree_of_files_moves_to_the_same_places(tmp_path):
    out = tmp_path / "report"
    with draft_files(out) as place:
        (place / "figures").mkdir()
        (place / "figures" / "a.png").write_text("a")
        (place / "page.html").write_text("page")
        assert not (out / "page.html").exists()
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*")) == [
        "figures",
        "figures/a.png",
        "page.html",
    ]


def test_a_tree_that_fails_leaves_nothing(tmp_path):
    out = tmp_path / "report"
    with pytest.raises(ValueError, match="no"), draft_files(out) as place:
        (place / "page.html").write_text("page")
        raise ValueError("no")
    assert not out.exists()
