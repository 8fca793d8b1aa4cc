"""The models on this machine: those bundled with Sunbreak and those the user imported.

A model is usable if and only if its card validates, its weights have the card's checksum, and they load strictly
(`sunbreak.models.architectures`).
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sunbreak.errors import ModelError, SunbreakError
from sunbreak.models.card import ModelCard
from sunbreak.regular_files import open_regular
from sunbreak.resources import resource_path

DEFAULT_REMOVAL = "uncrtaints-guided"
DEFAULT_CLASSIFIER = "resnet18-landcover"
_LONGEST_NAME = 100
_CONVERT_AGAIN = "Install Sunbreak again, or convert the model again: sunbreak models convert."
# of a weight, and of what else a weights file may hold
_BYTES, _HEADER_BYTES = 8, 8 * 2**20


@dataclass(frozen=True)
class ModelFiles:
    """A card and its path."""

    card: ModelCard
    path: Path
    bundled: bool

    @property
    def weights(self) -> Path:
        """The weights file beside the card."""
        return self.path.with_suffix(".safetensors")

    @property
    def converted(self) -> tuple[Path, Path] | None:
        """The `.xml` and `.bin` files of the network converted for OpenVINO; None if the card names none."""
        if self.card.converted is None:
            return None
        return self.path.with_suffix(".xml"), self.path.with_suffix(".bin")


def user_folder() -> Path:
    """Folder of imported models: `SUNBREAK_MODELS`, or the user's data folder of this system."""
    named = os.environ.get("SUNBREAK_MODELS")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    return base / "sunbreak" / "models"


def list_models(task: str | None = None) -> tuple[list[ModelFiles], list[SunbreakError]]:
    """All models with a valid card, bundled ones first, and the errors of the others."""
    found: list[ModelFiles] = []
    broken: list[SunbreakError] = []
    for path, bundled in _cards():
        try:
            card = ModelCard.read(path)
        except SunbreakError as error:
            broken.append(error)
            continue
        if task in (None, card.task):
            found.append(ModelFiles(card, path, bundled))
    return found, broken


def find_model(name: str, task: str | None = None) -> ModelFiles:
    """The model of that name, or the one whose card or weights file is given by path.

    Raises:
        ModelError: There is none, its card is invalid, or it does another task.
    """
    path = Path(name)
    if path.suffix in (".json", ".safetensors") and path.is_file():
        files = ModelFiles(ModelCard.read(path.with_suffix(".json")), path.with_suffix(".json"), bundled=False)
    else:
        files = _by_name(name)
    if task is not None and files.card.task != task:
        raise ModelError(
            f"The model {files.card.name} is for {files.card.task}, not for {task}.",
            "`sunbreak models list` names the models of every task.",
            code="wrong-task",
        )
    return files


def delete_model(files: ModelFiles) -> None:
    """Delete card and weights of a model that is not bundled.

    Raises:
        ModelError: It is bundled, or its files cannot be deleted.
    """
    if files.bundled:
        raise ModelError(f"The model {files.card.name} is bundled and cannot be deleted.", code="bundled")
    try:
        # a model without its card is not listed, so the card goes first
        files.path.unlink()
        for path in (files.weights, *(files.converted or ())):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(
            f"{error.filename} cannot be deleted: {error.strerror}.",
            "Close the programs that use it.",
            code="model-busy",
        ) from error


def check_weights(files: ModelFiles) -> None:
    """Compare the weights file with the card's checksum.

    Raises:
        ModelError: The file is missing or differs, or is too large to be compared.
    """
    if not files.weights.is_file():
        raise ModelError(f"{files.weights}: the weights are missing.", "Import the model again.", code="missing-file")
    size = files.weights.stat().st_size
    if size > files.card.parameters * _BYTES + _HEADER_BYTES:
        raise ModelError(
            f"{files.weights}: is larger than {files.card.parameters:,} weights are.",
            "The file was changed or damaged: import the model again.",
            code="checksum-mismatch",
        )
    found = file_sha256(files.weights)
    if found != files.card.sha256:
        raise ModelError(
            f"{files.weights}: the checksum is {found[:12]}..., the card says {files.card.sha256[:12]}....",
            "The file was changed or damaged: import the model again.",
            code="checksum-mismatch",
        )


def check_converted(files: ModelFiles) -> Path | None:
    """The `.xml` file of the network converted for OpenVINO, once both files have the card's checksums.

    None if the card names no converted network, or was changed so that it describes another network.

    Raises:
        ModelError: A file is missing or differs.
    """
    places, converted = files.converted, files.card.converted
    if places is None or converted is None or converted.network != files.card.network_digest:
        return None
    for path, wanted in zip(places, (converted.xml, converted.bin), strict=True):
        if not path.is_file():
            raise ModelError(f"{path}: is missing; the card names it.", _CONVERT_AGAIN, code="missing-file")
        if file_sha256(path) != wanted:
            raise ModelError(f"{path}: is not the file that the card names.", _CONVERT_AGAIN, code="checksum-mismatch")
    return places[0]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file as hexadecimal digits."""
    digest = hashlib.sha256()
    with open_regular(path, "weights file") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_name(name: str) -> None:
    """Refuse names that cannot be file names everywhere.

    Raises:
        ModelError: The name has other characters than letters, digits, dot, hyphen and underscore.
    """
    if not re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{_LONGEST_NAME - 1}}}", name):
        raise ModelError(
            f"{ascii(name)[:_LONGEST_NAME]} cannot be a model's name.",
            f"Use up to {_LONGEST_NAME} letters, digits, '.', '-' and '_'.",
            code="bad-name",
        )


def _cards() -> Iterator[tuple[Path, bool]]:
    for folder, bundled in ((resource_path("models"), True), (user_folder(), False)):
        if folder.is_dir():
            for path in sorted(folder.glob("*.json")):
                if not path.name.startswith("."):
                    yield path, bundled


def _by_name(name: str) -> ModelFiles:
    names = []
    for path, bundled in _cards():
        if path.stem == name:
            return ModelFiles(ModelCard.read(path), path, bundled)
        names.append(path.stem)
    raise ModelError(
        f"There is no model {name!r}.",
        f"Known: {', '.join(names) or 'none'}. `sunbreak models import` adds one.",
        code="unknown-model",
    )
