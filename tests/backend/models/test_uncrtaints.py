"""UnCRtainTS against its reference implementation, and checkpoints that must not load."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from sunbreak.errors import ModelError
from sunbreak.models.folding import fold_batch_norms
from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig

REFERENCES = [
    ("mono_nll/model.pth.tar", "mono_nll/io_64.npz"),
    ("mono_nll/model_legacy_keys.pth.tar", "mono_nll/io_64.npz"),
    ("mono_l2/model.pth.tar", "mono_l2/io_128.npz"),
    ("multi3_nll/model.pth.tar", "multi3_nll/io_64.npz"),
    ("multi3_nll/model.pth.tar", "multi3_nll/io_64_pad.npz"),
]


@pytest.mark.parametrize(("checkpoint", "outputs"), REFERENCES)
def test_mean_and_variance_equal_the_reference_implementation(shared, checkpoint, outputs):
    folder = shared / "reference" / "uncrtaints"
    expected = np.load(folder / outputs)
    module = UnCRtainTS.from_checkpoint(folder / checkpoint)
    dates = torch.from_numpy(expected["dates"]) if "dates" in expected.files else None
    with torch.inference_mode():
        mean, variance = module(torch.from_numpy(expected["x"]), dates)
    np.testing.assert_allclose(mean.numpy(), expected["mean"][:, 0], atol=1e-5)
    if "var" in expected.files:
        assert variance is not None
        np.testing.assert_allclose(variance.numpy(), expected["var"][:, 0], atol=1e-5)
    else:
        assert variance is None


@pytest.mark.parametrize("name", ["mono_nll", "mono_l2", "multi3_nll"])
def test_the_architecture_is_read_off_the_tensors_when_there_is_no_configuration(shared, tmp_path, name):
    folder = shared / "reference" / "uncrtaints" / name
    alone = tmp_path / "model.pth.tar"
    alone.symlink_to((folder / "model.pth.tar").resolve())
    guessed, known = UnCRtainTS.from_checkpoint(alone), UnCRtainTS.from_checkpoint(folder / "model.pth.tar")
    x = torch.rand(1, 3 if name == "multi3_nll" else 1, 15, 64, 64)
    dates = torch.tensor([[1000.0, 1010, 1020]])
    with torch.inference_mode():
        torch.testing.assert_close(guessed(x, dates)[0], known(x, dates)[0])


@pytest.mark.parametrize(
    ("config", "count"), [({}, 520218), ({"outputs": 13}, 518541), ({"multi_temporal": True}, 570010)]
)
def test_the_number_of_parameters_is_the_published_one(config, count):
    assert sum(p.numel() for p in UnCRtainTS(UnCRtainTSConfig(**config)).parameters()) == count


def save(path: Path, state: dict[str, torch.Tensor], **extra: object) -> Path:
    torch.save({"epoch": 3, "state_dict_G": state, **extra}, path)
    return path


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    return UnCRtainTS(UnCRtainTSConfig(width=16, depth=1)).network.state_dict()


def test_a_missing_key_is_named(tmp_path, state):
    del state["out_block.0.conv.fn.6.fc.0.weight"]
    with pytest.raises(ModelError, match=r"missing: out_block\.0\.conv\.fn\.6\.fc\.0\.weight"):
        UnCRtainTS.from_checkpoint(save(tmp_path / "m.pth.tar", state))


def test_an_extra_key_is_named(tmp_path, state):
    state["out_block.0.conv.surplus"] = torch.zeros(1)
    with pytest.raises(ModelError, match=r"unexpected: out_block\.0\.conv\.surplus"):
        UnCRtainTS.from_checkpoint(save(tmp_path / "m.pth.tar", state))


def test_a_configuration_that_does_not_fit_is_refused_with_the_tensors_named(shared):
    folder = shared / "reference" / "uncrtaints"
    with pytest.raises(ModelError, match=r"out_conv\.conv\.conv\.0\.weight is \(26, .* should be \(13,") as caught:
        UnCRtainTS.from_checkpoint(folder / "mono_nll" / "model.pth.tar", folder / "mono_l2" / "conf.json")
    assert caught.value.exit_status == 2
    with pytest.raises(ModelError, match=r"missing: temporal_encoder"):
        UnCRtainTS.from_checkpoint(folder / "mono_nll" / "model.pth.tar", folder / "multi3_nll" / "conf.json")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"block_type": "residual"}, "block_type"),
        ({"mean_nonLinearity": False}, "mean_nonLinearity"),
        ({"var_nonLinearity": "relu"}, "var_nonLinearity"),
        ({"out_conv": [20]}, "20 outputs"),
        ({"encoder_norm": "instance"}, "instance"),
        ({"decoder_widths": [128, 64]}, "widths"),
    ],
)
def test_a_variant_that_is_not_supported_is_refused_by_its_name(tmp_path, state, change, named):
    conf = {"encoder_widths": [128], "decoder_widths": [128] * 5, "out_conv": [26], **change}
    path = tmp_path / "conf.json"
    path.write_text(json.dumps(conf))
    with pytest.raises(ModelError, match=named):
        UnCRtainTS.from_checkpoint(save(tmp_path / "m.pth.tar", state), path)


class Sneaky:
    """Runs a command when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_checkpoint_that_holds_code_is_refused_and_the_code_does_not_run(tmp_path, state):
    trace = tmp_path / "code-ran"
    with pytest.raises(ModelError, match="more than tensors") as caught:
        UnCRtainTS.from_checkpoint(save(tmp_path / "m.pth.tar", state, note=Sneaky(trace)))
    assert caught.value.code == "unsafe-checkpoint"
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint at all"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "m.pth.tar"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"m\.pth\.tar"):
        UnCRtainTS.from_checkpoint(path)


def test_folded_norms_leave_the_same_function():
    torch.manual_seed(0)
    module = UnCRtainTS(UnCRtainTSConfig(width=16, depth=2)).eval()
    for name, buffer in module.named_buffers():
        if "running_mean" in name:
            buffer.normal_()
        elif "running_var" in name:
            buffer.uniform_(0.5, 2)
    x = torch.rand(1, 1, 15, 24, 20)
    folded = fold_batch_norms(module)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    with torch.inference_mode():
        for ours, theirs in zip(folded(x), module(x), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)


def test_a_shape_that_does_not_fit_is_refused():
    module = UnCRtainTS(UnCRtainTSConfig(width=16, depth=1))
    with pytest.raises(ModelError, match="15"):
        module(torch.zeros(1, 1, 13, 8, 8))
    with pytest.raises(ModelError, match="one date"):
        module(torch.zeros(1, 2, 15, 8, 8))


def test_sigma_never_falls_under_the_published_floor():
    module = UnCRtainTS(UnCRtainTSConfig(width=16, depth=1)).eval()
    _, variance = module.head(torch.full((1, 26, 4, 4), -50.0))
    assert variance is not None
    np.testing.assert_allclose(variance.sqrt().numpy(), 0.00316, atol=1e-5)
