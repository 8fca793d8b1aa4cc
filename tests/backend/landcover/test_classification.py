"""Classifying a scene: class and evidence of each cell, without artefacts at patch borders."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sunbreak.engine import TilePlace
from sunbreak.engine.neighbours import neighbours_stride
from sunbreak.errors import InputError, ModelError
from sunbreak.events import Silent
from sunbreak.jobs.single import ClassifyOptions, classify
from sunbreak.landcover.classification import LandCover, PairRuntime
from sunbreak.landcover.reconstructed import ShareRaster, beside
from sunbreak.landcover.sliding_window import cell_size, sums_before, sums_within
from sunbreak.landcover.trust import TrustThresholds
from sunbreak.models.architectures import load_classifier
from sunbreak.models.card_landcover import slug
from sunbreak.models.legends import SIMPLIFIED_IGBP
from sunbreak.models.registry import find_model
from sunbreak.scene import S2_BANDS, Scene

ROLES = {
    "landcover",
    "landcover_confidence",
    "landcover_entropy",
    "landcover_probabilities",
    "landcover_evidence",
}


def read(path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()


def probabilities_of(files, dn: np.ndarray) -> np.ndarray:
    """The classifier's probabilities of one whole patch of DN."""
    card = files.card
    picked = dn[[S2_BANDS.index(band) for band in card.bands]].astype(np.float32)
    standard = card.standardisation
    mean, deviation = (np.array(part, np.float32)[:, None, None] for part in (standard.mean, standard.deviation))
    with torch.inference_mode():
        logits = load_classifier(files)(torch.from_numpy((picked - mean) / deviation)[None])
    return torch.softmax(logits, 1)[0].numpy()


def test_a_scene_of_one_patch_equals_the_network_output(write_raster, land_dn, small_classifier, tmp_path):
    dn = land_dn(64, 64)
    s2 = write_raster("one.tif", dn, bands=S2_BANDS)
    result = classify(Scene.open(s2), tmp_path / "out", small_classifier, ClassifyOptions(), Silent())
    assert set(result.layers) == ROLES
    expected = probabilities_of(small_classifier, dn)
    stored = read(result.layers["landcover_probabilities"])
    assert stored.shape == (10, 4, 4)  # one cell per stride of 16 px
    np.testing.assert_allclose(stored / 1e4, np.broadcast_to(expected[:, None, None], stored.shape), atol=1e-4)
    assert (read(result.layers["landcover"]) == expected.argmax() + 1).all()
    np.testing.assert_allclose(read(result.layers["landcover_confidence"]) / 1e4, expected.max(), atol=1e-4)
    entropy = -(expected * np.log(expected)).sum() / np.log(10)
    np.testing.assert_allclose(read(result.layers["landcover_entropy"]) / 1e4, entropy, atol=2e-4)
    assert result.numbers["mean_confidence"] == pytest.approx(expected.max(), abs=1e-4)


def test_the_card_temperature_divides_the_logits(small_classifier):
    raw = load_classifier(small_classifier)
    plain = find_model(str(small_classifier.path)).card.temperature
    assert plain == (1.5,)
    raw.cool(1 / 1.5)  # back to the stored weights
    x = torch.randn(2, 10, 64, 64)
    torch.testing.assert_close(raw(x) / 1.5, load_classifier(small_classifier)(x), rtol=1e-4, atol=1e-4)


def test_the_file_names_its_classes_and_lies_on_a_multiple_of_the_pixel(
    write_raster, land_dn, small_classifier, tmp_path
):
    s2 = write_raster("place.tif", land_dn(100, 130), bands=S2_BANDS)
    layers = classify(Scene.open(s2), tmp_path, small_classifier, ClassifyOptions(), Silent()).layers
    with rasterio.open(s2) as source, rasterio.open(layers["landcover"]) as layer:
        assert (layer.transform.a, layer.transform.e) == (160, -160)
        assert (layer.transform.c, layer.transform.f) == (source.transform.c, source.transform.f)
        assert layer.shape == (7, 9)  # cells at the end reach beyond the scene
        assert layer.tags(1)["CLASS_10"] == "Water"
        assert layer.colormap(1)[1][:3] == (0, 153, 0)
        assert layer.nodata == 0
        assert layer.tags()["SUNBREAK_MODEL"] == "small-landcover"
    np.testing.assert_allclose(read(layers["landcover_probabilities"]).sum(axis=0), 10000.0, atol=8)
    with rasterio.open(layers["landcover_probabilities"]) as layer:
        assert layer.descriptions == tuple(kind.name for kind in SIMPLIFIED_IGBP)


