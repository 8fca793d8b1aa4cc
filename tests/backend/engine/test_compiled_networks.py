"""Compiled networks on the disk: used where everything is the same, and never where a byte is not."""

from __future__ import annotations

import hashlib
import os

import numpy as np
import openvino
import pytest
from openvino import opset13 as operations

from sunbreak.engine import compiled_networks
from sunbreak.engine.compiled_networks import compile_network, folder
from sunbreak.engine.openvino_core import openvino_core
from sunbreak.engine.openvino_runtime import OpenVinoRuntime

EXACT = {"INFERENCE_PRECISION_HINT": "f32"}
X = np.arange(6, dtype=np.float32)[None]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SUNBREAK_CACHE", str(tmp_path / "cache"))


class Adding:
    """Makes networks that add a number, and counts them."""

    def __init__(self) -> None:
        self.made: list[float] = []

    def network(self, number: float, source: object, **options: str):
        def make() -> openvino.Model:
            self.made.append(number)
            given = operations.parameter([1, 6], np.float32)
            return openvino.Model([operations.add(given, operations.constant(np.float32(number)))], [given])

        return compile_network(openvino_core(), make, {**EXACT, **options}, source)

    def first(self, number: float, source: object, **options: str) -> float:
        return float(self.network(number, source, **options)([X])[0][0, 0])


@pytest.fixture
def adding() -> Adding:
    return Adding()


def test_the_same_network_is_compiled_once(adding):
    assert [adding.first(1.5, ["a"]) for _ in range(3)] == [1.5] * 3
    assert adding.made == [1.5]


def test_another_source_another_option_and_another_processor_are_other_networks(adding, monkeypatch):
    assert adding.first(1, ["a"]) == 1
    assert adding.first(2, ["b"]) == 2
    assert adding.first(3, ["a"], NUM_STREAMS="1") == 3
    limit = "ONEDNN_MAX_CPU_ISA"  # OpenVINO has read it by now; the tests may run with one
    monkeypatch.setenv(limit, "SSE41" if os.environ.get(limit) == "AVX2" else "AVX2")
    assert adding.first(4, ["a"]) == 4
    monkeypatch.delenv(limit)
    monkeypatch.setattr(os, "cpu_count", lambda: 77)
    assert adding.first(5, ["a"]) == 5
    assert adding.made == [1, 2, 3, 4, 5]


def test_a_network_without_a_source_is_not_stored(adding):
    assert adding.first(1, None) == 1
    assert adding.first(2, None) == 2
    assert not folder().exists()


@pytest.mark.parametrize("suffix", ["compiled", "sha256"])
@pytest.mark.parametrize("damage", ["a byte", "half", "nothing", "gone"])
def test_a_damaged_file_is_not_used_and_is_written_again(adding, suffix, damage):
    adding.first(1, ["a"])
    (path,) = folder().glob(f"*.{suffix}")
    content = path.read_bytes()
    changed = {
        "a byte": content[:-7] + bytes([content[-7] ^ 1]) + content[-6:],
        "half": content[: len(content) // 2],
        "nothing": b"",
    }
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(changed[damage])
    assert adding.first(1, ["a"]) == 1
    assert len(adding.made) == 2
    assert adding.first(1, ["a"]) == 1
    assert len(adding.made) == 2


def test_bytes_that_openvino_cannot_read_are_not_used(adding):
    adding.first(1, ["a"])
    (path,) = folder().glob("*.compiled")
    path.write_bytes(b"no network")
    path.with_suffix(".sha256").write_text(hashlib.sha256(b"no network").hexdigest())
    assert adding.first(1, ["a"]) == 1


def test_a_cache_that_cannot_be_written_is_no_error(adding, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("SUNBREAK_CACHE", str(tmp_path / "file"))
    assert [adding.first(1, ["a"]) for _ in range(2)] == [1, 1]
    assert len(adding.made) == 2


def test_those_that_were_not_used_for_longest_are_removed(adding, monkeypatch):
    adding.first(1, ["a"])
    (first,) = folder().glob("*.compiled")
    monkeypatch.setattr(compiled_networks, "LIMIT", 2.5 * first.stat().st_size)
    adding.first(2, ["b"])
    for path in folder().glob("*.compiled"):
        os.utime(path, (1000, 1000) if path == first else (2000, 2000))
    adding.first(1, ["a"])  # used now
    adding.first(3, ["c"])
    assert len(list(folder().glob("*.compiled"))) == len(list(folder().glob("*.sha256"))) == 2
    adding.made.clear()
    adding.first(1, ["a"])
    adding.first(3, ["c"])
    assert adding.made == []
    adding.first(2, ["b"])
    assert adding.made == [2]


@pytest.mark.parametrize(("kind", "channels"), [("small_model", 15), ("small_classifier", 10)])
def test_a_runtime_from_the_cache_gives_the_same_bits(request, monkeypatch, kind, channels):
    files = request.getfixturevalue(kind)
    x = np.random.default_rng(0).random((1, channels, 64, 64), np.float32)
    found = []
    for _ in range(2):
        runtime = OpenVinoRuntime.for_model(files)
        runtime.submit({"x": x})
        found.append([part.copy() for part in runtime.collect()])
        monkeypatch.setattr(openvino.Core, "compile_model", None)  # from now on nothing can be compiled
    for first, second in zip(*found, strict=True):
        np.testing.assert_array_equal(first, second)
