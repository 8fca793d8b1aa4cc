"""Explaining per-pixel networks: the three sums, and mosaics that equal one run over the whole scene."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass

import numpy as np
import pytest
import rasterio
import torch
from hypothesis import given
from hypothesis import strategies as st
from pixel_networks import save_small, small_network
from rasterio.crs import CRS
from rasterio.transform import from_origin
from rasterio.windows import Window
from torch.nn import functional as F

from sunbreak.datasets.simulation import simulate_scene
from sunbreak.errors import InputError
from sunbreak.events import Silent
from sunbreak.jobs.single import ExplainOptions, explain
from sunbreak.landcover.pixel_explanation import around
from sunbreak.models.architectures import load_segmentation
from sunbreak.models.card_landcover import RADIUS
from sunbreak.models.importing import save_segmentation
from sunbreak.scene import S2_BANDS, Grid, Scene

ROWS, COLUMNS, PAD = 120, 201, 160
SEED = 9
METHODS = ["gradcam", "hirescam", "integrated-gradients"]
# single precision puts some units of the network on the other side of 0, which a cell of two pixels shows
CLOSE = {"integrated-gradients": 3e-3}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Tiles of 400 pixels and cores of 112, two by two; the last class is predicted nowhere."""
    module = small_network(SEED)
    with torch.no_grad():
        module.classifier.bias[-1] -= 1e3
    card = save_small(tmp_path_factory.mktemp("card"), tile=400).card
    return save_segmentation(
        module, "small-pixels", tmp_path_factory.mktemp("models"), title="Small",
        description="For tests.", licence="GPL-2.0-or-later", bands=card.bands, tile=400,
        standardisation=card.standardisation, classes=card.classes,
    )  # fmt: skip


@pytest.fixture(scope="module")
def dn() -> np.ndarray:
    found = simulate_scene((ROWS, COLUMNS), 4, cover=0.0).clear
    found[:, 30:50, :25] = 0  # nodata
    return found


@pytest.fixture
def scene(write_raster, dn) -> Scene:
    return Scene.open(write_raster("place.tif", dn, bands=S2_BANDS))


@pytest.fixture(scope="module")
def whole(files, dn) -> Whole:
    """Its graph takes a gigabyte, so that there is one."""
    return Whole(files, dn)


