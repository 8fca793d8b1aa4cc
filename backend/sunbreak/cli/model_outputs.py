"""What the commands that make a model check before the work: its name, where it goes, and what it would replace."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_ENDINGS = (".json", ".safetensors")
_SHARED = ("landcover", "masks", "scenes")
"""Folders in `work` that all trainings use."""


def check_model(name: str, folder: Path, inputs: Iterable[Path] = (), *, overwrite: bool = True) -> None:
    """Check that a model can be written.

    Args:
        name: Name of the model.
        folder: Folder for its card and weights, which need not exist yet.
        inputs: Files that it is made from.
        overwrite: It may replace a model of that name.

    Raises:
        ModelError: The name cannot be one.
        OutputError: The files cannot be written, are inputs, or exist and `overwrite` is False.
    """
    from sunbreak.models.registry import check_name
    from sunbreak.outputs import check_files, refuse_existing, refuse_inputs

    check_name(name)
    files = [folder / f"{name}{ending}" for ending in _ENDINGS]
    check_files(files, overwrite=True)
    refuse_inputs(files, inputs)
    if not overwrite:
        refuse_existing(files)


def check_training(name: str, folder: Path, work: Path, model: str | None = None) -> None:
    """Check what a training writes: the model, and its state and log.

    Args:
        name: Name of the model.
        folder: Folder for the model.
        work: Folder in which the training has its own.
        model: Model that it uses; only one that is given by its path can be replaced.

    Raises:
        ModelError: The name cannot be one.
        OutputError: Something cannot be written, or would replace the model that is used.
    """
    from sunbreak.outputs import check_folder, check_names, refuse_folders, refuse_other_than_folders

    used = Path(model or "")
    check_model(name, folder, [used.with_suffix(ending) for ending in _ENDINGS] if used.suffix in _ENDINGS else [])
    check_folder(work / name)
    files = [work / name / file for file in ("state.pt", "log.csv", "epochs.csv")]
    check_names(files)
    refuse_folders(files)
    refuse_other_than_folders([work / name / "samples", *(work / folder for folder in _SHARED)])
