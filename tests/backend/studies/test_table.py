"""The table of patches: files, and a clear error for each kind of invalid table."""

from __future__ import annotations

import builtins
import importlib
import json
import sys

import numpy as np
import pytest

from sunbreak.errors import InputError, OutputError
from sunbreak.studies.downstream.table import IGBP_NAMES, columns_of, make_table
from sunbreak.studies.downstream.table_files import read_table, write_table


def same(first, second) -> None:
    assert first.classes == second.classes
    ours, theirs = columns_of(first), columns_of(second)
    assert list(ours) == list(theirs)
    for name, values in ours.items():
        assert values.dtype.kind == theirs[name].dtype.kind
        np.testing.assert_array_equal(values, theirs[name])


def test_a_table_is_read_back_unchanged_from_npz(table, tmp_path):
    path = write_table(table, tmp_path / "new" / "patches.npz")
    again = read_table(path)
    same(table, again)
    assert again.logits["removed"].dtype == np.float32
    assert again.source == "patches.npz"
    assert [file.name for file in path.parent.iterdir()] == ["patches.npz"]


def test_a_table_is_read_back_unchanged_from_parquet(make, tmp_path):
    pytest.importorskip("pyarrow")
    table = make(30, 10, features=6)
    again = read_table(write_table(table, tmp_path / "patches.parquet"))
    same(table, again)
    assert again.logits["clear"].dtype == np.float32


def test_parquet_rows_of_different_length_are_refused(columns, tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = importlib.import_module("pyarrow.parquet")
    lists = [[1.0, 2.0], [3.0]]
    parquet.write_table(arrow.table({"patch": ["a", "b"], "logits_clear": lists}), tmp_path / "patches.parquet")
    with pytest.raises(InputError, match="rows of logits_clear differ in length"):
        read_table(tmp_path / "patches.parquet")


def test_parquet_without_pyarrow_gives_a_hint(table, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"A Parquet table needs pyarrow, .* 'sunbreak\[training\]'"):
        write_table(table, tmp_path / "patches.parquet")
    assert not list(tmp_path.iterdir())


def test_ten_classes_without_names_are_the_simplified_igbp_classes(columns):
    assert make_table(columns).classes == IGBP_NAMES
    narrow = {name: values[:, :4] if name.startswith("logits_") else values for name, values in columns.items()}
    narrow["label"] = columns["label"] % 4
    assert make_table(narrow).classes == ("class 0", "class 1", "class 2", "class 3")


def changed(name, change):
    def apply(columns):
        columns[name] = change(columns[name].copy())

    return apply


def put(row, value):
    def change(values):
        values = values.astype(np.result_type(values.dtype, np.asarray(value).dtype))
        values[row] = value
        return values

    return change


def drop(name):
    return lambda columns: columns.pop(name)


@pytest.mark.parametrize(
    ("break_it", "code", "words"),
    [
        (drop("split"), "column-missing", "no column split"),
        (drop("logits_clear"), "column-missing", "no column logits_clear"),
        (changed("cover", lambda v: v[:-1]), "table-mismatch", r"cover has the shape \(599,\), but patch has 600"),
        (changed("logits_removed", lambda v: v[:-3]), "table-mismatch", r"logits_removed has the shape \(597, 10\)"),
        (changed("logits_cloudy", lambda v: v[:, :9]), "table-mismatch", "logits_clear 10.*logits_cloudy 9"),
        (changed("logits_cloudy", lambda v: v[:, 0]), "table-mismatch", r"logits_cloudy has the shape \(600,\)"),
        (changed("logits_clear", lambda v: v.astype(int)), "logits-type", "logits_clear are int64"),
        (changed("patch", lambda v: np.array([v[1], *v[1:]])), "patch-repeated", "p1 occurs 2 times"),
        (changed("label", put(4, 10)), "label-range", r"label 10 of patch .*p4 is not one of 0\.\.9 \(1 such\)"),
        (changed("label", put(4, -1)), "label-range", "label -1"),
        (changed("label", put(4, 2.5)), "label-range", r"label 2\.5"),
        (changed("label", put(4, np.nan)), "label-range", "label nan"),
        (changed("label", lambda v: v.astype(str)), "label-range", "class indices from 0"),
        (changed("cover", lambda v: 100 * v), "figure-range", "fraction from 0 to 1, not a percentage"),
        (changed("ssim_removed", put(0, 1.2)), "figure-range", r"ssim_removed of patch .*p0 is 1\.2, outside -1\.\.1"),
        (changed("logits_removed", put((7, 3), np.nan)), "logits-nan", "logits_removed of 1 patch are NaN.*p7"),
        (changed("logits_removed", put((7, 3), np.inf)), "logits-nan", "NaN or infinite"),
        (lambda columns: columns.update(classes=["a", "b"]), "table-mismatch", "2 classes are named.*10 columns"),
        (lambda columns: columns.update(logits_fog=columns["logits_clear"]), "column-unknown", "'logits_fog'"),
    ],
)
def test_an_invalid_table_is_refused_with_a_one_line_error(columns, break_it, code, words):
    break_it(columns)
    with pytest.raises(InputError, match=words) as caught:
        make_table(columns, source="mine.npz")
    assert caught.value.code == code
    assert caught.value.message.startswith("mine.npz: ")
    assert "\n" not in str(caught.value)


def test_clear_images_alone_cannot_be_compared(columns):
    alone = {
        name: values for name, values in columns.items() if not name.startswith("logits_") or name == "logits_clear"
    }
    with pytest.raises(InputError, match="nothing to compare"):
        make_table(alone)


def test_an_empty_table_is_refused(columns):
    with pytest.raises(InputError, match="no patch"):
        make_table({name: values[:0] for name, values in columns.items()})


def test_a_missing_split_is_named_with_the_existing_splits(table):
    with pytest.raises(InputError, match="'hold-out', only in: test, train, val") as caught:
        table.of_split("hold-out")
    assert caught.value.code == "split-missing"


def test_logits_must_exist_in_the_evaluated_split_only(columns):
    columns["logits_removed"][columns["split"] == "train"] = np.nan
    table = make_table(columns)
    assert len(table.of_split("test")) == 400
    with pytest.raises(InputError, match="logits_removed of 160 patches of the split 'train' are NaN"):
        table.of_split("train")


def test_files_that_are_not_tables_are_refused_by_name(tmp_path):
    with pytest.raises(InputError, match="no such table"):
        read_table(tmp_path / "absent.npz")
    (tmp_path / "text.npz").write_text("patch,label")
    with pytest.raises(InputError, match=r"text\.npz cannot be read"):
        read_table(tmp_path / "text.npz")
    np.save(tmp_path / "array.npy", np.arange(3))
    with pytest.raises(InputError, match=r"array\.npy cannot be read"):
        read_table(tmp_path / "array.npy")


def test_python_objects_are_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return builtins.print, ("unpickled",)

    np.savez(tmp_path / "trap.npz", patch=np.array([Trap()], dtype=object))
    with pytest.raises(InputError, match="without Python objects"):
        read_table(tmp_path / "trap.npz")


def test_another_file_extension_is_refused(table, tmp_path):
    with pytest.raises(OutputError, match=r"\.npz or \.parquet"):
        write_table(table, tmp_path / "patches.csv")


def test_parquet_stores_the_class_names_as_json(make, tmp_path):
    pytest.importorskip("pyarrow")
    parquet = importlib.import_module("pyarrow.parquet")
    path = write_table(make(12, 4), tmp_path / "patches.parquet")
    stored = json.loads(parquet.read_schema(path).metadata[b"sunbreak.classes"])
    assert tuple(stored) == IGBP_NAMES
