"""BigEarthNet v2: broken or incomplete tables, and folders without the listed patches."""

from __future__ import annotations

import shutil
import sys

import pytest

from sunbreak.datasets.bigearthnet import BigEarthNet, find_patches, read_reference_map
from sunbreak.datasets.bigearthnet.writing import write_bigearthnet
from sunbreak.errors import InputError, OutputError

TABLE = "metadata.parquet"
OTHER = "metadata_for_patches_with_snow_cloud_or_shadow.parquet"

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return write_bigearthnet(tmp_path_factory.mktemp("ben") / "v2", 4, 2, 2)


@pytest.fixture
def v2(original, tmp_path):
    return shutil.copytree(original, tmp_path / "v2")


def rewrite(path, change) -> None:
    rows = pq.read_table(path).to_pylist()
    for row in rows:
        change(row)
    pq.write_table(pa.Table.from_pylist(rows), path)


def test_the_tables_have_the_published_columns(original):
    for name in (TABLE, OTHER):
        table = pq.read_table(original / name)
        assert table.column_names == [
            "patch_id", "labels", "split", "country", "s1_name", "s2v1_name", "contains_seasonal_snow",
            "contains_cloud_or_shadow",
        ]  # fmt: skip
        assert table.num_rows == 2
    patch = find_patches(original).patches[0]
    assert patch.s2.parent.name == patch.name.rsplit("_", 2)[0]
    assert patch.s1.parent.name == patch.s1.name.rsplit("_", 3)[0]


def test_without_the_second_table_only_clear_patches_are_known(v2):
    (v2 / OTHER).unlink()
    collection = find_patches(v2)
    assert {patch.pile for patch in collection.patches} == {"clear"}
    assert OTHER in collection.notes[0]
    with pytest.raises(InputError, match="no cloudy patches"):
        collection.pile("cloudy")


def test_listed_patches_missing_on_disk_are_named(v2):
    lost = find_patches(v2).patches[0]
    shutil.rmtree(lost.s2)
    collection = find_patches(v2)
    assert collection.absent == (lost.name,)
    assert len(collection.patches) == 3
    shutil.rmtree(v2 / "BigEarthNet-S2")
    with pytest.raises(InputError, match="none of the 4 patches"):
        find_patches(v2)


def test_missing_radar_and_maps_are_reported(v2):
    shutil.rmtree(v2 / "Reference_Maps")
    shutil.rmtree(find_patches(v2).patches[0].s1)
    collection = find_patches(v2)
    assert collection.without_s1 == (collection.patches[0].name,)
    assert len(find_patches(v2, "required").patches) == 3
    with pytest.raises(InputError, match="no reference map"):
        read_reference_map(collection.patches[0])


def test_version_2_refuses_the_43_classes(original):
    with pytest.raises(InputError, match="only the 19"):
        BigEarthNet(find_patches(original).patches, nomenclature=43).label_matrix()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda row: row.pop("split"), "bad-table"),
        (lambda row: row.update(split="holdout"), "bad-table"),
        (lambda row: row.update(patch_id="../../somewhere"), "bad-table"),
        (lambda row: row.update(labels=["Parking lots"]), "unknown-label"),
    ],
)
def test_broken_tables_are_refused_by_name(v2, change, code):
    rewrite(v2 / TABLE, change)
    with pytest.raises(InputError, match=TABLE) as caught:
        find_patches(v2)
    assert caught.value.code == code


def test_a_truncated_table_is_refused_by_name(v2):
    (v2 / TABLE).write_bytes((v2 / TABLE).read_bytes()[:300])
    with pytest.raises(InputError, match=rf"{TABLE} is not a Parquet file"):
        find_patches(v2)


def test_missing_pyarrow_gives_a_hint(original, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match="needs pyarrow, which is not installed") as caught:
        find_patches(original)
    assert "sunbreak[training]" in caught.value.hint


def test_nothing_is_overwritten_and_no_partial_files_remain(tmp_path, monkeypatch):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "kept.txt").write_text("mine")
    with pytest.raises(OutputError, match="not an empty folder"):
        write_bigearthnet(tmp_path / "full", 2, 0)
    with pytest.raises(InputError, match="are no valid data set"):
        write_bigearthnet(tmp_path / "new", 0, 0)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sunbreak.datasets.bigearthnet.writing._write_radar", fail)
    with pytest.raises(OutputError, match="No space left"):
        write_bigearthnet(tmp_path / "new", 1, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