def test_areas_add_up_to_the_valid_pixels(write_raster, land_dn, small_classifier, tmp_path):
    dn = land_dn(90, 120)
    dn[:, :, :31] = 0
    s2 = write_raster("place.tif", dn, bands=S2_BANDS)
    numbers = classify(Scene.open(s2), tmp_path, small_classifier, ClassifyOptions(), Silent()).numbers
    hectares = sum(value for key, value in numbers.items() if key.startswith("hectares_"))
    assert hectares == pytest.approx(90 * 89 * 0.01)


def test_cells_without_data_are_nodata_and_lower_the_evidence(write_raster, land_dn, small_classifier, tmp_path):
    dn = land_dn(128, 192)
    dn[:, :, 64:] = 0
    s2 = write_raster("place.tif", dn, bands=S2_BANDS)
    layers = classify(Scene.open(s2), tmp_path, small_classifier, ClassifyOptions(), Silent()).layers
    cover, valid = read(layers["landcover"])[0], read(layers["landcover_evidence"])[0]
    assert (cover[:, :4] > 0).all()
    assert (cover[:, 4:] == 0).all()
    assert (read(layers["landcover_probabilities"])[:, :, 4:] == 65535).all()
    assert (valid[:, 4:] == 65535).all()
    # the cell at the edge of the data is covered by half-empty patches, the first one mostly by full patches
    assert valid[0, 0] == 10000
    assert 3000 < valid[0, 3] < 9000


def test_the_reconstructed_fraction_is_read_beside_a_cleaned_scene(write_raster, land_dn, small_classifier, tmp_path):
    s2 = write_raster("place_cleaned.tif", land_dn(64, 128), bands=S2_BANDS)
    share = np.zeros((1, 64, 128), np.uint16)
    share[:, :, 64:] = 10000
    other = write_raster("place_reconstructed.tif", share, nodata=65535)
    with rasterio.open(other, "r+") as file:
        file.scales = (1e-4,)
    assert beside(s2) == other
    scene = Scene.open(s2)
    result = classify(
        scene, tmp_path / "out", small_classifier, ClassifyOptions(), Silent(), share=ShareRaster(other, scene)
    )
    rests = read(result.layers["landcover_evidence"])[1][0]
    assert rests[0] == 0
    assert rests[-1] == 10000
    assert (np.diff(rests.astype(int)) >= 0).all()
    part = Scene.open(s2, window=(64, 0, 64, 64))
    assert (ShareRaster(other, part)(0, 64) == 1).all()


def test_a_reconstructed_fraction_on_another_grid_is_refused(write_raster, land_dn):
    s2 = write_raster("place_cleaned.tif", land_dn(64, 64), bands=S2_BANDS)
    other = write_raster("other.tif", np.zeros((1, 60, 64), np.uint16))
    with pytest.raises(InputError, match="another grid"):
        ShareRaster(other, Scene.open(s2))


def test_reflectance_offset_and_quantification_do_not_change_the_answer(
    write_raster, land_dn, small_classifier, tmp_path
):
    dn = land_dn(64, 80)
    plain = write_raster("plain.tif", dn, bands=S2_BANDS)
    moved = write_raster("moved.tif", dn + 1000, bands=S2_BANDS)
    floats = write_raster("floats.tif", dn.astype(np.float32) / 10000, bands=S2_BANDS)
    results = [
        read(
            classify(scene, tmp_path / name, small_classifier, ClassifyOptions(), Silent()).layers[
                "landcover_probabilities"
            ]
        )
        for name, scene in (
            ("a", Scene.open(plain, s2_offset=0.0)),
            ("b", Scene.open(moved, s2_offset=-1000.0)),
            ("c", Scene.open(floats)),
        )
    ]
    np.testing.assert_allclose(results[1].astype(int), results[0], atol=2)
    np.testing.assert_allclose(results[2].astype(int), results[0], atol=2)


@settings(max_examples=40, deadline=None)
@given(st.integers(16, 256), st.integers(1, 256))
def test_cells_divide_patch_and_stride(tile, stride):
    stride = min(stride, tile)
    cell = cell_size(tile, stride)
    assert tile % cell == 0
    assert stride % cell == 0
    assert cell == stride or tile % stride != 0


@pytest.mark.parametrize("stride", [0, -3, 65])
def test_a_stride_that_leaves_gaps_is_refused(scene_files, small_classifier, tmp_path, stride):
    with pytest.raises(InputError, match="stride"):
        classify(Scene.open(scene_files[0]), tmp_path / "o", small_classifier, ClassifyOptions(stride), Silent())
    assert not (tmp_path / "o").exists()


