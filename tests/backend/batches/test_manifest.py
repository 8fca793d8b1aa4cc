"""The scenes that a batch reads from a table or from patterns."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sunbreak.batches.manifest import BatchScene, find_scenes, read_manifest
from sunbreak.errors import InputError
from sunbreak.scene import Scene


def table(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_are_relative_to_the_table_and_several_files_make_one_scene(tmp_path):
    path = table(
        tmp_path / "lists" / "scenes.csv",
        "\ufeffName, S2 ,s1,mask\n,../a.tif,r.tif,\nfields,x_B02.tif; x_B03.tif,vv.tif;vh.tif,m.tif\n\n"
        f'"Öl, Gas","{tmp_path / "b;c.tif"}",,\n',
    )
    scenes, notes = read_manifest(path)
    here = path.parent
    assert [scene.name for scene in scenes] == ["a", "fields", "Öl, Gas"]
    assert scenes[0] == BatchScene("a", (here / "../a.tif",), (here / "r.tif",))
    assert scenes[1].s2 == (here / "x_B02.tif", here / "x_B03.tif")
    assert scenes[1].s1 == (here / "vv.tif", here / "vh.tif")
    assert scenes[1].mask == here / "m.tif"
    # the separator cannot be part of a path
    assert scenes[2].s2 == (tmp_path / "b", here / "c.tif")
    assert notes == []


def test_a_table_may_say_the_coding_of_each_mask(tmp_path):
    text = "s2,mask,mask_coding\na.tif,m.tif,msk-classi\nb.tif,n.tif,\n"
    scenes, notes = read_manifest(table(tmp_path / "t.csv", text))
    assert [scene.mask_coding for scene in scenes] == ["msk-classi", None]
    assert notes == []
    with pytest.raises(InputError, match="line 2 has the mask_coding 'sen2cor'") as caught:
        read_manifest(table(tmp_path / "u.csv", "s2,mask,mask_coding\na.tif,m.tif,sen2cor\n"))
    assert "msk-classi" in caught.value.hint


def test_a_url_in_a_table_is_kept_so_that_its_refusal_names_it(tmp_path):
    scenes, _ = read_manifest(table(tmp_path / "t.csv", "s2\nhttps://example.org/a.tif\n"))
    with pytest.raises(InputError, match="not a local path"):
        Scene.open(scenes[0].s2)


def test_columns_that_are_not_used_are_named(tmp_path):
    scenes, notes = read_manifest(table(tmp_path / "t.csv", "s2,radar\na.tif,r.tif\n"))
    assert scenes[0].s1 == ()
    assert "radar" in notes[0]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        ("s2,s1\n", "no scene"),
        ("s1,name\nr.tif,a\n", "column s2"),
        ("s2;s1\na.tif;r.tif\n", "commas"),
        ("s2,s1,S1\na.tif,b.tif,c.tif\n", "twice"),
        ("s2,s1\na.tif,r.tif,c.tif\n", "line 2 has 3 cells"),
        ("s2,s1\na.tif,r.tif\n,r.tif\n", "line 3 names no Sentinel-2"),
        ("s2,mask\na.tif,m.tif;n.tif\n", "2 masks"),
        ('s2\n"a.tif\n', "CSV"),
        ("s2,name\na.tif,../b\n", "'../b' is no name"),
        ("s2,name\na.tif,.b\n", "'.b' is no name"),
        ("s2,name\na.tif,summary.csv\n", "no name"),
    ],
)
def test_an_invalid_table_is_refused_in_one_line(tmp_path, text, named):
    path = table(tmp_path / "scenes.csv", text)
    with pytest.raises(InputError) as caught:
        read_manifest(path)
    assert str(path) in str(caught.value)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_that_is_missing_or_not_text_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_manifest(tmp_path / "nothing.csv")
    (tmp_path / "latin.csv").write_bytes("s2\nöl.tif\n".encode("latin-1"))
    with pytest.raises(InputError, match="UTF-8"):
        read_manifest(tmp_path / "latin.csv")


def test_two_scenes_of_one_name_are_refused_with_both_lines_whatever_the_case(tmp_path):
    path = table(tmp_path / "t.csv", "s2\nx/Place.tif\nb.tif\n\ny/place.tif\n")
    with pytest.raises(InputError, match=r"line 2 and line 5 have the same name 'Place' and 'place'") as caught:
        read_manifest(path)
    assert caught.value.code == "duplicate-names"
    assert "column 'name'" in caught.value.hint


def files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_a_pattern_finds_scenes_in_all_folders_and_their_radar(tmp_path):
    files(tmp_path, "a/one_s2.tif", "a/one_s1.tif", "b/deep/two_S2_cloudy.tif", "b/deep/two_s1.tif", "c/odd[1].tif")
    scenes, notes = find_scenes([str(tmp_path / "**" / "*.tif")], "{stem}_s1.tif")
    assert [scene.name for scene in scenes] == ["one_s2", "two_S2_cloudy", "odd[1]"]
    assert scenes[0].s1 == (tmp_path / "a" / "one_s1.tif",)
    assert scenes[1].s1 == (tmp_path / "b" / "deep" / "two_s1.tif",)
    # it has none; its turn comes, and fails with this name
    assert scenes[2].s1 == (tmp_path / "c" / "odd[1]_s1.tif",)
    assert notes == ["3 scenes match.", "Left out 2 of 5 matches: Sentinel-1, or layers of an earlier batch."]


def test_brackets_in_an_existing_name_are_no_pattern_and_a_file_counts_once(tmp_path):
    files(tmp_path, "odd[1].tif", "odd1.tif")
    scenes, _ = find_scenes([str(tmp_path / "odd[1].tif"), str(tmp_path / "odd*.tif")])
    assert sorted(scene.name for scene in scenes) == ["odd1", "odd[1]"]


def test_the_radar_of_a_pattern_may_be_two_files_elsewhere(tmp_path):
    files(tmp_path, "s2/one_s2.tif")
    scenes, _ = find_scenes([str(tmp_path / "s2" / "*")], "../s1/{stem}_vv.tif;../s1/{stem}_vh.tif")
    assert scenes[0].s1 == tuple(tmp_path / "s2" / "../s1" / f"one_{p}.tif" for p in ("vv", "vh"))


def test_the_radar_of_a_product_is_named_after_it(tmp_path):
    files(tmp_path, "S2B_x.SAFE/MTD_MSIL1C.xml", "S2B_x_s1.tif")
    (scene,), _ = find_scenes([str(tmp_path / "*.SAFE")], "{stem}_s1.tif")
    files(tmp_path, "S2B_y.SAFE.zip", "S2B_y_s1.tif")
    (zipped,), _ = find_scenes([str(tmp_path / "*.zip")], "{stem}_s1.tif")
    assert (zipped.name, zipped.s1) == ("S2B_y", (tmp_path / "S2B_y_s1.tif",))
    assert (scene.name, scene.s1) == ("S2B_x", (tmp_path / "S2B_x_s1.tif",))


@pytest.mark.parametrize(
    ("patterns", "s1_pattern", "named"),
    [
        (["x/*.jp2"], None, "x/*.jp2"),
        (["x/*.tif"], "{name}_s1.tif", "{name}"),
        (["x/*.tif"], " ", "--s1-pattern"),
        (["x/*.tif"], "{stem}.tif", "its own Sentinel-1"),
        (["*/a.tif"], None, "y/a.tif have the same name 'a'"),
    ],
)
def test_patterns_that_lead_nowhere_are_refused(tmp_path, monkeypatch, patterns, s1_pattern, named):
    files(tmp_path, "x/a.tif", "y/a.tif")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r".") as caught:
        find_scenes(patterns, s1_pattern)
    assert named in str(caught.value)


def test_a_table_that_is_no_regular_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match="is a named pipe, not a file"):
        read_manifest(tmp_path / "pipe.csv")
