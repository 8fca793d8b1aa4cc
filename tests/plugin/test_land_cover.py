"""Classifying and explaining from the toolbox, with the real backend and a tiny classifier of random weights."""

from __future__ import annotations

import csv
import json
import re
import time
from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

CLASSES = [
    "Forest", "Shrubland", "Savanna", "Grassland", "Wetlands", "Croplands", "Urban/Built-up", "Snow/Ice", "Barren", "Water",
]  # fmt: skip
HECTARES = 250 * 240 / 100


@pytest.fixture
def real(plugin, backend, classifiers, monkeypatch):
    """The plugin with the real backend set, which knows the tiny classifier."""
    monkeypatch.setenv("SUNBREAK_PYTHON", str(backend))
    monkeypatch.setenv("SUNBREAK_MODELS", str(classifiers))
    return plugin


def run(algorithm, parameters, **keywords):
    import processing

    return processing.run(
        f"sunbreak:{algorithm}", {"MODEL": "tiny-landcover", "DEVICE": "cpu"} | parameters, **keywords
    )


def refusal(algorithm, parameters):
    from qgis.core import QgsProcessingException

    with pytest.raises(QgsProcessingException) as caught:
        run(algorithm, parameters)
    return str(caught.value)


def read(path):
    from osgeo import gdal

    dataset = gdal.Open(str(path))
    return dataset.ReadAsArray().reshape(dataset.RasterCount, dataset.RasterYSize, dataset.RasterXSize)


def files(folder):
    return sorted(path.name for path in folder.rglob("*"))


# Classifying


def test_land_cover_has_the_requested_layers_and_class_names(real, scene, tmp_path, feedback):
    import numpy as np
    from osgeo import gdal

    targets = {"OUTPUT": "cover.tif", "CONFIDENCE": "sure.tif", "PROBABILITIES": "all.tif"}
    result = run(
        "classifylandcover",
        {"INPUT": str(scene["s2"]), **{name: str(tmp_path / file) for name, file in targets.items()}},
        feedback=feedback,
    )
    assert set(result) == {"OUTPUT", "CONFIDENCE", "PROBABILITIES", "MEAN_CONFIDENCE", "AREAS", "SECONDS"}
    assert files(tmp_path) == sorted(
        [f"{name}{suffix}" for name in ("cover", "sure", "all") for suffix in (".tif", ".qml", ".stac.json")]
        + ["cover.tif.aux.xml"]
    )
    cover, sure, each = (read(result[name]) for name in ("OUTPUT", "CONFIDENCE", "PROBABILITIES"))
    assert each.shape[0] == 10
    assert len(np.unique(cover)) > 1
    assert (cover[0] == each.argmax(axis=0) + 1).mean() > 0.99  # equal ones may round to either
    assert (sure[0] == each.max(axis=0)).all()
    assert result["MEAN_CONFIDENCE"] == pytest.approx(sure.mean() * 1e-4, abs=0.02)
    dataset = gdal.Open(result["OUTPUT"])
    band = dataset.GetRasterBand(1)
    band.GetMetadata()  # GDAL 3.6 reads the file beside the raster no earlier
    assert band.GetCategoryNames()[1:] == CLASSES
    lines = [line for line in feedback.said["info"] if line.endswith(" ha")]
    assert sum(float(line.split(": ")[1][:-3].replace(",", "")) for line in lines) == pytest.approx(HECTARES, abs=1)
    assert {line.split(": ")[0] for line in lines} <= set(CLASSES)
    areas = json.loads(result["AREAS"])
    assert sum(figures["hectares"] for figures in areas.values()) == pytest.approx(HECTARES)
    assert not any("adjusted_hectares" in figures for figures in areas.values())


def test_the_classifier_can_be_a_file_and_the_stride_sets_the_cells(real, scene, classifiers, tmp_path):
    from osgeo import gdal

    parameters = {
        "INPUT": str(scene["s2"]),
        "MODEL": "",
        "MODEL_FILE": str(classifiers / "tiny-landcover.json"),
        "STRIDE": 32,
        "OUTPUT": str(tmp_path / "a.tif"),
    }
    assert gdal.Open(run("classifylandcover", parameters)["OUTPUT"]).GetGeoTransform()[1] == 320.0