def test_a_scene_without_the_bands_and_a_model_of_another_task_are_refused(
    write_raster, land_dn, small_classifier, small_model, tmp_path
):
    few = write_raster("few.tif", land_dn(64, 64)[[1, 2, 3, 7]], bands=("B02", "B03", "B04", "B08"))
    with pytest.raises(InputError, match=r"needs the bands B05.*B12"):
        classify(Scene.open(few), tmp_path / "o", small_classifier, ClassifyOptions(), Silent())
    with pytest.raises(ModelError, match="is for cloud-removal, not for land-cover"):
        find_model(str(small_model.path), "land-cover")


def test_thresholds_outside_their_range_are_refused():
    with pytest.raises(InputError, match="confidence"):
        TrustThresholds(confident=1.5)
    with pytest.raises(InputError, match="reconstructed"):
        TrustThresholds(reconstructed=-0.1)


def test_class_names_become_plain_parts_of_file_names():
    assert slug("Urban/Built-up") == "urban_built_up"
    assert slug("  Snow/Ice ") == "snow_ice"


@pytest.mark.parametrize("name", ["1970_fall_136", "1868_summer_135a", "1868_summer_135b"])
def test_no_artefacts_appear_in_a_real_scene_where_patches_begin(shared, small_classifier, tmp_path, name):
    path = shared / "data" / "scenes" / f"{name}_s2.tif"

    def probabilities(shift: int) -> np.ndarray:
        scene = Scene.open(path, window=(16 * shift, 16 * shift, 320, 320))
        layers = classify(scene, tmp_path / str(shift), small_classifier, ClassifyOptions(), Silent()).layers
        return read(layers["landcover_probabilities"]).astype(int)

    whole = probabilities(0)
    for shift in (1, 2, 3):
        moved = probabilities(shift)
        # away from the ends of the two windows the same patches cover the same cells
        np.testing.assert_allclose(
            moved[:, 4:-8, 4:-8], whole[:, 4 + shift : -8 + shift, 4 + shift : -8 + shift], atol=2
        )


def blended_one_by_one(files, dn: np.ndarray, valid: np.ndarray, task: LandCover) -> np.ndarray:
    """Probabilities and valid fraction of each cell, patch by patch in plain torch: (class + 1, row, column)."""
    card, cell = files.card, task.cell
    picked = dn[[S2_BANDS.index(band) for band in card.bands]].astype(np.float32)
    mean, deviation = (
        np.array(part, np.float32)[:, None, None]
        for part in (card.standardisation.mean, card.standardisation.deviation)
    )
    x = np.where(valid, (picked - mean) / deviation, 0).astype(np.float32)
    module = load_classifier(files)
    total = np.zeros((len(card.classes) + 1, task.layout.height, task.layout.width))
    weights = np.zeros(total.shape[1:])
    for strip in task.layout.strips():
        for tile in strip.tiles:
            rows, columns = (slice(part.start * cell, part.stop * cell) for part in tile.slices)
            patch, known = x[:, rows, columns], valid[rows, columns]
            if not known.any():
                continue
            short = [(0, card.tile - side) for side in patch.shape[1:]]
            patch = np.pad(patch, ((0, 0), *short), mode="reflect")
            with torch.inference_mode():
                p = torch.softmax(module(torch.from_numpy(patch)[None]), 1)[0].numpy()
            here = (slice(None), *tile.slices)
            total[here] += np.append(p, known.sum() / card.tile**2)[:, None, None] * tile.weights
            weights[tile.slices] += tile.weights
    with np.errstate(invalid="ignore"):
        return total / weights


@pytest.mark.parametrize(("runtime", "stride"), [("openvino", 16), ("torch", 16), ("openvino", 24), ("torch", 64)])
def test_patches_in_groups_give_the_results_of_single_patches(
    write_raster, land_dn, small_classifier, tmp_path, runtime, stride
):
    # neither side is a multiple of patch or cell; there is a hole and a corner without data
    dn = land_dn(150, 331)
    dn[:, 40:60, 100:130] = 0
    dn[:, :90, 220:] = 0
    valid = (dn != 0).any(axis=0)
    scene = Scene.open(write_raster("odd.tif", dn, bands=S2_BANDS, nodata=0))
    task = LandCover(scene, small_classifier.card, stride)
    expected = blended_one_by_one(small_classifier, dn, valid, task)
    options = ClassifyOptions(stride=stride, device="cpu", runtime=runtime)
    layers = classify(scene, tmp_path / "out", small_classifier, options, Silent()).layers
    stored = np.concatenate([read(layers["landcover_probabilities"]), read(layers["landcover_evidence"])])
    known = task.known_pixels(valid) > 0
    np.testing.assert_array_equal(stored[0] != 65535, known)
    assert not known.all()
    np.testing.assert_allclose(stored[:, known] / 1e4, expected[:, known], atol=1.2e-4)


