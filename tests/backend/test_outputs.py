"""The names of outputs are checked before a run starts."""

import os
import sys
from pathlib import Path

import pytest

from sunbreak.errors import OutputError
from sunbreak.outputs import check_files, check_folder, check_names, refuse_existing, refuse_inputs


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a" * 256, "256 bytes, and 255 are possible"),
        ("ä" * 128, "256 bytes"),
        ("a\0b", "NUL"),
        ("a\udcff", "not UTF-8"),
        ("/".join(["a" * 200] * 25), "the path of an output"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="other limits")
def test_an_impossible_name_is_refused_with_the_reason(tmp_path, name, words):
    with pytest.raises(OutputError, match=words) as caught:
        check_names([tmp_path / name])
    assert caught.value.code == "bad-name" and len(caught.value.message) < 250


def test_the_longest_possible_name_is_possible(tmp_path):
    path = tmp_path / ("a" * 255)
    check_files([path], overwrite=False)
    path.touch()


def test_all_files_that_exist_are_named_a_dangling_link_too(tmp_path):
    (tmp_path / "a.qml").touch()
    (tmp_path / "b.stac.json").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match=r"a\.qml exists already, and so do b\.stac\.json\. "):
        refuse_existing([tmp_path / "a.qml", tmp_path / "free", tmp_path / "b.stac.json"])
    for number in range(9):
        (tmp_path / f"{number}").touch()
    with pytest.raises(OutputError, match="and 4 more"):
        refuse_existing([tmp_path / f"{number}" for number in range(9)])


def test_a_folder_with_the_name_of_a_file_is_refused_even_with_overwrite(tmp_path):
    (tmp_path / "page.html").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        check_files([tmp_path / "page.html"], overwrite=True)


def test_a_folder_below_a_file_or_a_broken_link_is_refused(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        check_folder(tmp_path / "file" / "deeper")
    with pytest.raises(OutputError, match="leads nowhere"):
        check_folder(tmp_path / "link" / "deeper")
    check_folder(tmp_path / "new" / "deeper")


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be written"):
        check_folder(tmp_path)


def test_an_input_is_recognised_by_any_of_its_names(tmp_path):
    given = tmp_path / "a"
    given.write_text("content")
    (tmp_path / "link").symlink_to(given)
    os.link(given, tmp_path / "second")
    (tmp_path / "folder").symlink_to(tmp_path)
    for name in ("a", "link", "second", "folder/a", "folder/second"):
        with pytest.raises(OutputError, match="is an input of this run") as caught:
            refuse_inputs([tmp_path / "other", tmp_path / name], [given])
        assert caught.value.code == "output-is-input"
    (tmp_path / "alike").write_text("content")
    os.utime(tmp_path / "alike", ns=(given.stat().st_atime_ns, given.stat().st_mtime_ns))
    refuse_inputs([tmp_path / "alike", tmp_path / "none", tmp_path / "a" / "below"], [given, tmp_path / "missing"])


def test_an_input_that_is_missing_is_recognised_by_its_path(tmp_path):
    with pytest.raises(OutputError, match="is an input"):
        refuse_inputs([tmp_path / "none"], [tmp_path / "x" / ".." / "none"])


def test_a_folder_that_takes_no_file_is_refused_for_root_too():
    if not Path("/proc/self").exists():
        pytest.skip("no such folder")
    with pytest.raises(OutputError, match="/proc cannot be written"):
        check_folder(Path("/proc/new"))