def test_evidence_of_a_cleaned_scene_has_its_reconstructed_fraction(real, scene, tmp_path):
    import numpy as np
    from osgeo import gdal

    share = gdal.GetDriverByName("GTiff").Create(str(tmp_path / "share.tif"), 250, 240, 1, gdal.GDT_Float32)
    source = gdal.Open(str(scene["s2"]))
    share.SetGeoTransform(source.GetGeoTransform())
    share.SetProjection(source.GetProjection())
    share.GetRasterBand(1).WriteArray(np.repeat(np.arange(250)[None] >= 170, 240, axis=0).astype("float32"))
    del share
    parameters = {
        "INPUT": str(scene["s2"]),
        "RECONSTRUCTED": str(tmp_path / "share.tif"),
        "OUTPUT": str(tmp_path / "a.tif"),
        "EVIDENCE": str(tmp_path / "b.tif"),
    }
    result = run("classifylandcover", parameters)
    evidence = read(result["EVIDENCE"])
    assert evidence.shape[0] == 2
    assert (evidence[1, :, :6] == 0).all()
    assert (evidence[1, :, -2:] > 9000).all()
    assert result["RECONSTRUCTED_SHARE"] == pytest.approx(1 / 3, abs=0.05)
    message = refusal("classifylandcover", parameters | {"EVIDENCE": str(tmp_path / "share.tif")})
    assert "would replace the input (Reconstructed fraction" in message


def test_a_model_of_another_task_is_refused_in_one_line(real, scene, tmp_path):
    parameters = {"INPUT": str(scene["s2"]), "MODEL": "uncrtaints-guided", "OUTPUT": str(tmp_path / "a.tif")}
    message = refusal("classifylandcover", parameters)
    assert "uncrtaints-guided is for cloud-removal, not for land-cover" in message
    assert files(tmp_path) == []


# Explaining


def test_the_whole_scene_is_explained_with_a_table_of_bands(real, scene, tmp_path):
    result = run(
        "explainclassification",
        {"INPUT": str(scene["s2"]), "OUTPUT": str(tmp_path / "a.tif"), "BANDS": str(tmp_path / "b.csv")},
    )
    assert set(result) == {"OUTPUT", "BANDS", "STRONGEST_BAND", "STRONGEST_BAND_SHARE", "SECONDS"}
    assert files(tmp_path) == ["a.qml", "a.stac.json", "a.tif", "b.csv"]
    saliency = read(result["OUTPUT"])
    assert saliency.max() == 10_000
    assert (saliency == 0).any()
    with Path(result["BANDS"]).open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert sum(float(row["share"]) for row in rows) == pytest.approx(1, abs=1e-4)
    assert rows[0]["band"] == result["STRONGEST_BAND"]
    assert float(rows[0]["share"]) == pytest.approx(result["STRONGEST_BAND_SHARE"], abs=1e-5)


def test_a_point_from_the_canvas_is_transformed_to_the_scene_crs(real, scene, tmp_path, feedback):
    from osgeo import gdal
    from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsPointXY, QgsProject

    point = QgsPointXY(601_205.0, 5_198_595.0)
    degrees = QgsCoordinateTransform(
        QgsCoordinateReferenceSystem("EPSG:32632"), QgsCoordinateReferenceSystem("EPSG:4326"), QgsProject.instance()
    ).transform(point)
    written = {"a": f"{point.x()},{point.y()} [EPSG:32632]", "b": f"{degrees.x()},{degrees.y()} [EPSG:4326]"}
    results = {
        name: run(
            "explainclassification",
            {"INPUT": str(scene["s2"]), "CLASS": "Croplands", "POINT": text, "OUTPUT": str(tmp_path / f"{name}.tif")},
            feedback=feedback,
        )
        for name, text in written.items()
    }
    dataset = gdal.Open(results["a"]["OUTPUT"])
    assert (dataset.RasterXSize, dataset.RasterYSize) == (64, 64)
    left, pixel, _, top, _, _ = dataset.GetGeoTransform()
    assert (left + 32 * pixel, top - 32 * pixel) == (601_200.0, 5_198_600.0)
    assert (read(results["a"]["OUTPUT"]) == read(results["b"]["OUTPUT"])).all()
    assert results["a"]["PREDICTED_CLASS"] in CLASSES
    shares = [
        float(found[1]) for line in feedback.said["info"] if (found := re.match(r"[A-Za-z/-]+: ([\d.]+) %$", line))
    ]
    assert len(shares) == 20
    assert sum(shares[:10]) == pytest.approx(100, abs=0.6)
    assert shares[0] == max(shares)
    assert "The patch around the point:" in feedback.said["info"]
    assert results["a"]["PROBABILITY"] == pytest.approx(shares[0] / 100, abs=6e-4)


