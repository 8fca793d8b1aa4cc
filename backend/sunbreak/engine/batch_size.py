"""Batch size of a device."""

from __future__ import annotations

# one small patch does not use all cores, so small patches go in batches; a second large tile would only cost memory
_CPU_BATCH = 16
_GPU_BATCH = 16


def batch_on(device: str, tile: int) -> int:
    """Tiles per batch: the pixels of `_GPU_BATCH` tiles of 256 px on a GPU, of `_CPU_BATCH` tiles of 64 px on a CPU."""
    side, count = (64, _CPU_BATCH) if device == "cpu" else (256, _GPU_BATCH)
    return max(1, count * side**2 // tile**2)