def test_patches_are_contiguous_and_padded_by_mirroring(write_raster, land_dn, small_classifier):
    dn = land_dn(50, 90)
    scene = Scene.open(write_raster("low.tif", dn, bands=S2_BANDS))
    task = LandCover(scene, small_classifier.card, 16)
    with scene.reader() as reader:
        strip = task.read(reader, 0, 50)
    columns = [slice(0, 64), slice(16, 80)]
    task.wants(strip, columns)
    for group in ([columns[0], columns[1]], [slice(32, 90)]):
        found = task.encode(strip, [TilePlace(slice(0, 50), part) for part in group])["x"]
        assert found.transpose(0, 2, 3, 1).flags.c_contiguous
        for patch, part in zip(found, group, strict=True):
            short = (0, 0), (0, 14), (0, 64 - (part.stop - part.start))
            np.testing.assert_array_equal(patch, np.pad(strip["x"][:, :, part], short, "reflect"))
        task.take_evidence()


def test_overlapping_patches_share_memory_and_gaps_are_handled(write_raster, land_dn, small_classifier):
    scene = Scene.open(write_raster("wide.tif", land_dn(64, 300), bands=S2_BANDS))
    task = LandCover(scene, small_classifier.card, 16)
    with scene.reader() as reader:
        strip = task.read(reader, 0, 64)
    task.wants(strip, [slice(0, 64)])
    kept = []
    for starts, stride in (((0, 16, 32), 16), ((16, 80), None), ((0, 16, 48), None), ((200, 236), 36), ((8,), None)):
        group = [slice(start, start + 64) for start in starts]
        found = task.encode(strip, [TilePlace(slice(0, 64), part) for part in group])["x"]
        assert neighbours_stride(found) == stride
        kept.append((found, np.stack([strip["x"][:, :, part] for part in group])))
    # all are still in the network, so none may share memory with another
    for found, expected in kept:
        np.testing.assert_array_equal(found, expected)


class Recording:
    """A runtime for batches of three tiles that doubles each and counts them; results are overwritten."""

    label, batch = "recording", 3

    def __init__(self):
        self.waiting, self.groups, self.memory = [], [], np.zeros((3, 2), np.float32)

    @property
    def pending(self):
        return len(self.waiting)

    @property
    def room(self):
        return not self.waiting

    def submit(self, inputs):
        tiles = inputs["x"]
        self.groups.append(len(tiles))
        self.waiting.append(tiles[:, :2, 0, 0] * 2)

    def collect(self):
        values = self.waiting.pop(0)
        self.memory[: len(values)] = values
        return (self.memory[: len(values)],)


def test_equal_versions_of_a_patch_are_computed_once():
    one = np.random.default_rng(0).random((7, 2, 4, 4), np.float32)
    other = one.copy()
    other[[1, 2, 4]] += 1
    inner = Recording()
    pair = PairRuntime(inner)
    found = []
    for first in (0, 3, 6):
        while not pair.room:
            found.append([output.copy() for output in pair.collect()])
        pair.submit({"x": np.stack([one[first : first + 3], other[first : first + 3]])})
    while pair.pending:
        found.append([output.copy() for output in pair.collect()])
    before, after = (np.concatenate(parts) for parts in zip(*found, strict=True))
    np.testing.assert_array_equal(before, one[:, :, 0, 0] * 2)
    np.testing.assert_array_equal(after, other[:, :, 0, 0] * 2)
    assert inner.groups == [3, 2, 3, 1, 1]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.data())
def test_sums_over_columns_are_those_of_the_columns(values, data):
    starts = data.draw(st.lists(st.integers(0, len(values) - 1), min_size=1, max_size=9))
    columns = [slice(start, data.draw(st.integers(start + 1, len(values)))) for start in starts]
    found = sums_within(sums_before(np.array(values)), columns)
    assert found.tolist() == [sum(values[part]) for part in columns]


def test_non_finite_probabilities_are_reported(write_raster, land_dn, small_classifier, tmp_path):
    class Broken(Recording):
        def submit(self, inputs):
            self.waiting.append(np.full((len(inputs["x"]), 10), np.nan, np.float32))

        def collect(self):
            return (self.waiting.pop(0),)

    scene = Scene.open(write_raster("a.tif", land_dn(64, 80), bands=S2_BANDS))
    with pytest.raises(ModelError, match="small-landcover gave probabilities that are not finite"):
        classify(scene, tmp_path / "out", small_classifier, ClassifyOptions(), Silent(), runtime=Broken())
    assert not (tmp_path / "out").exists()
