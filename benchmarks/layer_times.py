"""Time of each kind of layer of the bundled network for cloud removal, by OpenVINO's counters.

python benchmarks/layer_times.py [ROUNDS]

ONEDNN_MAX_CPU_ISA=AVX2 in the environment imitates a smaller processor.
"""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np
import openvino
from common import say

from sunbreak.engine.network_cache import read_network
from sunbreak.models.registry import DEFAULT_REMOVAL, check_converted, find_model

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5

files = find_model(DEFAULT_REMOVAL)
place = check_converted(files)
if place is None:
    sys.exit(f"{files.path}: the model is not converted for OpenVINO.")
core = openvino.Core()
options = {"PERF_COUNT": "YES", "INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": "1"}
request = core.compile_model(read_network(core, place), "CPU", options).create_infer_request()
rng = np.random.default_rng(0)
tile = [rng.random([int(size) for size in given.shape], np.float32) for given in request.model_inputs]
request.infer(tile)
taken: Counter[str] = Counter()
for _ in range(ROUNDS):
    request.infer(tile)
    for layer in request.profiling_info:
        pointwise = layer.node_type == "Convolution" and "1x1" in layer.exec_type
        taken["Convolution, 1 x 1" if pointwise else layer.node_type] += layer.real_time.total_seconds()
total = sum(taken.values())
say(
    f"{files.card.name}, one tile, means of {ROUNDS} rounds: {1000 * total / ROUNDS:.0f} ms",
    [(name, f"{seconds / total:.1%}") for name, seconds in taken.most_common(8)],
)
