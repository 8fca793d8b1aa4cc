"""Time to evaluate a table of logits with all intervals: 4,000 patches, 10 classes, 3 inputs, both modes.

python benchmarks/study_table.py [PATCHES]
"""

from __future__ import annotations

import sys
import time

import numpy as np
from common import say

from sunbreak.studies.downstream.results import REPLICATES, evaluate
from sunbreak.studies.downstream.results_csv import numbers
from sunbreak.studies.downstream.table import PatchTable, make_table

PATCHES = int(sys.argv[1]) if len(sys.argv) > 1 else 4000


def random_table() -> PatchTable:
    """Test patches with all columns of a table, and as many training patches as the reference of distances."""
    random = np.random.default_rng(0)
    total = 2 * PATCHES
    label = random.integers(0, 9, total)
    columns = {
        "patch": np.arange(total),
        "split": np.repeat(["test", "train"], PATCHES),
        "label": label,
        "cover": np.where(random.random(total) < 0.04, 0.0, random.random(total)),
    }
    for name, skill in (("clear", 3.0), ("removed", 2.0), ("cloudy", 0.5)):
        logits = random.normal(0, 1.5, (total, 10)).astype(np.float32)
        logits[np.arange(total), label] += skill
        columns[f"logits_{name}"] = logits
    for figure, low, high in (("psnr", 20, 40), ("ssim", 0.6, 1), ("sam", 2, 15), ("detail", 0.3, 1.1)):
        columns[f"{figure}_removed"] = random.uniform(low, high, total)
    return make_table(columns)


table = random_table()
start = time.perf_counter()
found = numbers(evaluate(table))
seconds = time.perf_counter() - start
say(
    f"{PATCHES} patches, 10 classes, 3 inputs, both modes, {REPLICATES} resamples",
    [("numbers", str(len(found))), ("seconds", f"{seconds:.1f}")],
)
