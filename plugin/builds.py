"""The builds of the backend in words: their names, what each can do and what it lacks."""

from __future__ import annotations

from .bridge.install_plan import CLOUDS, Variant
from .compat import tr


def build_name(key: str) -> str:
    """Name of a build, from the key in its record."""
    names = {
        "light": tr("Light (OpenVINO, no PyTorch)"),
        "cpu": tr("Full (PyTorch and OpenVINO, CPU)"),
        "cuda130": tr("Full (PyTorch, NVIDIA GPU, CUDA 13)"),
        "cuda126": tr("Full (PyTorch, NVIDIA GPU, CUDA 12)"),
        "mps": tr("Full (PyTorch, Apple silicon)"),
    }
    return names.get(key, key)


def torch_titles() -> dict[str, str]:
    """What each build of torch is for."""
    return {
        "cpu": tr("CPU (runs everywhere, with OpenVINO)"),
        "cuda130": tr("NVIDIA GPU, CUDA 13 (driver 580 or newer)"),
        "cuda126": tr("NVIDIA GPU, CUDA 12 (older GPUs and drivers)"),
        "mps": tr("Apple silicon (GPU through Metal)"),
    }


def abilities(variant: Variant) -> str:
    """What a build can do and what it lacks, in one or two sentences."""
    if variant.has_torch:
        return tr("Everything, with PyTorch: also saliency by gradients, training, imported checkpoints, GPUs.")
    if CLOUDS in variant.extras:
        return tr(
            "Detects and removes clouds, classifies and explains, on the CPU with OpenVINO. It has no saliency by "
            "gradients, no training, no imported checkpoints."
        )
    return tr(
        "Detects and removes clouds, classifies and explains, on the CPU with OpenVINO. It has no networks for clouds "
        "and cloud shadows, no comparison of scenes, no saliency by gradients, no training, no imported checkpoints."
    )


def sizes(variant: Variant) -> str:
    """Download and disk size of a build."""
    return tr("{download:.1f} GB download, {disk:.1f} GB on disk").format(
        download=variant.download_mb / 1000, disk=variant.disk_mb / 1000
    )
