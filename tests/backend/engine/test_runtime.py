"""Runtimes return the network's outputs in order and handle out of memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from sunbreak.engine.conversion import convert
from sunbreak.engine.neighbours import neighbours_stride
from sunbreak.engine.network_cache import cache_folder
from sunbreak.engine.openvino_runtime import OpenVinoRuntime
from sunbreak.engine.runtime import TorchRuntime, choose_device, make_runtime
from sunbreak.engine.saliency_runtime import SaliencyRuntime
from sunbreak.errors import InputError, RunError
from sunbreak.models.architectures import load_classifier, load_model, load_network, load_segmentation
from sunbreak.models.cam import explain, to_image
from sunbreak.models.networks import Measured, RemovalNetwork, TileNetwork, magnitude
from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig


@pytest.fixture
def tiles() -> list[np.ndarray]:
    return [np.random.default_rng(seed).random((15, 64, 64), np.float32) for seed in range(7)]


def run(runtime, tiles) -> list[tuple[np.ndarray, ...]]:
    """The outputs of each tile, submitted in groups of the runtime's batch size."""
    results = []

    def collect() -> None:
        results.extend(zip(*(part.copy() for part in runtime.collect()), strict=True))

    first = 0
    while first < len(tiles):
        while not runtime.room:
            collect()
        group = tiles[first : first + runtime.batch]
        runtime.submit({"x": np.stack(group)})
        first += len(group)
    while runtime.pending:
        collect()
    return results


def expected(module, tiles) -> list[tuple[np.ndarray, ...]]:
    with torch.inference_mode():
        return [tuple(y[0].numpy() for y in module(torch.from_numpy(t)[None, None])) for t in tiles]


def moments(module, tiles) -> list[tuple[np.ndarray, ...]]:
    return [(np.concatenate([mean, mean**2 + variance]),) for mean, variance in expected(module, tiles)]


