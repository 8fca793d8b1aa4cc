"""Every kind of the list of bad inputs has a row here, or a test elsewhere that is named here."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest
from bad_input_frame import Row

HERE = Path(__file__).parent
BACKEND = HERE.parent
KINDS = range(1, 58)
#: Kind -> file and test. What a row cannot make stands in tests of its own.
ELSEWHERE = {
    47: ("bad_inputs/test_processes.py", "test_a_disk_that_is_full_is_named_and_nothing_is_left"),
    48: ("layers/test_output.py", "test_a_full_disk_is_named_and_leaves_nothing"),
    52: ("bad_inputs/test_processes.py", "test_kills_and_terminations_at_random_moments_lose_nothing"),
    53: ("engine/test_runtime.py", "test_the_batch_size_is_halved_until_the_batch_fits_in_memory"),
    54: ("training/test_workers.py", "test_a_killed_process_of_a_pool_is_named"),
    55: ("bad_inputs/test_processes.py", "test_an_input_that_changed_since_the_start_is_not_resumed"),
    57: ("bad_inputs/test_outputs.py", "test_a_layer_of_more_than_four_gigabytes_gets_a_big_tiff"),
}


def rows() -> list[Row]:
    """The rows of all files of the suite."""
    found: list[Row] = []
    for path in sorted(HERE.glob("test_*.py")):
        if path == Path(__file__):
            continue
        spec = importlib.util.spec_from_file_location(f"rows_of_{path.stem}", path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        tables = [value for value in vars(module).values() if isinstance(value, tuple)]
        found += [row for table in tables for row in table if isinstance(row, Row)]
    return found


def test_every_kind_of_bad_input_has_a_row_or_a_test():
    covered = {kind for row in rows() for kind in row.kinds}
    assert covered | set(ELSEWHERE) == set(KINDS)


@pytest.mark.parametrize(("file", "name"), ELSEWHERE.values())
def test_the_tests_that_are_named_exist(file, name):
    functions = {
        node.name for node in ast.parse((BACKEND / file).read_text()).body if isinstance(node, ast.FunctionDef)
    }
    assert name in functions


def test_no_two_rows_have_one_name():
    names = [row.name for row in rows()]
    assert sorted(names) == sorted(set(names))
