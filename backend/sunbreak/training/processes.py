"""Training in several processes started by torchrun: rank of this process, and sums over all processes.

Without torchrun, or with one process, all functions do nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn


@dataclass(frozen=True)
class Processes:
    """This process among those that train together.

    Attributes:
        rank: Number of this process; process 0 writes the files.
        count: Number of processes.
        local_rank: Number of this process on this machine, and of its GPU.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @property
    def first(self) -> bool:
        """Whether this process writes the files and reports."""
        return self.rank == 0

    def share(self, total: int) -> range:
        """The indices of `total` items that this process handles."""
        return range(total * self.rank // self.count, total * (self.rank + 1) // self.count)

    def device(self, name: str) -> str:
        """The device of that name for this process: each process has its own GPU."""
        return f"cuda:{self.local_rank}" if name == "cuda" and self.count > 1 else name


def here() -> Processes:
    """The process as described by torchrun's environment variables."""
    return Processes(
        int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("LOCAL_RANK", 0))
    )


@contextmanager
def together(device: str) -> Iterator[Processes]:
    """Context that joins the other processes, over NCCL with CUDA and Gloo otherwise."""
    me = here()
    if me.count == 1 or distributed.is_initialized():
        yield me
        return
    # the first process prepares the data while the others wait
    backend = "nccl" if device.startswith("cuda") else "gloo"
    distributed.init_process_group(backend, timeout=timedelta(hours=24))
    try:
        yield me
    finally:
        distributed.destroy_process_group()


@contextmanager
def first_alone(me: Processes) -> Iterator[None]:
    """Context whose body runs in the first process first. The other processes then find its files."""
    joined = me.count > 1 and distributed.is_initialized()
    if joined and not me.first:
        distributed.barrier()
    yield
    if joined and me.first:
        distributed.barrier()


def _joined() -> bool:
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


def mean_over_processes(value: Tensor) -> Tensor:
    """The mean of a tensor over all processes, without a gradient."""
    if not _joined():
        return value
    total = value.detach().clone()
    distributed.all_reduce(total)
    return total / distributed.get_world_size()


def any_process(flag: bool, device: str) -> bool:
    """Whether the flag is set in any process."""
    if not _joined():
        return flag
    found = torch.tensor(float(flag), device=device)
    distributed.all_reduce(found, distributed.ReduceOp.MAX)
    return bool(found.item())


class JoinedBatchNorm(nn.BatchNorm2d):
    """A batch norm over the joint batch of all processes, on any device; torch's own needs GPUs.

    Parameters and buffers have the names of `torch.nn.BatchNorm2d`.
    """

    def forward(self, x: Tensor) -> Tensor:
        """See `torch.nn.BatchNorm2d`."""
        if not (self.training and _joined()):
            return super().forward(x)
        from torch.distributed.nn.functional import all_reduce

        values = x.float()
        own = values.new_tensor([x.shape[0] * x.shape[2] * x.shape[3]])
        sums = torch.cat((values.sum(dim=(0, 2, 3)), (values * values).sum(dim=(0, 2, 3)), own))
        total: Tensor = all_reduce(sums)  # type: ignore[no-untyped-call]
        channels, pixels = x.shape[1], total[-1].detach()
        mean = total[:channels] / pixels
        variance = (total[channels:-1] / pixels - mean * mean).clamp(min=0)
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            with torch.no_grad():
                step = self.momentum if self.momentum is not None else 0.1
                self.num_batches_tracked += 1
                self.running_mean.lerp_(mean, step)
                self.running_var.lerp_(variance * pixels / (pixels - 1).clamp(min=1), step)
        factor = torch.rsqrt(variance + self.eps) * self.weight
        shift = self.bias - mean * factor
        return (values * factor[:, None, None] + shift[:, None, None]).to(x.dtype)


def join_batch_norms(module: nn.Module) -> None:
    """Replace the batch norms of a module by `JoinedBatchNorm`, in place."""
    for child in module.modules():
        if type(child) is nn.BatchNorm2d:  # keeps parameters and buffers, which an optimizer may refer to
            child.__class__ = JoinedBatchNorm
