"""How many tiles a device takes at once."""

from __future__ import annotations

# small patches keep a processor busy only together; of large ones a second one would only take memory
_CPU_BATCH = 16
_GPU_BATCH = 16


def batch_on(device: str, tile: int) -> int:
    """Tiles at once: as many pixels as `_GPU_BATCH` tiles of 256 px on a GPU, as `_CPU_BATCH` of 64 px on a CPU."""
    side, count = (64, _CPU_BATCH) if device == "cpu" else (256, _GPU_BATCH)
    return max(1, count * side**2 // tile**2)
