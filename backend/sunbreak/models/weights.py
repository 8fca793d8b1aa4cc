"""Reads foreign checkpoints without trusting them, and loads weights strictly.

Pickles are read with `weights_only=True` only, so that code inside one is refused.
"""

from __future__ import annotations

import json
import pickle  # nosec B403: for its exception only
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sunbreak.errors import ModelError

_NAMED = 8


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.safetensors` file or of a checkpoint, those of UnCRtainTS in their current official names.

    Of a checkpoint with several networks it is the generator: the one from cloudy to clear, or the averaged ones.

    Raises:
        ModelError: The file is missing, damaged, holds code, or holds no tensors.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file.", "Give the path of a checkpoint.", code="missing-file")
    if path.suffix == ".safetensors":
        return read_safetensors(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path}: holds more than tensors and is not opened ({_first_line(error)}).",
            "A checkpoint may run code when it is opened; ask its author for plain weights or safetensors.",
            code="unsafe-checkpoint",
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"{path}: is not a readable checkpoint ({_first_line(error)}).", "Download it again.", code="bad-checkpoint"
        ) from error
    return _tensors(content, path)


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.safetensors` file.

    Raises:
        ModelError: The file is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{path}: is not a readable safetensors file ({_first_line(error)}).",
            "Download it again.",
            code="bad-checkpoint",
        ) from error


def read_configuration(path: Path) -> dict[str, Any]:
    """The JSON object that lies beside a foreign checkpoint.

    Raises:
        ModelError: The file cannot be read or holds something else.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON ({error}).", code="bad-config") from error
    if not isinstance(values, dict):
        raise ModelError(f"{path}: is not a configuration (no JSON object).", code="bad-config")
    return values


def configuration_of(checkpoint: Path, given: str | Path | None = None) -> dict[str, Any] | None:
    """The configuration of a foreign checkpoint: the file that is given, or `conf.json` beside it; None without one.

    Raises:
        ModelError: As `read_configuration`.
    """
    beside = checkpoint.with_name("conf.json")
    source = Path(given) if given is not None else beside if beside.is_file() else None
    return None if source is None else read_configuration(source)


def load_strictly(module: nn.Module, state: Mapping[str, Tensor], source: Path) -> None:
    """Load every tensor or none.

    Raises:
        ModelError: Tensors are missing, left over, or of another shape; the message names them.
    """
    wanted = module.state_dict()
    missing = sorted(set(wanted) - set(state))
    extra = sorted(set(state) - set(wanted))
    shapes = [
        f"{name} is {tuple(state[name].shape)} and should be {tuple(wanted[name].shape)}"
        for name in sorted(set(wanted) & set(state))
        if state[name].shape != wanted[name].shape
    ]
    problems = [
        f"{what}: {_some(names)}"
        for what, names in (("missing", missing), ("unexpected", extra), ("shape", shapes))
        if names
    ]
    if problems:
        raise ModelError(
            f"{source}: the weights do not fit the configuration ({'; '.join(problems)}).",
            "Give the configuration that the checkpoint was trained with.",
            code="weights-mismatch",
        )
    module.load_state_dict(dict(state), strict=True)


def _tensors(content: Any, path: Path) -> dict[str, Tensor]:
    if isinstance(content, Mapping):
        for key in ("state_dict_G", "model_state_dict", "state_dict", "netG_A_B", "average"):
            if isinstance(content.get(key), Mapping):
                content = content[key]
                break
    if not isinstance(content, Mapping) or not content:
        raise ModelError(f"{path}: holds no weights.", "Give a checkpoint with a state_dict.", code="bad-checkpoint")
    strays = [str(name) for name, value in content.items() if not isinstance(value, Tensor)]
    if strays:
        raise ModelError(
            f"{path}: {_some(sorted(strays))} are not tensors, so this is not a table of weights.",
            "Give a checkpoint with a state_dict.",
            code="bad-checkpoint",
        )
    return {_current_name(str(name)): value for name, value in content.items()}


def _current_name(name: str) -> str:
    """Drop the wrapper's prefix and map the older block names (`in_block1`, `out_block5`) to lists."""
    name = name.removeprefix("netG.")
    return re.sub(r"^(in_block|out_block)(\d+)\.", lambda m: f"{m[1]}.{int(m[2]) - 1}.", name)


def _some(names: list[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:160] if text else type(error).__name__
