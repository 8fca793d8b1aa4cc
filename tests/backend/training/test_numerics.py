"""Number format of trainings: chosen by the abilities of the processor, and named in the card."""

from __future__ import annotations

import pytest
import torch

from sunbreak.training import numerics


def product() -> torch.dtype:
    return torch.mm(torch.ones(2, 2), torch.ones(2, 2)).dtype


@pytest.mark.parametrize(
    ("able", "allowed", "used"),
    [(True, True, torch.bfloat16), (True, False, torch.float32), (False, True, torch.float32)],
)
def test_bfloat16_is_used_if_allowed_and_supported_by_the_processor(monkeypatch, able, allowed, used):
    monkeypatch.setattr(numerics, "cpu_multiplies_bfloat16", lambda: able)
    with numerics.mixed_precision("cpu", on_cpu=allowed):
        assert product() == used
    assert numerics.described("cpu", on_cpu=allowed).endswith(str(used).removeprefix("torch."))


def test_a_processor_without_avx_512_does_not_multiply_bfloat16(monkeypatch):
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    assert not numerics.cpu_multiplies_bfloat16()


def test_the_thread_count_is_restored_after_an_error():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with pytest.raises(ValueError, match="stop"), numerics.threads(1):
        assert torch.get_num_threads() == 1
        raise ValueError("stop")
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