@pytest.fixture
def parcels():
    """A layer in Web Mercator with two rectangles of the scene, west and east."""
    from qgis.core import (
        QgsCoordinateReferenceSystem,
        QgsCoordinateTransform,
        QgsFeature,
        QgsGeometry,
        QgsProject,
        QgsRectangle,
        QgsVectorLayer,
    )

    layer = QgsVectorLayer("MultiPolygon?crs=EPSG:3857&field=name:string", "parcels", "memory")
    turn = QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:32632"), layer.crs(), QgsProject.instance())
    for west in (600_300, 601_700):
        feature = QgsFeature(layer.fields())
        geometry = QgsGeometry.fromRect(QgsRectangle(west, 5_197_800, west + 800, 5_199_400))
        geometry.transform(turn)
        feature.setGeometry(geometry)
        layer.dataProvider().addFeature(feature)
    layer.updateExtents()
    yield layer
    QgsProject.instance().clear()


def columns_with_data(path):
    from osgeo import gdal

    dataset = gdal.Open(str(path))
    left, pixel, *_ = dataset.GetGeoTransform()
    known = (read(path)[0] != 65535).any(axis=0).nonzero()[0]
    return [left + (column + 0.5) * pixel for column in known]


def test_selected_polygons_of_any_crs_limit_the_explanation(real, scene, parcels, tmp_path):
    from qgis.core import QgsProcessingFeatureSourceDefinition, QgsProject

    QgsProject.instance().addMapLayer(parcels)
    parameters = {"INPUT": str(scene["s2"]), "STRIDE": 8, "OUTPUT": str(tmp_path / "a.tif")}
    known = columns_with_data(run("explainclassification", parameters | {"POLYGONS": parcels})["OUTPUT"])
    assert min(known) == pytest.approx(600_300, abs=120)
    assert max(known) == pytest.approx(602_500, abs=120)
    parcels.selectByIds([1])
    chosen = QgsProcessingFeatureSourceDefinition(parcels.id(), selectedFeaturesOnly=True)
    known = columns_with_data(run("explainclassification", parameters | {"POLYGONS": chosen})["OUTPUT"])
    assert max(known) == pytest.approx(601_100, abs=120)
    parcels.removeSelection()
    message = refusal("explainclassification", parameters | {"POLYGONS": chosen})
    assert 'layer "parcels" has no polygons' in message


def test_straight_edges_in_the_layer_crs_keep_their_position(real, tmp_path):
    from qgis.core import (
        QgsCoordinateReferenceSystem,
        QgsCoordinateTransform,
        QgsFeature,
        QgsGeometry,
        QgsProcessingContext,
        QgsProcessingFeatureSource,
        QgsProject,
        QgsRectangle,
        QgsVectorLayer,
    )

    from sunbreak.plugin.polygons import write_geojson

    context, crs = QgsProcessingContext(), QgsCoordinateReferenceSystem("EPSG:32632")
    layer = QgsVectorLayer("Polygon?crs=EPSG:32632", "long", "memory")
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(600_000, 5_000_000, 700_000, 5_000_100)))
    layer.dataProvider().addFeature(feature)
    scene = QgsRectangle(600_000, 4_990_000, 710_000, 5_100_000)
    source = QgsProcessingFeatureSource(layer, context)
    write_geojson(source, tmp_path / "p.geojson", scene, crs, context)
    ring = json.loads((tmp_path / "p.geojson").read_text())["features"][0]["geometry"]["coordinates"][0]
    back = QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:4326"), crs, QgsProject.instance())
    outline = QgsGeometry.fromWkt("LINESTRING(" + ",".join(f"{x} {y}" for x, y in ring) + ")").densifyByCount(3)
    outline.transform(back)
    middle = [vertex.y() for vertex in outline.vertices() if 640_000 < vertex.x() < 660_000 and vertex.y() < 5_000_050]
    assert len(middle) > 50
    assert max(abs(y - 5_000_000) for y in middle) < 0.01


