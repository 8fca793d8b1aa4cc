"""Files are written whole or not at all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sunbreak import drafts, unfinished
from sunbreak.drafts import (
    DRAFT_NAME_BYTES,
    appended,
    create,
    draft,
    draft_files,
    open_stored,
    read_stored,
    scratch_folder,
    write_bytes,
    write_json,
    write_text,
)

REFUSED = (OSError,)


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


def test_two_drafts_of_a_file_never_have_the_same_name(tmp_path):
    names = set()
    for _ in range(20):
        with draft(tmp_path / "summary.csv") as place:
            names.add(place.name)
            place.touch()
    assert len(names) == 20 and not any("summary" in name for name in names)
    assert max(map(len, names)) <= DRAFT_NAME_BYTES


def test_a_link_with_the_final_name_is_replaced_and_not_written_through(tmp_path):
    other, path = tmp_path / "other.txt", tmp_path / "table.csv"
    other.write_text("mine")
    path.symlink_to(other)
    write_text(path, "new")
    assert (other.read_text(), path.read_text(), path.is_symlink()) == ("mine", "new", False)


def test_a_draft_that_a_killed_process_left_is_removed_and_that_of_a_live_one_is_not(tmp_path):
    code = f"""
import os, signal
from pathlib import Path
from sunbreak.drafts import draft
with draft(Path({str(tmp_path / "table.csv")!r})) as place:
    place.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    (left,) = tmp_path.iterdir()
    with draft(tmp_path / "live.csv") as live:
        live.write_text("x")
        assert not left.exists()
        drafts._swept.clear()
        write_text(tmp_path / "table.csv", "whole")
        assert live.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["live.csv", "table.csv"]


def link(path: Path, other: Path) -> None:
    path.symlink_to(other)


def second_name(path: Path, other: Path) -> None:
    os.link(other, path)


def pipe(path: Path, other: Path) -> None:
    os.mkfifo(path)


def folder(path: Path, other: Path) -> None:
    path.mkdir()


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes")
@pytest.mark.parametrize("make", [link, second_name, pipe, folder])
def test_only_regular_files_of_ours_are_written_again(tmp_path, make):
    other, path = tmp_path / "other", tmp_path / "stored"
    other.write_text("mine")
    make(path, other)
    with pytest.raises(REFUSED), open_stored(path, write=True) as file:
        file.write(b"no")
    with pytest.raises(REFUSED), appended(path) as text:
        text.write("no")
    with pytest.raises(FileExistsError):
        create(path)
    if make is not second_name:  # reading it does no harm
        with pytest.raises(REFUSED):
            read_stored(path)
    assert other.read_text() == "mine"


def test_a_link_that_leads_nowhere_makes_no_file_elsewhere(tmp_path):
    (tmp_path / "log").symlink_to(tmp_path / "elsewhere")
    for write in (lambda path: create(path), lambda path: appended(path).__enter__()):
        with pytest.raises(REFUSED):
            write(tmp_path / "log")
    assert not (tmp_path / "elsewhere").exists()


def test_a_stored_file_that_is_too_large_is_not_read(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 11)
    assert read_stored(tmp_path / "a", limit=11) == b"x" * 11
    with pytest.raises(OSError, match="11 bytes"):
        read_stored(tmp_path / "a", limit=10)


def test_a_log_is_written_at_its_end_with_the_line_ends_it_is_given(tmp_path):
    for row in ("a\r\n", "b\n"):
        with appended(tmp_path / "log.csv") as file:
            file.write(row)
    assert (tmp_path / "log.csv").read_bytes() == b"a\r\nb\n"


def test_what_is_unfinished_can_be_removed_from_outside(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    with draft(tmp_path / "table.csv") as place, draft_files(tmp_path / "report") as tree, scratch_folder() as scratch:
        for path in (place, tree / "page.html", scratch / "a"):
            path.write_text("half")
        unfinished.add(kept, keep_content=True)
        unfinished.remove_all(0)
        unfinished.drop(kept)
        assert [path.name for path in tmp_path.iterdir()] == ["kept"] and not scratch.exists()
        raise_nothing_more(place, tree, scratch)


def raise_nothing_more(place: Path, tree: Path, scratch: Path) -> None:
    """Lets the blocks end as if nothing had happened."""
    for path in (tree, scratch):
        path.mkdir(parents=True)
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
