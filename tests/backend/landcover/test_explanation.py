"""Explaining a classification: one scale per scene, no seams, the paper's map at a point, band contributions."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import rasterio
import torch

from sunbreak.errors import InputError
from sunbreak.events import Silent
from sunbreak.jobs.single import ExplainOptions, explain
from sunbreak.landcover.explanation import normalised
from sunbreak.landcover.faithfulness import measure
from sunbreak.models import cam
from sunbreak.models.architectures import load_classifier
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.scene.points_and_polygons import burn, parse_point


def read(path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()


def standardised(files, dn: np.ndarray) -> torch.Tensor:
    card = files.card
    picked = dn[[S2_BANDS.index(band) for band in card.bands]].astype(np.float32)
    standard = card.standardisation
    mean, deviation = (np.array(part, np.float32)[:, None, None] for part in (standard.mean, standard.deviation))
    return torch.from_numpy((picked - mean) / deviation)[None]


@pytest.fixture
def place(write_raster, land_dn):
    dn = land_dn(160, 192)
    return write_raster("place.tif", dn, bands=S2_BANDS), dn


@pytest.mark.parametrize("method", ["gradcam", "hirescam"])
def test_at_a_point_the_map_is_the_papers_own(place, small_classifier, tmp_path, method):
    s2, dn = place
    options = ExplainOptions("Water", method, "layer3")
    # column 100, row 70: the patch of 64 px around it begins at column 68, row 38
    result = explain(
        Scene.open(s2), tmp_path, small_classifier, options, Silent(), point=(500000 + 1005, 5300000 - 705)
    )
    x = standardised(small_classifier, dn[:, 38:102, 68:132])
    model = load_classifier(small_classifier)
    expected = normalised(cam.to_image(cam.explain(model, x, 9, "layer3", method).raw, 64, 64)[0].numpy())[0]
    with rasterio.open(result.layers["saliency_water"]) as layer:
        assert (layer.transform.c, layer.transform.f) == (500680, 5299620)
        np.testing.assert_allclose(layer.read(1) / 1e4, expected, atol=2e-4)
    probabilities = torch.softmax(model(x).detach(), 1)[0]
    for index, name in ((0, "forest"), (6, "urban_built_up"), (9, "water")):
        assert result.numbers[f"probability_{name}"] == pytest.approx(probabilities[index].item(), abs=1e-5)
    assert result.numbers["predicted_class"] == small_classifier.card.classes[int(probabilities.argmax())].name


def test_the_scene_has_one_scale_that_is_stored_in_the_file(place, small_classifier, tmp_path):
    s2, _ = place
    result = explain(Scene.open(s2), tmp_path, small_classifier, ExplainOptions("forest"), Silent())
    with rasterio.open(result.layers["saliency_forest"]) as layer:
        values = layer.read(1)
        low, high = (float(part) for part in layer.tags()["SUNBREAK_SALIENCY_SCALE"].split())
        assert json.loads(layer.tags()["SUNBREAK_PARAMETERS"])["explained_class"] == "Forest"
        assert layer.transform.a == 80  # an eighth of a patch
    assert (values.min(), values.max()) == (0, 10000)
    assert 0 <= low < high == pytest.approx(result.numbers["saliency_maximum"])


def test_no_artefacts_appear_where_patches_begin(place, small_classifier, tmp_path):
    s2, _ = place

    def raw(shift: int) -> np.ndarray:
        scene = Scene.open(s2, window=(8 * shift, 8 * shift, 128, 128))
        layers = explain(scene, tmp_path / str(shift), small_classifier, ExplainOptions(), Silent()).layers
        with rasterio.open(layers["saliency_predicted"]) as layer:
            low, high = (float(part) for part in layer.tags()["SUNBREAK_SALIENCY_SCALE"].split())
            return low + layer.read(1) / 1e4 * (high - low)

    whole, moved = raw(0), raw(3)
    tolerance = 2e-4 * max(whole.max(), moved.max())
    np.testing.assert_allclose(moved[7:-10, 7:-10], whole[10:-7, 10:-7], atol=tolerance)


def test_the_table_of_bands_is_gradient_times_input(place, small_classifier, tmp_path):
    s2, dn = place
    point = (500000 + 1005, 5300000 - 705)
    explain(Scene.open(s2), tmp_path, small_classifier, ExplainOptions("Urban/Built-up"), Silent(), point=point)
    with (tmp_path / "place_saliency_urban_built_up_bands.csv").open() as stream:
        rows = {row["band"]: row for row in csv.DictReader(stream)}
    x = standardised(small_classifier, dn[:, 38:102, 68:132]).requires_grad_()
    (gradient,) = torch.autograd.grad(load_classifier(small_classifier)(x)[0, 6], x)
    expected = (gradient * x).sum(dim=(2, 3))[0].detach().numpy()
    for band, value in zip(small_classifier.card.bands, expected, strict=True):
        assert float(rows[band]["attribution"]) == pytest.approx(value, rel=1e-3, abs=1e-5)
        assert float(rows[band]["share"]) == pytest.approx(abs(value) / np.abs(expected).sum(), abs=1e-4)
    assert [float(row["share"]) for row in rows.values()] == sorted(
        (float(r["share"]) for r in rows.values()), reverse=True
    )


def test_only_the_area_inside_polygons_is_explained(place, small_classifier, tmp_path):
    s2, _ = place
    square = [[500320, 5299680], [500640, 5299680], [500640, 5299360], [500320, 5299360], [500320, 5299680]]
    shape = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}},
        "features": [{"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [square]}}],
    }
    path = tmp_path / "field.geojson"
    path.write_text(json.dumps(shape))
    result = explain(
        Scene.open(s2), tmp_path / "out", small_classifier, ExplainOptions("Water"), Silent(), polygons=path
    )
    known = read(result.layers["saliency_water"])[0] != 65535
    expected = np.zeros((20, 24), bool)
    expected[4:8, 4:8] = True
    np.testing.assert_array_equal(known, expected)
    assert burn(path, Scene.open(s2).grid).sum() == 32 * 32


def test_polygons_in_degrees_are_placed_correctly(place, tmp_path):
    from rasterio.warp import transform_geom

    s2, _ = place
    grid = Scene.open(s2).grid
    corners = [(500400, 5299900), (500800, 5299900), (500800, 5299500), (500400, 5299500), (500400, 5299900)]
    square = {"type": "Polygon", "coordinates": [corners]}
    path = tmp_path / "degrees.geojson"
    path.write_text(json.dumps(transform_geom("EPSG:32632", "EPSG:4326", square)))
    inside = burn(path, grid)
    rows, columns = np.nonzero(inside)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 49, 40, 79)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{", "not a GeoJSON file"),
        ('{"type": "Point", "coordinates": [1, 2]}', "holds no polygon"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}', "cover no pixel"),
        ('{"type": "Polygon", "coordinates": "nowhere"}', "cannot be used"),
    ],
)
def test_unusable_polygons_are_refused_in_one_line(place, tmp_path, content, text):
    path = tmp_path / "bad.geojson"
    path.write_text(content)
    with pytest.raises(InputError, match=text) as caught:
        burn(path, Scene.open(place[0]).grid)
    assert "\n" not in caught.value.message


def test_a_point_without_data_is_one_line_and_leaves_nothing(write_raster, land_dn, small_classifier, tmp_path):
    dn = land_dn(160, 192)
    dn[:, :100, :100] = 0
    scene = Scene.open(write_raster("hole.tif", dn, bands=S2_BANDS))
    with pytest.raises(InputError, match="holds no data at the place to explain") as caught:
        explain(
            scene, tmp_path / "out", small_classifier, ExplainOptions("Water"), Silent(),
            point=(500000 + 305, 5300000 - 305),
        )  # fmt: skip
    assert caught.value.code == "all-nodata"
    assert not (tmp_path / "out").exists()


def test_unknown_points_and_classes_are_refused_before_writing(place, small_classifier, tmp_path):
    scene = Scene.open(place[0])
    out = tmp_path / "out"
    with pytest.raises(InputError, match="has no class 'Lava'") as caught:
        explain(scene, out, small_classifier, ExplainOptions("Lava"), Silent())
    assert "Urban/Built-up" in caught.value.hint
    with pytest.raises(InputError, match="no block 'layer9'"):
        ExplainOptions(block="layer9")
    with pytest.raises(InputError, match="no method 'magic'"):
        ExplainOptions(method="magic")
    with pytest.raises(InputError, match=r"a class to each patch\. Choose gradcam or hirescam"):
        explain(scene, out, small_classifier, ExplainOptions(method="integrated-gradients"), Silent())
    with pytest.raises(InputError, match="lies outside the scene"):
        explain(scene, out, small_classifier, ExplainOptions(), Silent(), point=(0, 0))
    with pytest.raises(InputError, match="is not a point"):
        parse_point("12")
    assert parse_point("12.5,-3e2") == (12.5, -300)
    assert not out.exists()


def test_maps_of_random_weights_differ_and_curves_are_finite(place, small_classifier):
    found = measure(Scene.open(place[0]), small_classifier, Silent(), block="layer2", patches=3, steps=4)
    assert found.patches == 3
    assert list(found.spearman) == ["fc", "layer4", "layer3", "layer2", "layer1", "conv1"]
    assert all(abs(value) < 0.9 for value in found.spearman.values())
    for value in (found.deletion, found.deletion_random, found.insertion, found.insertion_random):
        assert 0 < value < 1
