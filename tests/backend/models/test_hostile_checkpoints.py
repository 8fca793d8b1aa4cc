"""Checkpoints that are damaged, claim too much or are built to mislead are refused in one line, quickly, in little memory."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import random
import resource
import struct
import time
import zipfile
from pathlib import Path

import pytest
import torch
from program import sunbreak

from sunbreak.errors import ModelError
from sunbreak.models import import_model
from sunbreak.models.registry import file_sha256, find_model
from sunbreak.models.uncrtaints import UnCRtainTS
from sunbreak.models.uncrtaints_config import UnCRtainTSConfig
from sunbreak.models.weights import read_state_dict

SECONDS = 2
MEGABYTES = 300


def small_state() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return UnCRtainTS(UnCRtainTSConfig(width=16, depth=1)).network.state_dict()


def saved(path: Path, content: object, **how: object) -> Path:
    torch.save(content, path, **how)
    return path


def rezipped(path: Path, target: Path, compression: int, change=lambda name, data: data) -> Path:
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", compression) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, change(entry.filename, old.read(entry)))
    return target


def sparse(folder: Path) -> object:
    return {"w": torch.sparse_coo_tensor(torch.tensor([[0], [0]]), torch.tensor([1.0]), (10**5, 10**5))}


def bomb(folder: Path) -> Path:
    """400 MB of zeros, deflated to half a megabyte."""
    small = saved(folder / "whole", {"state_dict": {"w": torch.zeros(10**4)}})
    return rezipped(
        small, folder / "bomb.pth", zipfile.ZIP_DEFLATED, lambda name, data: data * 10**4 if "data/0" in name else data
    )


def raw(folder: Path, content: bytes, name: str = "raw.pth") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def safetensors(folder: Path, header: object, data: bytes = b"", length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = struct.pack("<Q", len(text) if length is None else length)
    return raw(folder, size + text + data, "hostile.safetensors")


def f32(shape: list[object], start: int, stop: int, kind: str = "F32") -> dict[str, object]:
    return {"dtype": kind, "shape": shape, "data_offsets": [start, stop]}


class Opens:
    """Code that a pickle would run."""

    def __reduce__(self):
        return os.system, ("true",)


def pickled(*instructions: bytes) -> bytes:
    return b"\x80\x02" + b"".join(instructions) + b"."


def in_zip(folder: Path, content: bytes, entries: dict[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(folder / "made.pth", "w") as archive:
        archive.writestr("made/data.pkl", content)
        archive.writestr("made/version", "3\n")
        archive.writestr("made/byteorder", "little")
        for name, data in (entries or {}).items():
            archive.writestr(name, data)
    return folder / "made.pth"


HOSTILE = {
    "zip bomb": bomb,
    "deflated entries": lambda f: rezipped(saved(f / "w", small_state()), f / "packed.pth", zipfile.ZIP_DEFLATED),
    "bzip2 entries": lambda f: rezipped(saved(f / "w", small_state()), f / "packed.pth", zipfile.ZIP_BZIP2),
    "a repeated number": lambda f: saved(f / "r.pth", {"w": torch.zeros(1).expand(10**5, 10**5)}),
    "a sparse tensor": lambda f: saved(f / "s.pth", sparse(f)),
    "a tensor without numbers": lambda f: saved(f / "m.pth", {"w": torch.empty(10**6, 10**6, device="meta")}),
    "a quantized tensor": lambda f: saved(f / "q.pth", {"w": torch.quantize_per_tensor(torch.ones(4), 1.0, 0, torch.qint8)}),
    "an array of a byte count": lambda f: in_zip(f, pickled(b"cbuiltins\nbytearray\n", b"J\xff\xff\xff\x7f", b"\x85R")),
    "many instructions": lambda f: raw(f, pickled(b")0" * 20_000_000)),
    "many instructions in a zip": lambda f: in_zip(f, pickled(b")0" * 10_000_000)),
    "many entries": lambda f: in_zip(f, pickled(b"}"), {f"made/data/{n}": b"" for n in range(30_000)}),
    "code": lambda f: raw(f, pickle.dumps({"state_dict": Opens()})),
    "code in a zip": lambda f: in_zip(f, pickle.dumps({"w": Opens()}, protocol=2)),
    "names that are no text": lambda f: saved(f / "n.pth", {("a",) * 3: torch.zeros(1), 5: torch.zeros(1)}),
    "a name as a bomb": lambda f: raw(f, pickled(b"}", b")q\x00", b"h\x00h\x00\x86q\x00" * 60, b"K\x01s")),
    "a table in itself": lambda f: raw(f, pickled(b"}q\x00", b"X\x0a\x00\x00\x00state_dict", b"h\x00s")),
    "numbers": lambda f: saved(f / "n.pth", {"w": 1, "v": [1.0]}),
    "nothing": lambda f: saved(f / "n.pth", {}),
    "a list": lambda f: saved(f / "l.pth", [torch.zeros(1)]),
    "an empty file": lambda f: raw(f, b""),
    "text": lambda f: raw(f, b"hello" * 1000),
    "only a zip's start": lambda f: raw(f, b"PK\x03\x04" + bytes(100)),
    "a zip of other things": lambda f: in_zip(f, b"no pickle"),
    "a folder": lambda f: f,
    "complex weights": lambda f: saved(f / "c.pth", {k: v.to(torch.complex64) for k, v in small_state().items()}),
    "whole numbers as weights": lambda f: saved(f / "i.pth", {k: v.to(torch.int64) for k, v in small_state().items()}),
    "weights that are not finite": lambda f: saved(f / "f.pth", {k: v * float("nan") if v.is_floating_point() else v for k, v in small_state().items()}),
    "weights too large for a float": lambda f: saved(f / "d.pth", {k: v.double() * 1e300 if v.is_floating_point() else v for k, v in small_state().items()}),
    "flat weights": lambda f: saved(f / "flat.pth", {k: v.flatten() for k, v in small_state().items()}),
    "weights without sides": lambda f: saved(f / "zero.pth", {k: v.sum() for k, v in small_state().items()}),
    "a flat ResNet": lambda f: saved(f / "flat.pth", {"conv1.weight": torch.zeros(8), "fc.weight": torch.zeros(8), "layer4.0.conv1.weight": torch.zeros(8)}),
    "a huge ResNet": lambda f: saved(f / "h.pth", {"conv1.weight": torch.zeros(10**5, 10, 1, 1), "fc.weight": torch.zeros(10, 4), "layer4.0.conv1.weight": torch.zeros(8)}),
    "a wide ResNet": lambda f: saved(f / "h.pth", {"conv1.weight": torch.zeros(500, 10, 1, 1), "fc.weight": torch.zeros(10, 4), "layer4.0.conv1.weight": torch.zeros(8), "layer1.0.conv3.weight": torch.zeros(1)}),
    "a flat generator": lambda f: saved(f / "g.pth", {"model.1.weight": torch.zeros(3), "model.19.weight": torch.zeros(3)}),
    "a wide generator": lambda f: saved(f / "g.pth", {"model.1.weight": torch.zeros(10**5, 13, 1, 1), "model.19.weight": torch.zeros(13, 1, 1, 1)}),
    "a wide UnCRtainTS": lambda f: saved(f / "u.pth", {"in_conv.conv.conv.0.weight": torch.zeros(10**6, 15, 1, 1), "out_conv.conv.conv.0.weight": torch.zeros(26, 1, 1, 1)}),
    "a deep UnCRtainTS": lambda f: saved(f / "u.pth", {"in_conv.conv.conv.0.weight": torch.zeros(16, 15, 1, 1), "out_conv.conv.conv.0.weight": torch.zeros(26, 16, 1, 1), **{f"out_block.{n}.x": torch.zeros(1) for n in range(5000)}}),
    "a long block number": lambda f: saved(f / "u.pth", {f"in_block{'1' * 5000}.x": torch.zeros(1)}),
    "ESC and newlines in names": lambda f: saved(f / "u.pth", {"\x1b[31mred\nline": torch.zeros(1), "\x1b": 5}),
    "an empty safetensors": lambda f: safetensors(f, b"", length=0),
    "a short safetensors": lambda f: raw(f, b"\x01\x02", "short.safetensors"),
    "a header of gigabytes": lambda f: safetensors(f, b"{}", length=2**33),
    "a header of 2^63 bytes": lambda f: safetensors(f, b"{}", length=2**63),
    "a header of many megabytes": lambda f: safetensors(f, b'{"a":' + b" " * 2**23 + b"1}"),
    "a header nested deep": lambda f: safetensors(f, b"[" * 100_000),
    "a header that is no text": lambda f: safetensors(f, b"\xff\xfe{}"),
    "shapes that claim too much": lambda f: safetensors(f, {"w": f32([10**9, 10**9], 0, 4)}, bytes(4)),
    "offsets that claim too much": lambda f: safetensors(f, {"w": f32([10**9], 0, 4 * 10**9)}, bytes(4)),
    "tensors that overlap": lambda f: safetensors(f, {"w": f32([2], 0, 8), "v": f32([2], 4, 12)}, bytes(12)),
    "offsets that go back": lambda f: safetensors(f, {"w": f32([1], 4, 0)}, bytes(4)),
    "a negative side": lambda f: safetensors(f, {"w": f32([-1], 0, 4)}, bytes(4)),
    "a side of text": lambda f: safetensors(f, {"w": f32(["x"], 0, 4)}, bytes(4)),
    "many sides": lambda f: safetensors(f, {"w": f32([1] * 10_000, 0, 4)}, bytes(4)),
    "a strange type": lambda f: safetensors(f, {"w": f32([1], 0, 4, "F99")}, bytes(4)),
    "a file that is not there": lambda f: f / "absent.pth",
    "a safetensors that is not there": lambda f: f / "absent.safetensors",
}  # fmt: skip


@pytest.fixture(params=HOSTILE)
def hostile(request, tmp_path) -> Path:
    return HOSTILE[request.param](tmp_path)


def test_a_hostile_checkpoint_is_refused_by_name_in_time_and_memory(hostile, tmp_path, monkeypatch):
    monkeypatch.setenv("SUNBREAK_MODELS", str(tmp_path / "models"))
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(ModelError) as refused:
        import_model(hostile, "hostile")
    assert time.monotonic() - began < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES * 1024
    said = str(refused.value)
    assert said.startswith(str(tmp_path)) and said.isprintable() and len(said) < 900
    assert not list(Path(os.environ["SUNBREAK_MODELS"]).glob("*"))


def test_the_command_refuses_it_with_status_2_in_one_line(tmp_path):
    for make in ("zip bomb", "code", "flat weights", "an empty file", "a pipe"):
        path = HOSTILE[make](tmp_path) if make in HOSTILE else tmp_path / "pipe.pth"
        if make == "a pipe":
            os.mkfifo(path)
        done = sunbreak("models", "import", path, "--name", "x", timeout=60)
        assert done.returncode == 2, (make, done.stderr)
        said = done.stderr.strip().splitlines()
        assert len(said) <= 2 and path.name in said[-1], done.stderr  # the first one is the progress


def test_bytes_that_were_changed_at_random_are_refused_or_harmless(tmp_path):
    content = io.BytesIO()
    torch.save(small_state(), content)
    whole, rng = content.getvalue(), random.Random(4)
    legacy = io.BytesIO()
    torch.save(small_state(), legacy, _use_new_zipfile_serialization=False)
    for number in range(150):
        changed = bytearray((whole, legacy.getvalue())[number % 2])
        for _ in range(rng.choice((1, 3, 30))):
            changed[rng.randrange(len(changed) // (1 if rng.random() < 0.3 else 20))] = rng.randrange(256)
        path = raw(tmp_path, bytes(changed[: rng.choice((len(changed), rng.randrange(len(changed))))]))
        with contextlib.suppress(ModelError):
            read_state_dict(path)


def test_a_checkpoint_of_the_older_format_is_read(tmp_path):
    state = small_state()
    path = saved(tmp_path / "old.pth", {"state_dict": state, "epoch": 3}, _use_new_zipfile_serialization=False)
    read = read_state_dict(path)
    assert all(torch.equal(read[key], value) for key, value in state.items())


def rewritten(files, folder: Path, change) -> Path:
    """A copy of a model with other weights, whose card has their checksum."""
    from safetensors.torch import load_file, save_file

    state = load_file(files.weights)
    weights = folder / files.weights.name
    save_file(change(state), weights)
    item = files.card.to_item()
    item["assets"]["weights"]["sunbreak:sha256"] = file_sha256(weights)
    card = folder / files.path.name
    card.write_text(json.dumps(item), encoding="utf-8")
    return card


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: {k: v.to(torch.int32) for k, v in s.items()}, "type"),
        (lambda s: {k: v.to(torch.complex64) for k, v in s.items()}, "type"),
        (lambda s: {k: v.to(torch.float8_e4m3fn) for k, v in s.items()}, "type"),
        (lambda s: {k: v[..., None].contiguous() for k, v in s.items()}, "shape"),
        (lambda s: dict(list(s.items())[1:]), "missing"),
        (lambda s: {**s, "more": torch.zeros(3)}, "unexpected"),
        (lambda s: {k: v * float("inf") if v.is_floating_point() else v for k, v in s.items()}, "not finite"),
    ],
    ids=["whole", "complex", "float8", "shape", "missing", "more", "infinite"],
)
def test_weights_of_a_model_that_do_not_fit_are_refused(small_model, tmp_path, change, said):
    from sunbreak.models.architectures import load_network

    with pytest.raises(ModelError, match=said) as refused:
        load_network(find_model(str(rewritten(small_model, tmp_path, change))))
    assert str(tmp_path) in str(refused.value)


def test_weights_far_larger_than_the_card_says_are_not_read(small_model, tmp_path):
    from sunbreak.models.architectures import load_network

    card = tmp_path / small_model.path.name
    card.write_text(json.dumps(small_model.card.to_item()), encoding="utf-8")
    weights = tmp_path / small_model.weights.name
    with weights.open("wb") as file:
        file.truncate(2**40)  # a hole of a terabyte
    began = time.monotonic()
    with pytest.raises(ModelError, match="larger than"):
        load_network(find_model(str(card)))
    assert time.monotonic() - began < SECONDS


def test_a_large_card_beside_no_weights_takes_no_memory(small_model, tmp_path):
    """A network of 300 MB, whose weights are those of a tiny one."""
    from sunbreak.models.architectures import load_network

    card = rewritten(small_model, tmp_path, lambda state: state)
    item = json.loads(card.read_text(encoding="utf-8"))
    item["properties"]["sunbreak:arguments"] |= {"width": 1024, "depth": 14}
    card.write_text(json.dumps(item), encoding="utf-8")
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(ModelError, match="do not fit"):
        load_network(find_model(str(card)))
    assert time.monotonic() - began < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
