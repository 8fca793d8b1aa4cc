"""Number of threads and number format of all trainings. Both affect the last digits of a sum.

The choice of kernels affects them too; `sunbreak.models.pointwise` avoids a faulty one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Set the number of torch's threads (not of numpy's), and restore the earlier number afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def mixed_precision(device: str | torch.device, *, on_cpu: bool) -> AbstractContextManager[object]:
    """Context with convolutions and matrix products in bfloat16 if that is faster than float32, else all in float32.

    Each phase of a step needs its own context, because autocast caches the bfloat16 copies of the weights in it.

    Args:
        device: Where the training runs.
        on_cpu: Whether bfloat16 is allowed on a CPU that multiplies it (`cpu_multiplies_bfloat16`).
    """
    kind = torch.device(device).type
    wanted = kind != "cpu" or (on_cpu and cpu_multiplies_bfloat16())
    return torch.autocast(kind, torch.bfloat16) if wanted else nullcontext()


def cpu_multiplies_bfloat16() -> bool:
    """Whether this processor has instructions for bfloat16 that oneDNN may use.

    Without them bfloat16 is emulated, several times slower than float32 (docs/performance.md).
    """
    available = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not available or not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    if torch.backends.cpu.get_cpu_capability() not in ("AVX512", "AVX2"):
        return True  # not x86: there, oneDNN checks the instructions itself
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def described(device: str, *, on_cpu: bool) -> str:
    """The device with torch's threads and its number format, for a card: ``cpu, 2 threads, float32``.

    Args:
        device: Where the training ran.
        on_cpu: As in `mixed_precision`.
    """
    if torch.device(device).type != "cpu":
        return f"{device}, bfloat16"
    count = torch.get_num_threads()
    number_format = "bfloat16" if on_cpu and cpu_multiplies_bfloat16() else "float32"
    return f"cpu, {count} thread{'' if count == 1 else 's'}, {number_format}"
