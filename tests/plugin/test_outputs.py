from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")


def write_layer(folder, stem, role, **assets):
    raster = folder / f"{stem}_{role}.tif"
    raster.write_bytes(role.encode())
    raster.with_suffix(".qml").write_text(f"style of {role}")
    item = {
        "id": f"{stem}_{role}",
        "assets": {"data": {"href": f"./{raster.name}"}, **assets},
        "links": [{"rel": "related", "href": "https://example.org/x_cleaned.tif"}],
    }
    (folder / f"{stem}_{role}.stac.json").write_text(json.dumps(item))
    return raster


def snapshot(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def staged(tmp_path):
    folder = tmp_path / "staged"
    folder.mkdir()
    return folder


def test_a_layer_moves_with_its_style_and_updated_stac_item(tmp_path, staged):
    from sunbreak.plugin.outputs import publish

    kept = write_layer(staged, "s", "uncertainty")
    other = write_layer(
        staged,
        "s",
        "cleaned",
        sigma={"href": "s_uncertainty.tif"},
        mask={"href": "./s_cloud_mask.tif"},
        model={"href": "https://example.org/m.safetensors"},
    )
    write_layer(staged, "s", "cloud_mask")
    target, sigma = tmp_path / "ä b" / "my scene.tif", tmp_path / "sigma" / "u.tif"
    publish({kept: sigma, other: target})
    item = json.loads(target.with_name("my scene.stac.json").read_text())
    assert item["id"] == "my scene"
    assert {key: asset["href"] for key, asset in item["assets"].items()} == {
        "data": "./my scene.tif",
        "sigma": "../sigma/u.tif",
        "model": "https://example.org/m.safetensors",
    }
    assert item["links"] == [{"rel": "related", "href": "https://example.org/x_cleaned.tif"}]
    assert target.read_bytes() == b"cleaned"
    assert target.with_suffix(".qml").read_text() == "style of cleaned"
    assert sorted(path.name for path in target.parent.iterdir()) == [
        "my scene.qml",
        "my scene.stac.json",
        "my scene.tif",
    ]


def test_stale_sidecar_files_of_an_older_raster_are_removed(tmp_path, staged):
    from sunbreak.plugin.outputs import publish

    target = tmp_path / "out.tif"
    target.write_bytes(b"old")
    (tmp_path / "out.tif.aux.xml").write_text("old statistics")
    target.with_suffix(".qml").write_text("old style")
    raster = write_layer(staged, "s", "cleaned")
    raster.with_suffix(".qml").unlink()
    publish({raster: target})
    assert snapshot(tmp_path).keys() == {Path("out.tif"), Path("out.stac.json")}


def test_class_names_beside_the_raster_move_along(tmp_path, staged):
    from sunbreak.plugin.outputs import publish

    raster = write_layer(staged, "s", "landcover")
    raster.with_name("s_landcover.tif.aux.xml").write_text("names")
    target = tmp_path / "out.tif"
    (tmp_path / "out.tif.aux.xml").write_text("old names")
    publish({raster: target})
    assert (tmp_path / "out.tif.aux.xml").read_text() == "names"


def test_a_picture_moves_alone(tmp_path, staged):
    from sunbreak.plugin.outputs import publish

    picture = staged / "s_quicklook.png"
    picture.write_bytes(b"png")
    neighbour = tmp_path / "out_quicklook.qml"
    neighbour.write_text("somebody else's")
    publish({picture: tmp_path / "out_quicklook.png"})
    assert (tmp_path / "out_quicklook.png").read_bytes() == b"png"
    assert neighbour.exists()


def test_if_one_file_cannot_be_moved_all_are_restored(tmp_path, staged):
    from sunbreak.plugin.outputs import OutputError, publish

    target = tmp_path / "out" / "a.tif"
    target.parent.mkdir()
    target.write_bytes(b"old raster")
    target.with_suffix(".qml").write_text("old style")
    (tmp_path / "file").write_text("no folder")
    files = {
        write_layer(staged, "s", "cleaned"): target,
        write_layer(staged, "s", "cloud_mask"): tmp_path / "file" / "b.tif",
    }
    before = snapshot(target.parent)
    with pytest.raises(OutputError, match=r"b\.tif cannot be written"):
        publish(files)
    assert snapshot(target.parent) == before


def test_the_hidden_folder_is_removed_after_success_and_failure(tmp_path):
    from sunbreak.plugin.outputs import staging_folder

    with staging_folder(tmp_path / "new" / "x.tif") as folder:
        (folder / "rest").write_text("rest")
        assert folder.parent == tmp_path / "new"
    assert list((tmp_path / "new").iterdir()) == []
    with pytest.raises(RuntimeError), staging_folder(tmp_path / "new" / "x.tif"):
        raise RuntimeError
    assert list((tmp_path / "new").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    from sunbreak.plugin.outputs import OutputError, staging_folder

    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match=r"file/deeper.*Choose another output folder"),
        staging_folder(tmp_path / "file" / "deeper" / "x.tif"),
    ):
        pass


@pytest.mark.parametrize(
    ("file", "layer", "name"),
    [
        ("S2B_T32TQM", "any layer", "S2B_T32TQM"),
        ("OUTPUT", "Cleaned scene: S2B_T32TQM", "S2B_T32TQM"),
        ("CLEANED", "my place", "my place"),
        ("OUTPUT", "", "OUTPUT"),
        ("output", "my place", "output"),
    ],
)
def test_layers_of_a_temporary_file_are_named_by_its_layer(file, layer, name):
    from sunbreak.plugin.layers import scene_name

    assert scene_name(file, layer) == name