def test_unknown_places_and_classes_are_refused_without_leftovers(real, scene, parcels, tmp_path):
    parameters = {"INPUT": str(scene["s2"]), "OUTPUT": str(tmp_path / "a.tif")}
    outside, inside = "500000,5198595 [EPSG:32632]", "601205,5198595 [EPSG:32632]"
    assert "lies outside the scene" in refusal("explainclassification", parameters | {"POINT": outside})
    assert "Tundra" in refusal("explainclassification", parameters | {"CLASS": "Tundra"})
    both = parameters | {"POINT": inside, "POLYGONS": parcels}
    assert "Both a point and polygons" in refusal("explainclassification", both)
    table = parameters | {"BANDS": str(tmp_path / "b.txt")}
    assert 'does not end in ".csv"' in refusal("explainclassification", table)
    assert files(tmp_path) == []


# The dialog


def wait_for(condition, qgis_app):
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        qgis_app.processEvents()
        time.sleep(0.02)
    return condition()


def test_the_dialog_offers_the_classes_of_the_chosen_classifier(plugin, qgis_iface, qgis_app, monkeypatch, tmp_path):
    import processing
    from qgis.gui import QgsBrowserGuiModel

    rows = [
        {"name": "first", "task": "land-cover", "classes": ["Forest", "Water"], "default": True},
        {"name": "second", "task": "land-cover", "classes": ["Ice"]},
        {"name": "old", "task": "land-cover"},
        {"name": "cleaner", "task": "cloud-removal", "default": True},
    ]
    backend = tmp_path / "backend"
    backend.write_text(f"#!/bin/sh\necho '{json.dumps(rows)}'\n")
    backend.chmod(0o755)
    monkeypatch.setenv("SUNBREAK_PYTHON", str(backend))
    monkeypatch.setattr(qgis_iface, "browserModel", lambda: QgsBrowserGuiModel(), raising=False)
    dialog = processing.createAlgorithmDialog("sunbreak:cleanclassifyexplain", {})
    wrappers = dialog.mainWidget().wrappers
    classifier, chosen, removal = (wrappers[name] for name in ("CLASSIFIER", "CLASS", "MODEL"))

    def offered():
        return [chosen.widget.itemData(index) for index in range(chosen.widget.count())]

    assert wait_for(lambda: classifier.widget.count() == 4 and removal.widget.count() == 2, qgis_app)
    assert offered() == ["predicted", "none", "Forest", "Water"]
    assert chosen.value() == "predicted"
    chosen.setValue("Water")
    classifier.setValue("second")
    assert offered() == ["predicted", "none", "Ice"]
    assert chosen.value() == "Water"  # the choice is kept: the backend refuses it and lists its class names
    classifier.setValue("old")
    assert offered() == ["predicted", "none"]
    classifier.setValue("")
    assert offered() == ["predicted", "none", "Forest", "Water"]
    chosen.setValue("")
    assert chosen.value() == "predicted"
    dialog.close()


def test_in_the_model_designer_the_class_is_a_name_or_an_input(real, qgis_app):
    from processing.modeler.ModelerParametersDialog import ModelerParametersDialog
    from qgis.core import (
        QgsApplication,
        QgsProcessingModelAlgorithm,
        QgsProcessingModelChildParameterSource,
        QgsProcessingModelParameter,
        QgsProcessingParameterString,
    )

    from sunbreak.plugin.bridge import asking

    model = QgsProcessingModelAlgorithm("designed", "tests")
    model.addModelParameter(QgsProcessingParameterString("NAME", "Which class"), QgsProcessingModelParameter("NAME"))
    algorithm = QgsApplication.processingRegistry().algorithmById("sunbreak:explainclassification")
    dialog = ModelerParametersDialog(algorithm, model)
    wrapper = dialog.widget.widget.wrappers["CLASS"]
    assert wait_for(lambda: not asking.open_questions(), qgis_app)
    assert [source.staticValue() for source in dialog.createAlgorithm().parameterSources()["CLASS"]] == ["predicted"]
    wrapper.setValue("Water")
    assert [source.staticValue() for source in dialog.createAlgorithm().parameterSources()["CLASS"]] == ["Water"]
    wrapper.setValue([QgsProcessingModelChildParameterSource.fromModelParameter("NAME")])
    assert wrapper.widget.currentText() == "Which class"
    assert [source.parameterName() for source in dialog.createAlgorithm().parameterSources()["CLASS"]] == ["NAME"]
    dialog.close()
