"""Reads the files of `torch.save` without trusting them: no code runs, and what they claim is bounded first.

Pickles are read with `weights_only=True` only, so that code inside one is refused.
"""

from __future__ import annotations

import io
import pickle  # nosec B403: for its exception only
import pickletools  # nosec B403: lists the instructions of a pickle, runs none
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor, nn

from sunbreak.errors import InputError, ModelError
from sunbreak.regular_files import open_regular

_MAX_ENTRIES = 20_000
# a state with 2,000 tensors and the moments of its optimizer takes 150,000 instructions
_MAX_INSTRUCTIONS = 500_000
# of names and texts; torch searches the message that quotes one in quadratic time
_MAX_LETTERS = 4096
_MAX_PICKLE_BYTES = 32 * 2**20
_PICKLES_BEFORE_ZIP = 5  # of the format before torch 1.6: magic number, version, system, content, keys
_TAIL_BYTES = 8 * 2**20
_SHOWN = 160
_AGAIN = "Download it again."


class _TooMuch(Exception):
    """A file claims more than it may; the text says what."""


def read_checkpoint(path: Path) -> Any:
    """The content of a file that `torch.save` wrote.

    Raises:
        ModelError: ``missing-file``; ``unsafe-checkpoint`` if it holds code; ``bad-checkpoint`` if it is damaged or
            packed, or claims more than it holds.
    """
    try:
        # what torch warns of does not concern the reader of the message
        with open_regular(path, "checkpoint") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            size = _check_claims(file)
            file.seek(0)
            content = torch.load(file, map_location="cpu", weights_only=True)
        _check_tensors(content, size)
    except InputError as error:
        raise ModelError(error.message, "Give the path of a checkpoint.", code=error.code) from error
    except _TooMuch as error:
        raise ModelError(f"{path}: is no checkpoint that is opened: {error}.", _AGAIN, code="bad-checkpoint") from error
    except pickle.UnpicklingError as error:
        raise _unpicklable(path, error) from error
    except Exception as error:  # torch raises whatever a damaged file leads to
        raise ModelError(
            f"{path}: is not a readable checkpoint ({first_line(error)}).", _AGAIN, code="bad-checkpoint"
        ) from error
    return content


def _unpicklable(path: Path, error: pickle.UnpicklingError) -> ModelError:
    """The error for a pickle that torch does not open. Its own text advises to open it all the same."""
    text = str(error)
    if "Unsupported" not in text and "GLOBAL" not in text:
        return ModelError(f"{path}: is not a readable checkpoint (no pickle of torch).", _AGAIN, code="bad-checkpoint")
    found = re.search(r"GLOBAL ([\w.]+)", text)
    named = found[1][:_SHOWN] if found else "unknown instructions"
    return ModelError(
        f"{path}: holds more than tensors and is not opened ({named}).",
        "A checkpoint may run code when it is opened; ask its author for plain weights or safetensors.",
        code="unsafe-checkpoint",
    )


def first_line(error: BaseException) -> str:
    """What an exception of another library says, in one short line of printable characters."""
    text = str(error).strip()
    line = text.splitlines()[0][:_SHOWN] if text else type(error).__name__
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def _check_claims(file: BinaryIO) -> int:
    """Compare what a file claims with what it holds, before anything is unpacked. Returns its size in bytes.

    Raises:
        _TooMuch: It claims more.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        file.seek(0)
        start = file.read(_MAX_PICKLE_BYTES)
        _check_instructions(start, _PICKLES_BEFORE_ZIP, whole=len(start) == size)
        return size
    file.seek(max(0, size - _TAIL_BYTES))
    if file.read().count(b"PK\x01\x02") > _MAX_ENTRIES:  # the directory of the archive stands at its end
        raise _TooMuch(f"it holds more than {_MAX_ENTRIES} entries")
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        for entry in entries:
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                raise _TooMuch("its entries are packed, which those of torch are not")
        if sum(entry.file_size for entry in entries) > size:
            raise _TooMuch("its entries are larger than the file")
        for entry in entries:
            if entry.filename.rpartition("/")[2] == "data.pkl":
                if entry.file_size > _MAX_PICKLE_BYTES:
                    raise _TooMuch("its table of contents is too large")
                _check_instructions(archive.read(entry), 1, whole=True)
    return size


def _check_instructions(content: bytes, pickles: int, *, whole: bool) -> None:
    """Bound the time and memory that pickles take. What is wrong with them is left to torch.

    Raises:
        _TooMuch: They have too many instructions, ask for memory, or do not end within `content`, which is not `whole`.
    """
    stream, count = io.BytesIO(content), 0
    try:
        for _ in range(pickles):
            for instruction, argument, _ in pickletools.genops(stream):
                count += 1
                if count > _MAX_INSTRUCTIONS:
                    raise _TooMuch("its table of contents is too long")
                if isinstance(argument, str) and len(argument) > _MAX_LETTERS:
                    raise _TooMuch(f"it holds a text of {len(argument)} letters")
                # torch allows it, and it takes whatever memory a number asks for
                if instruction.name == "GLOBAL" and str(argument).endswith("bytearray"):
                    raise _TooMuch("it holds bytes that are no tensor")
    except _TooMuch:
        raise
    except Exception as error:  # it is no pickle; torch says so
        if not whole and stream.tell() == len(content):
            raise _TooMuch("its table of contents is too long") from error


def _check_tensors(content: Any, size: int) -> None:
    """Refuse tensors that are more than the numbers in the file: sparse, repeated, or without numbers.

    Raises:
        _TooMuch: There is one.
    """
    waiting, seen = [content], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, (Mapping, list, tuple, set)):
            if id(value) in seen:  # one that holds itself
                continue
            seen.add(id(value))
            waiting.extend(value.values() if isinstance(value, Mapping) else value)
        elif isinstance(value, Tensor) and not _is_plain(value, size):
            raise _TooMuch("it holds tensors that claim more numbers than are stored")


def _is_plain(tensor: Tensor, size: int) -> bool:
    if type(tensor) not in (Tensor, nn.Parameter) or tensor.layout != torch.strided:
        return False
    if tensor.device.type != "cpu" or tensor.is_quantized:
        return False
    return tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes() <= size
