"""The fast precision is bfloat16 where the processor has instructions for it, and stays near the exact one."""

from __future__ import annotations

import numpy as np
import pytest

from sunbreak.engine import make_runtime
from sunbreak.engine.openvino_core import openvino_core
from sunbreak.engine.openvino_runtime import computes_half
from sunbreak.errors import InputError
from sunbreak.jobs.options import CleanOptions


def moments(runtime, tile):
    runtime.submit({"x": tile})
    return runtime.collect()[0].copy()


def test_fast_differs_from_exact_only_where_the_processor_has_bfloat16(small_model):
    tile = np.random.default_rng(1).random((1, 15, 64, 64), np.float32)
    exact, fast = (make_runtime(small_model, "cpu", "openvino", precision) for precision in ("exact", "fast"))
    half = "bfloat16" in fast.label
    assert computes_half(openvino_core()) or not half
    assert "bfloat16" not in exact.label
    differences = np.abs(moments(exact, tile) - moments(fast, tile))
    assert (differences.max() > 0) == half
    assert differences.max() < 0.02


def test_an_unknown_precision_is_refused():
    with pytest.raises(InputError, match=r"There is no precision 'int8'\. Choose exact or fast\."):
        CleanOptions(precision="int8")  # type: ignore[arg-type]