@dataclass
class Whole:
    """The network in one run over the whole scene in a canvas of zeros, by hooks and without tiles."""

    files: object
    dn: np.ndarray

    def __post_init__(self) -> None:
        card = self.files.card
        bands = [S2_BANDS.index(band) for band in card.bands]
        mean, deviation = (np.array(part)[:, None, None] for part in vars(card.standardisation).values())
        self.valid = torch.from_numpy((self.dn > 0).all(axis=0))
        x = torch.from_numpy((self.dn[bands].astype(np.float64) - mean) / deviation) * self.valid
        rows, columns = (-(-size // 16) * 16 - size for size in self.valid.shape)
        self.x = F.pad(x, (PAD, PAD + columns, PAD, PAD + rows))[None].requires_grad_()
        self.model = load_segmentation(self.files).double()
        self.held: dict[str, torch.Tensor] = {}
        held = self.held  # a hook that referred to this object would keep the graph until the next collection
        hooks = [
            self.model.get_submodule(name).register_forward_hook(
                lambda _, given, out, name=name: held.update({name: out})
            )
            for name in ("layer1", "layer2", "layer3", "layer4")
        ]
        self.logits = self.model(self.x)[0, :, PAD : PAD + ROWS, PAD : PAD + COLUMNS]
        for hook in hooks:
            hook.remove()
        self.best = self.logits.detach().argmax(dim=0)

    def class_with_evidence(self, block: str, method: str) -> int:
        """A class on a twentieth of the scene or more, whose map is not empty."""
        shares = torch.bincount(self.best[self.valid], minlength=9) / self.valid.sum()
        kinds = [kind for kind in range(9) if shares[kind] > 0.05]
        if method == "integrated-gradients":  # any will do, and a quicker map chooses it
            block, method = "layer1", "hirescam"
        return self._with_evidence(kinds, lambda kind: (self.best == kind) & self.valid, block, method)[0]

    def evidence_of_some_class(self, counted: torch.Tensor, block: str, method: str):
        """A class whose map for these pixels is not empty, and what `explained` gives for it."""
        kinds = [7] if method == "integrated-gradients" else range(9)
        return self._with_evidence(kinds, lambda kind: counted, block, method)

    def _with_evidence(self, kinds, counted_for, block: str, method: str):
        """The first class whose map is not 0 on a tenth of the scene, or else the one with most of it."""
        most, best = 0.0, None
        for kind in kinds:
            found = self.explained(counted_for(kind), torch.full_like(self.best, kind), block, method)
            if (share := (found[0] > 0).mean()) > most:
                most, best = share, (kind, found)
            if most > 0.1:
                break
        assert best is not None
        return best

    def explained(self, counted: torch.Tensor, kinds: torch.Tensor, block: str, method: str):
        """The map in cells, and its share of each band; `kinds` (row, column) is the class of each pixel."""
        if method == "integrated-gradients":
            return self._integrated(counted, kinds)
        wanted = (self.logits.gather(0, kinds[None])[0] * counted).sum()
        activation = self.held[block]
        gradient, of_input = torch.autograd.grad(wanted, [activation, self.x], retain_graph=True)
        cell = 2 ** int(block[-1])
        rows, columns = (slice(PAD // cell, PAD // cell - (-size // cell)) for size in (ROWS, COLUMNS))
        if method == "gradcam":
            inner = gradient[..., rows, columns]
            gradient = gradient.sum(dim=(2, 3), keepdim=True) / inner[0, 0].numel()
        raw = (gradient * activation).sum(dim=1)[0, rows, columns]
        return F.relu(raw).detach().numpy(), (of_input * self.x).sum(dim=(0, 2, 3)).detach().numpy(), cell

    def _integrated(self, counted: torch.Tensor, kinds: torch.Tensor):
        """Integrated gradients by eight points of the path from 0, in cells of two pixels."""
        x, total = self.x.detach(), 0
        for step in range(8):
            part = ((step + 0.5) / 8 * x).requires_grad_()
            logits = self.model(part)[0, :, PAD : PAD + ROWS, PAD : PAD + COLUMNS]
            total = total + torch.autograd.grad((logits.gather(0, kinds[None])[0] * counted).sum(), part)[0]
        found = (total / 8 * x)[0]
        cells = F.avg_pool2d(found.sum(dim=0)[None, None], 2)[0, 0] * 4
        inner = cells[PAD // 2 : PAD // 2 - (-ROWS // 2), PAD // 2 : PAD // 2 - (-COLUMNS // 2)].numpy()
        return np.maximum(inner, 0), found.sum(dim=(1, 2)).numpy(), 2


def stored(path) -> tuple[np.ndarray, np.ndarray, float]:
    """The layer before it was scaled, where it is known, and the largest difference that its rounding makes."""
    with rasterio.open(path) as layer:
        values = layer.read(1)
        low, high = (float(part) for part in layer.tags()["SUNBREAK_SALIENCY_SCALE"].split())
    return low + values / 1e4 * (high - low), values != 65535, (high - low) / 1e4


def assert_equal(path, expected: np.ndarray, known: np.ndarray | None = None, *, method: str = "") -> None:
    values, found, step = stored(path)
    if known is not None:
        np.testing.assert_array_equal(found, known)
    assert found.any()
    assert expected[found].max() > 0
    np.testing.assert_allclose(
        values[found], expected[found], atol=0.6 * step + CLOSE.get(method, 1e-4) * expected[found].max()
    )


def bands_of(folder, name: str, card) -> list[tuple[float, float]]:
    with (folder / f"place_saliency_{name}_bands.csv").open() as stream:
        rows = {row["band"]: row for row in csv.DictReader(stream)}
    return [(float(rows[band]["attribution"]), float(rows[band]["share"])) for band in card.inputs]


@pytest.mark.parametrize(
    ("method", "block"),
    [
        ("gradcam", "layer4"),
        ("gradcam", "layer2"),
        ("hirescam", "layer4"),
        ("hirescam", "layer1"),
        ("integrated-gradients", "layer4"),
    ],
)
def test_the_mosaic_equals_one_run_over_the_whole_scene(scene, whole, files, tmp_path, method, block):
    kind = whole.class_with_evidence(block, method)
    area = (whole.best == kind) & whole.valid
    name = files.card.classes[kind].name
    result = explain(scene, tmp_path, files, ExplainOptions(name, method, block), Silent())
    expected, bands, cell = whole.explained(area, torch.full_like(whole.best, kind), block, method)
    known = (
        np.add.reduceat(np.add.reduceat(whole.valid.numpy(), range(0, ROWS, cell), 0), range(0, COLUMNS, cell), 1) > 0
    )
    (path,) = result.layers.values()
    assert_equal(path, expected, known, method=method)
    assert 0 < int(area.sum()) == result.numbers["explained_pixels"] < int(whole.valid.sum())
    with rasterio.open(path) as layer:
        assert layer.transform.a == 10 * cell
        said = json.loads(layer.tags()["SUNBREAK_PARAMETERS"])
    assert (said["saliency_sum"], said["saliency_cell"], said["method"]) == ("predicted area", cell, method)
    assert said.get("block") == (None if method == "integrated-gradients" else block)
    slug = path.stem.removeprefix("place_saliency_")
    for (found, share), value in zip(bands_of(tmp_path, slug, files.card), bands / int(area.sum()), strict=True):
        assert found == pytest.approx(value, rel=1e-3, abs=1e-4)
        assert share == pytest.approx(abs(value) * int(area.sum()) / np.abs(bands).sum(), abs=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_the_predicted_class_is_each_pixels_own(scene, whole, files, tmp_path, method):
    result = explain(scene, tmp_path, files, ExplainOptions("predicted", method, "layer3"), Silent())
    expected, _, _ = whole.explained(whole.valid, whole.best, "layer3", method)
    assert_equal(result.layers["saliency_predicted"], expected, method=method)
    assert result.numbers["explained_pixels"] == ROWS * COLUMNS - 20 * 25


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("row", "column"), [(70, 110), (0, 200), (119, 3)])
def test_at_a_point_the_map_is_that_of_one_pixel(scene, whole, files, tmp_path, method, row, column):
    counted = torch.zeros_like(whole.valid)
    counted[row, column] = True
    kind, (expected, bands, cell) = whole.evidence_of_some_class(counted, "layer3", method)
    point = 500000 + 10 * column + 4, 5300000 - 10 * row - 6
    options = ExplainOptions(files.card.classes[kind].name, method, "layer3")
    result = explain(scene, tmp_path, files, options, Silent(), point=point)
    (path,) = result.layers.values()
    values, found, step = stored(path)
    with rasterio.open(path) as layer:
        assert layer.transform.a == 10
        top, left = round((5300000 - layer.transform.f) / 10), round((layer.transform.c - 500000) / 10)
        assert json.loads(layer.tags()["SUNBREAK_PARAMETERS"])["saliency_sum"] == "pixel"
        rows, columns = layer.shape
    pixels = F.interpolate(torch.from_numpy(expected)[None, None], scale_factor=cell, mode="bilinear")[0, 0].numpy()
    pixels = pixels[top : top + rows, left : left + columns]
    if method == "gradcam":  # its scale is the mean over what was read, which is a part of the scene
        scale = values[found].max() / pixels[found].max()
        pixels = pixels * scale
    assert pixels.shape == (rows, columns)
    np.testing.assert_allclose(values[found], pixels[found], atol=0.6 * step + CLOSE.get(method, 1e-4) * pixels.max())
    assert (top, left) == tuple(max(0, place - RADIUS) // 16 * 16 for place in (row, column))
    assert (top + rows, left + columns) == (ROWS, min(COLUMNS, -(-(column + RADIUS + 1) // 16) * 16))
    logits = whole.logits[:, row, column].detach()
    for name, value in zip(files.card.classes, torch.softmax(logits, 0).tolist(), strict=True):
        key = "probability_" + "_".join(name.name.lower().split())
        assert result.numbers[key] == pytest.approx(value, abs=1e-4)
    assert result.numbers["predicted_class"] == files.card.classes[int(logits.argmax())].name
    slug = path.stem.removeprefix("place_saliency_")
    for (value, _), of_band in zip(bands_of(tmp_path, slug, files.card), bands, strict=True):
        assert value == pytest.approx(of_band, rel=1e-3, abs=1e-4)


def square(path, first: int, last: int):
    """Polygons over the pixels from row and column `first` to `last`."""
    left, right, top, bottom = 500000 + 10 * first, 500010 + 10 * last, 5300000 - 10 * first, 5299990 - 10 * last
    ring = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}}
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [ring], "crs": crs}))
    return path


@pytest.mark.parametrize("method", METHODS)
def test_polygons_are_explained_whatever_is_predicted_there(scene, whole, files, tmp_path, method):
    counted = torch.zeros_like(whole.valid)
    counted[5:31, 5:31] = True
    counted &= whole.valid
    kind, (expected, _, cell) = whole.evidence_of_some_class(counted, "layer4", method)
    options = ExplainOptions(files.card.classes[kind].name, method)
    result = explain(scene, tmp_path, files, options, Silent(), polygons=square(tmp_path / "field.geojson", 5, 30))
    # cells as far around as the pixels see: 144 pixels beyond the cell of the last one
    known = np.zeros((-(-ROWS // cell), -(-COLUMNS // cell)), bool)
    reach = 30 // cell + 144 // cell + 1
    known[:reach, :reach] = True
    known[-(-30 // cell) : 50 // cell, : 25 // cell] = False  # nodata
    (path,) = result.layers.values()
    assert_equal(path, expected, known, method=method)
    assert result.numbers["explained_pixels"] == 26 * 26 - 1 * 20
    with rasterio.open(path) as layer:
        assert json.loads(layer.tags()["SUNBREAK_PARAMETERS"])["saliency_sum"] == "polygons"


def test_only_tiles_around_polygons_are_computed(write_raster, land_dn, files, tmp_path):
    wide = Scene.open(write_raster("wide.tif", land_dn(64, 1200), bands=S2_BANDS))
    counts = []

    class Counting(Silent):
        def progress(self, done, total, unit="tiles"):
            counts.append((unit, done, total))

    polygons = square(tmp_path / "field.geojson", 5, 10)
    explain(wide, tmp_path / "out", files, ExplainOptions("trees", "gradcam"), Counting(), polygons=polygons)
    # 11 tiles; of the 2 whose margins reach the field only one has it in its core, and the others are never computed
    assert {unit for unit, _, _ in counts} == {"gradients", "tiles"}
    first = [done for unit, done, _ in counts if unit == "gradients"]
    assert first[1] == 11 - 2 + 1
    values = rasterio.open(tmp_path / "out" / "wide_saliency_trees.tif").read(1)
    known = np.flatnonzero((values != 65535).any(axis=0))
    assert (known.min(), known.max()) == (0, 9)


def test_a_class_that_is_nowhere_gives_an_empty_map_and_a_warning(scene, files, tmp_path):
    for method in METHODS:
        options = ExplainOptions(files.card.classes[-1].name, method)
        result = explain(scene, tmp_path / method, files, options, Silent())
        (path,) = result.layers.values()
        values, found, _ = stored(path)
        # all cells but those without data: of 16 pixels, or of 2
        assert found.sum() == (60 * 101 - 10 * 12 if method == "integrated-gradients" else 8 * 13 - 1)
        assert not values[found].any()
        assert result.numbers["explained_pixels"] == 0
        assert any("predicted nowhere" in text for text in result.warnings)


def test_integrated_gradients_are_the_default_of_pixel_networks_and_ignore_a_block(
    write_raster, land_dn, files, tmp_path
):
    scene = Scene.open(write_raster("small.tif", land_dn(32, 48), bands=S2_BANDS))
    said, maps = [], []
    for name, options in {
        "default": ExplainOptions(),
        "named": ExplainOptions(method="integrated-gradients"),
        "block": ExplainOptions(block="layer2"),
    }.items():
        result = explain(scene, tmp_path / name, files, options, Silent())
        maps.append(stored(result.layers["saliency_predicted"])[0])
        said.append([text for text in result.warnings if "--block layer2 has no effect" in text])
    np.testing.assert_array_equal(maps[0], maps[1])
    np.testing.assert_array_equal(maps[0], maps[2])
    assert [len(texts) for texts in said] == [0, 0, 1]


def test_places_without_data_and_strides_are_refused(scene, files, tmp_path):
    with pytest.raises(InputError, match="the point lies on a pixel without data"):
        explain(scene, tmp_path / "out", files, ExplainOptions(), Silent(), point=(500055, 5300000 - 405))
    with pytest.raises(InputError, match="gives a class for each pixel; there are no patches and no stride"):
        explain(scene, tmp_path / "out", files, ExplainOptions(stride=8), Silent())
    with pytest.raises(InputError, match="lies outside the scene"):
        explain(scene, tmp_path / "out", files, ExplainOptions(), Silent(), point=(0, 0))
    assert not list((tmp_path / "out").glob("*.tif"))


@given(st.integers(1, 900), st.integers(1, 900), st.data())
def test_what_a_point_needs_lies_on_the_grid_of_features(height, width, data):
    row, column = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    grid = Grid(CRS.from_epsg(32632), from_origin(500000, 5300000, 10, 10), width, height)
    needed, shown = around(grid, Window(column, row, 1, 1))
    for window, reach in ((needed, 2 * RADIUS), (shown, RADIUS)):
        for first, size, place, end in (
            (window.row_off, window.height, row, height),
            (window.col_off, window.width, column, width),
        ):
            assert first % 16 == 0
            assert 0 <= first <= max(place - reach, 0)
            assert min(place + reach + 1, end) <= first + size <= end
            assert size <= 2 * reach + 1 + 30