@pytest.mark.parametrize("name", ["torch", "openvino"])
def test_results_equal_plain_torch_in_the_order_of_the_tiles(small_model, tiles, name):
    runtime = make_runtime(small_model, "cpu", name)
    results = run(runtime, tiles)
    assert len(results) == len(tiles)
    for ours, theirs in zip(results, moments(load_model(small_model), tiles), strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_batches_give_the_same_outputs_as_single_tiles(small_model, tiles):
    module = load_model(small_model)
    results = run(TorchRuntime(RemovalNetwork(module), torch.device("cpu"), 64, batch=3), tiles)
    for ours, theirs in zip(results, expected(module, tiles), strict=True):
        np.testing.assert_allclose(ours[0], theirs[0], atol=1e-5)


def test_the_batch_size_is_halved_until_the_batch_fits_in_memory(small_model, tiles):
    runtime = TorchRuntime(load_network(small_model), torch.device("cpu"), 64, batch=6)

    def refuse(module, inputs):
        if len(inputs[0]) > 2:
            raise torch.OutOfMemoryError("too large")

    runtime._module.register_forward_pre_hook(refuse)
    results = run(runtime, tiles)
    assert runtime.batch == 1
    for ours, theirs in zip(results, moments(load_model(small_model), tiles), strict=True):
        np.testing.assert_allclose(ours[0], theirs[0], atol=1e-5)


def test_out_of_memory_for_a_single_tile_is_a_clear_error(small_model, tiles):
    runtime = TorchRuntime(load_network(small_model), torch.device("cpu"), 64)

    def refuse(module, inputs):
        raise torch.OutOfMemoryError("too large")

    runtime._module.register_forward_pre_hook(refuse)
    with pytest.raises(RunError, match="out of memory on a single tile"):
        run(runtime, tiles)


def test_half_precision_is_measured_not_assumed(small_model):
    runtime = TorchRuntime(load_network(small_model), torch.device("cpu"), 64)
    assert not runtime.half
    assert 1e-6 < runtime.half_error(64) < 0.1


def test_a_network_without_variance_gives_one_output(tiles):
    module = UnCRtainTS(UnCRtainTSConfig(width=16, depth=1, outputs=13)).eval()
    (mean,) = run(OpenVinoRuntime(convert(RemovalNetwork(module), 64)), tiles[:1])[0]
    np.testing.assert_allclose(mean, module(torch.from_numpy(tiles[0])[None, None])[0][0].detach(), atol=1e-5)


def test_a_network_that_is_not_converted_beforehand_is_cached_and_reused(small_model, tiles):
    files = replace(small_model, card=replace(small_model.card, converted=None))
    first = run(OpenVinoRuntime.for_model(files), tiles[:1])
    kept = [path for path in cache_folder().glob("*.xml") if path.name.startswith(files.card.sha256[:32])]
    assert len(kept) == 1
    again = run(OpenVinoRuntime.for_model(files), tiles[:1])
    np.testing.assert_array_equal(first[0][0], again[0][0])


def test_openvino_is_the_default_on_the_cpu(small_model):
    assert "OpenVINO" in make_runtime(small_model, "cpu").label


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_an_unavailable_device_is_refused(small_model):
    with pytest.raises(InputError, match="cuda"):
        choose_device("cuda")
    with pytest.raises(InputError, match="CPU"):
        make_runtime(small_model, "cuda", "openvino")


@pytest.mark.parametrize("name", ["torch", "openvino"])
def test_small_patches_are_batched_and_the_last_batch_may_be_smaller(small_classifier, name):
    patches = [np.random.default_rng(seed).normal(size=(10, 64, 64)).astype(np.float32) for seed in range(35)]
    runtime = make_runtime(small_classifier, "cpu", name)
    assert runtime.batch == 16
    results = np.stack([found for (found,) in run(runtime, patches)])
    with torch.inference_mode():
        expected = torch.softmax(load_classifier(small_classifier)(torch.from_numpy(np.stack(patches))), 1)
    np.testing.assert_allclose(results, expected, atol=1e-6)
    again = np.stack([found for (found,) in run(runtime, patches)])
    np.testing.assert_array_equal(results, again)


@pytest.mark.parametrize("name", ["torch", "openvino"])
def test_tiles_of_a_per_pixel_network_go_one_by_one_and_equal_torch_within_the_cards_tolerance(small_pixels, name):
    tiles = [np.random.default_rng(seed).normal(size=(10, 320, 320)).astype(np.float32) for seed in range(5)]
    runtime = make_runtime(small_pixels, "cpu", name)
    assert runtime.batch == 1
    results = np.stack([found for (found,) in run(runtime, tiles)])
    with torch.inference_mode():
        expected = torch.softmax(load_segmentation(small_pixels)(torch.from_numpy(np.stack(tiles))), 1).numpy()
    assert results.shape == (5, 9, 320, 320)
    margin = small_pixels.card.overlap // 2
    core = (..., slice(margin, -margin), slice(margin, -margin))
    assert np.abs(results[core] - expected[core]).max() < min(1e-5, small_pixels.card.tolerance)
    # what is discarded is not computed: all classes alike
    np.testing.assert_allclose(results[..., :margin, :], 1 / 9, atol=1e-6)
    if name == "openvino":
        assert "(1 stream)" in runtime.label


def test_groups_of_any_size_and_memory_layout_give_the_same_bytes(small_classifier):
    patches = np.random.default_rng(0).normal(size=(16, 10, 64, 64)).astype(np.float32)
    together = np.moveaxis(np.ascontiguousarray(np.moveaxis(patches, 1, -1)), -1, 1)
    runtime = make_runtime(small_classifier, "cpu", "openvino")

    def probabilities(group: np.ndarray) -> np.ndarray:
        runtime.submit({"x": group})
        return runtime.collect()[0].copy()

    expected = probabilities(together)
    assert expected.shape == (16, 10)
    np.testing.assert_array_equal(probabilities(patches), expected)
    for size in (1, 3, 15):
        np.testing.assert_array_equal(probabilities(together[:size]), expected[:size])
        np.testing.assert_array_equal(probabilities(patches[-size:]), expected[-size:])
    np.testing.assert_array_equal(probabilities(together), expected)


@pytest.mark.parametrize("stride", [1, 16, 24, 63])
def test_neighbours_as_views_of_one_window_give_the_same_bytes_as_copies(small_classifier, stride):
    random = np.random.default_rng(stride)
    window = np.moveaxis(random.normal(size=(64, 15 * stride + 64, 10)).astype(np.float32), -1, 0)
    neighbours = np.moveaxis(np.lib.stride_tricks.sliding_window_view(window, 64, axis=2, writeable=True), 2, 0)
    assert len(neighbours[::stride]) == 16
    runtime = make_runtime(small_classifier, "cpu", "openvino")

    def probabilities(group: np.ndarray) -> np.ndarray:
        runtime.submit({"x": group})
        return runtime.collect()[0].copy()

    expected = probabilities(neighbours[::stride].copy())
    np.testing.assert_array_equal(probabilities(neighbours[::stride]), expected)
    # smaller groups of two sizes, and groups that do not span all columns of their window
    for size in (5, 3, 1):
        whole_rows = np.moveaxis(
            np.ascontiguousarray(np.moveaxis(window[..., : (size - 1) * stride + 64], 0, -1)), -1, 0
        )
        alone = np.moveaxis(np.lib.stride_tricks.sliding_window_view(whole_rows, 64, axis=2, writeable=True), 2, 0)
        np.testing.assert_array_equal(probabilities(alone[::stride]), expected[:size])
        np.testing.assert_array_equal(probabilities(neighbours[::stride][:size]), expected[:size])


def test_only_overlapping_neighbours_in_one_row_have_a_stride():
    window = np.zeros((64, 112, 10), np.float32)
    by_row, by_column, by_channel = window.strides
    views = np.lib.stride_tricks.as_strided

    def tiles(stride: int, count: int = 4) -> np.ndarray:
        return views(window, (count, 10, 64, 64), (stride * by_column, by_channel, by_row, by_column))

    assert neighbours_stride(tiles(16)) == 16
    assert neighbours_stride(tiles(48, 2)) == 48
    # narrower than the window; the same tile repeated; one tile; separate in memory; not channels-last
    assert neighbours_stride(tiles(8)) is None
    assert neighbours_stride(tiles(0)) is None
    assert neighbours_stride(tiles(16, 1)) is None
    assert neighbours_stride(np.moveaxis(np.zeros((4, 64, 64, 10), np.float32), -1, 1)) is None
    assert neighbours_stride(np.zeros((4, 10, 64, 64), np.float32)) is None


def test_groups_of_two_sizes_share_the_queue_and_return_in_order(small_classifier):
    patches = np.random.default_rng(0).normal(size=(16, 10, 64, 64)).astype(np.float32)
    runtime = make_runtime(small_classifier, "cpu", "openvino")
    sizes = []
    while runtime.room:
        sizes.append((16, 3)[len(sizes) % 2])
        runtime.submit({"x": patches[: sizes[-1]]})
    assert runtime.pending == len(sizes) > 2
    found = [len(runtime.collect()[0]) for _ in sizes]
    assert found == sizes
    assert runtime.room
    # the caller still holds the last result
    for _ in sizes[1:]:
        assert runtime.room
        runtime.submit({"x": patches})
    assert not runtime.room


def test_a_deleted_runtime_waits_for_its_running_requests(small_classifier):
    runtime = make_runtime(small_classifier, "cpu", "openvino")
    while runtime.room:
        runtime.submit({"x": np.zeros((8, 10, 64, 64), np.float32)})
    requests = [request for _, request, _ in runtime._running]
    del runtime
    assert all(request.wait_for(0) for request in requests)


@pytest.mark.parametrize("method", ["gradcam", "hirescam"])
def test_saliency_of_a_group_equals_that_of_each_patch(small_classifier, method):
    patches = [np.random.default_rng(seed).normal(size=(10, 64, 64)).astype(np.float32) for seed in range(5)]
    module = load_classifier(small_classifier)
    runtime = SaliencyRuntime(
        load_classifier(small_classifier), torch.device("cpu"), 64, 8, target=None, block="layer3", method=method
    )
    runtime.batch = 3
    for patch, (saliency, bands, logits) in zip(patches, run(runtime, patches), strict=True):
        found = explain(module, torch.from_numpy(patch)[None], None, "layer3", method, bands=True)
        expected = to_image(found.raw, 8, 8)[0].numpy()
        np.testing.assert_allclose(saliency, expected, atol=1e-5 * np.abs(expected).max())
        np.testing.assert_allclose(bands, found.bands[0], atol=1e-5 * float(found.bands.abs().max()))
        np.testing.assert_allclose(logits, found.logits[0], atol=1e-5 * float(found.logits.abs().max()))


class Dated(TileNetwork):
    """A network with a second input: adds days / 100 to each tile."""

    channels = 2

    def measured(self, x, days):
        return x + days[:, None, None, None] / 100, magnitude(x)

    def exported(self):
        return Measured(self), {"days": torch.zeros(1)}

    def example(self, tile, generator):
        return {**super().example(tile, generator), "days": torch.ones(1)}

    def folded(self):
        return self


@pytest.mark.parametrize("name", ["torch", "openvino"])
def test_further_inputs_are_passed_to_the_network_by_name(name):
    network = Dated()
    cpu = torch.device("cpu")
    runtime = TorchRuntime(network, cpu, 16, batch=2) if name == "torch" else OpenVinoRuntime(convert(network, 16))
    x, days = np.random.default_rng(0).random((4, 2, 16, 16), np.float32), np.arange(4, dtype=np.float32) * 100
    found, first = [], 0
    while first < 4:
        while not runtime.room:
            found.append(runtime.collect()[0].copy())
        group = slice(first, first + runtime.batch)
        runtime.submit({"days": days[group], "x": x[group]})
        first = group.stop
    while runtime.pending:
        found.append(runtime.collect()[0].copy())
    np.testing.assert_allclose(np.concatenate(found), x + np.arange(4)[:, None, None, None], atol=1e-6)
