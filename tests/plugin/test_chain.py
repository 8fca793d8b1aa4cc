"""The chain from the toolbox: every layer, the report, and one ordered group of layers in the project."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

RASTERS = {
    "OUTPUT": "Land cover (160 m)",
    "TRUST": "Trust",
    "SALIENCY": "Saliency (Croplands)",
    "CHANGE": "Changed by cleaning",
    "CONFIDENCE": "Confidence",
    "ENTROPY": "Entropy",
    "PROBABILITIES": "Probabilities",
    "EVIDENCE": "Evidence",
    "CLEANED": "Cleaned scene",
    "UNCERTAINTY": "Uncertainty",
    "RECONSTRUCTED": "Reconstructed",
    "CLOUD_MASK": "Cloud mask",
    "CLOUD_PROBABILITY": "Cloud probability",
}
TOP_TO_BOTTOM = [
    "Trust", "Saliency (Croplands)", "Land cover (160 m)", "Changed by cleaning", "Confidence", "Entropy", "Probabilities",
    "Evidence", "Cloud mask", "Cloud probability", "Reconstructed", "Uncertainty", "Cleaned scene",
]  # fmt: skip


@pytest.fixture
def real(plugin, backend, classifiers, monkeypatch):
    """The plugin with the real backend set, which knows the tiny classifier."""
    from processing.gui import Postprocessing

    monkeypatch.setattr(Postprocessing, "iface", None, raising=False)  # pytest-qgis's has no layer tree view
    monkeypatch.setenv("SUNBREAK_PYTHON", str(backend))
    monkeypatch.setenv("SUNBREAK_MODELS", str(classifiers))
    return plugin


@pytest.fixture
def project(qgis_new_project):
    from qgis.core import QgsProject

    return QgsProject.instance()


def execute(algorithm, parameters, destinations, project, feedback):
    """Run an algorithm and load its layers into the project, as the dialog does."""
    from processing.gui import Postprocessing
    from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingOutputLayerDefinition

    context = QgsProcessingContext()
    context.setProject(project)
    context.setFeedback(feedback)
    layers = {name: QgsProcessingOutputLayerDefinition(str(path), project) for name, path in destinations.items()}
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"sunbreak:{algorithm}")
    results, ok = algorithm.run(parameters | layers, context, feedback)
    assert ok
    assert Postprocessing.handleAlgorithmResults(algorithm, context, feedback, parameters=parameters | layers)
    return results


def chain(scene, folder, project, feedback, outputs=tuple(RASTERS), **parameters):
    given = {
        "INPUT": str(scene["s2"]),
        "S1": str(scene["s1"]),
        "CLASSIFIER": "tiny-landcover",
        "CLASS": "Croplands",
        "DEVICE": "cpu",
        **parameters,
    }
    destinations = {name: folder / f"{name.lower()}.tif" for name in outputs}
    return execute("cleanclassifyexplain", given, destinations, project, feedback)


def read(path):
    from osgeo import gdal

    dataset = gdal.Open(str(path))
    return dataset.ReadAsArray().reshape(dataset.RasterCount, dataset.RasterYSize, dataset.RasterXSize)


def names(group):
    return [child.name().removesuffix(": S2 tiny") for child in group.children()]


def test_the_chain_gives_one_ordered_group_and_a_report(real, scene, tmp_path, project, feedback):
    import numpy as np
    from qgis.core import QgsVectorLayer

    project.addMapLayer(QgsVectorLayer("Point?crs=EPSG:4326", "already there", "memory"))
    result = chain(scene, tmp_path, project, feedback, REPORT=str(tmp_path / "r.html"), BANDS=str(tmp_path / "b.csv"))

    root = project.layerTreeRoot()
    assert [child.name() for child in root.children()][1:] == ["already there"]
    group = root.children()[0]
    assert group.name().startswith("S2 tiny, 20")
    assert names(group) == TOP_TO_BOTTOM
    shown = {child.name().removesuffix(": S2 tiny") for child in group.children() if child.isVisible()}
    assert shown == {"Land cover (160 m)", "Cleaned scene"}
    assert {child.layer().opacity() for child in group.children()} == {0.7, 1.0}
    assert len(project.mapLayers()) == 14

    styles = {child.name().removesuffix(": S2 tiny"): child.layer().renderer() for child in group.children()}
    assert [entry.label for entry in styles["Land cover (160 m)"].classes()][0::9] == ["Forest", "Water"]
    labels = [entry.label for entry in styles["Trust"].classes()]
    assert labels[0] == "seen, confident (share <= 0.1, confidence >= 0.6)"
    assert len({entry.color.name() for entry in styles["Trust"].classes()}) == 4
    assert styles["Cleaned scene"].type() == "multibandcolor"
    ramp = styles["Saliency (Croplands)"].shader().rasterShaderFunction().colorRampItemList()
    assert (ramp[0].color.alpha(), ramp[-1].color.alpha()) == (0, 255)

    assert set(result) == {
        *RASTERS, "REPORT", "BANDS", "QUICKLOOK", "CLOUD_SHARE", "THIN_CLOUD_SHARE", "SHADOW_SHARE",
        "RECONSTRUCTED_SHARE", "RECONSTRUCTED_EVIDENCE", "MEAN_CONFIDENCE", "CHANGED_SHARE", "AREAS", "SEEN_CONFIDENT", "SEEN_UNSURE",
        "RECONSTRUCTED_CONFIDENT", "RECONSTRUCTED_UNSURE", "SECONDS",
    }  # fmt: skip
    shares = [result[f"{seen}_{sure}"] for seen in ("SEEN", "RECONSTRUCTED") for sure in ("CONFIDENT", "UNSURE")]
    assert sum(shares) == pytest.approx(1)
    trust = read(result["TRUST"])[0]
    for value, share in enumerate(shares, 1):
        assert share == pytest.approx((trust == value).sum() / (trust > 0).sum(), abs=0.03)
    changed = read(result["CHANGE"])[0]
    assert result["CHANGED_SHARE"] == pytest.approx((changed == 2).sum() / (changed > 0).sum(), abs=0.03)
    assert 0.05 < result["CLOUD_SHARE"] <= result["RECONSTRUCTED_SHARE"] < 0.8
    assert 0.01 < result["SHADOW_SHARE"] <= result["RECONSTRUCTED_SHARE"]
    clear = read(result["RECONSTRUCTED"])[0] == 0
    assert (read(result["CLEANED"])[:, clear] == read(scene["s2"])[:, clear]).all()
    report = Path(result["REPORT"]).read_text(encoding="utf-8")
    assert report.startswith("<!DOCTYPE html>")
    assert "S2 tiny" in report
    assert Path(result["BANDS"]).read_text().startswith("band,")
    assert Path(result["QUICKLOOK"]).name == "output_quicklook.png"
    assert feedback.steps[-1] == 100.0
    assert np.diff(feedback.steps[: feedback.steps.index(100.0)]).min() >= 0


def test_every_run_has_its_own_group_without_impossible_outputs(real, scene, tmp_path, project, feedback):
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        outputs = ("OUTPUT", "CLEANED", "SALIENCY", "TRUST")
        result = chain(
            scene, tmp_path / run, project, feedback, outputs, CLASS="none", BANDS=str(tmp_path / "b.csv"), STRIDE=32,
            CONFIDENT_FROM=0.25, RECONSTRUCTED_ABOVE=0.5, EXTENT="601000,602500,5198200,5199700 [EPSG:32632]",
        )  # fmt: skip
        assert not {"SALIENCY", "BANDS"} & set(result)
    groups = project.layerTreeRoot().children()
    assert [names(group) for group in groups] == [["Trust", "Land cover (320 m)", "Cleaned scene"]] * 2
    labels = [entry.label for entry in groups[0].children()[0].layer().renderer().classes()]
    assert labels[3] == "reconstructed, unsure (share > 0.5, confidence < 0.25)"
    said = " ".join(feedback.said["warning"])
    assert 'gives no "saliency"' in said
    assert 'gives no "bands.csv"' in said
    assert not (tmp_path / "b.csv").exists()
    assert not (tmp_path / "one" / "saliency.tif").exists()


def test_the_group_is_in_the_results_group_of_the_user(real, scene, tmp_path, project, feedback):
    from processing.core.ProcessingConfig import ProcessingConfig

    before = ProcessingConfig.getSetting(ProcessingConfig.RESULTS_GROUP_NAME)
    ProcessingConfig.setSettingValue(ProcessingConfig.RESULTS_GROUP_NAME, "results")
    try:
        destinations = {"OUTPUT": tmp_path / "a.tif", "CLOUD_PROBABILITY": tmp_path / "b.tif"}
        execute("detectclouds", {"INPUT": str(scene["s2"])}, destinations, project, feedback)
    finally:
        ProcessingConfig.setSettingValue(ProcessingConfig.RESULTS_GROUP_NAME, before or "")
    (outer,) = project.layerTreeRoot().children()
    assert outer.name() == "results"
    (inner,) = outer.children()
    assert names(inner) == ["Cloud mask", "Cloud probability"]
    assert [child.isVisible() for child in inner.children()] == [True, False]


def test_a_run_that_rewrites_files_moves_their_layers(real, scene, tmp_path, project, feedback, qgis_app):
    destinations = {"OUTPUT": tmp_path / "a.tif", "CLOUD_PROBABILITY": tmp_path / "b.tif"}
    for extent in ("601000,602500,5198200,5199700 [EPSG:32632]", "601000,602000,5198200,5199700 [EPSG:32632]"):
        parameters = {"INPUT": str(scene["s2"]), "EXTENT": extent}
        execute("detectclouds", parameters, destinations, project, feedback)
        qgis_app.processEvents()
    (group,) = project.layerTreeRoot().children()
    assert names(group) == ["Cloud mask", "Cloud probability"]
    assert len(project.mapLayers()) == 2


def test_a_single_layer_needs_no_group(real, scene, tmp_path, project, feedback):
    execute("detectclouds", {"INPUT": str(scene["s2"])}, {"OUTPUT": tmp_path / "a.tif"}, project, feedback)
    assert [child.name() for child in project.layerTreeRoot().children()] == ["Cloud mask: S2 tiny"]


def test_names_and_positions_of_a_model_author_are_kept(real, scene, tmp_path, project, feedback):
    from processing.gui import Postprocessing
    from qgis.core import (
        QgsProcessingContext,
        QgsProcessingModelAlgorithm,
        QgsProcessingModelChildAlgorithm,
        QgsProcessingModelChildParameterSource,
        QgsProcessingModelOutput,
        QgsProcessingModelParameter,
        QgsProcessingOutputLayerDefinition,
        QgsProcessingParameterRasterLayer,
    )

    source = QgsProcessingModelChildParameterSource
    model = QgsProcessingModelAlgorithm("modelled", "tests")
    model.addModelParameter(QgsProcessingParameterRasterLayer("SCENE", "Scene"), QgsProcessingModelParameter("SCENE"))
    child = QgsProcessingModelChildAlgorithm("sunbreak:detectclouds")
    child.setChildId("detect")
    child.addParameterSources("INPUT", [source.fromModelParameter("SCENE")])
    outputs = {}
    for title, name in (("My mask", "OUTPUT"), ("My probability", "CLOUD_PROBABILITY")):
        outputs[title] = QgsProcessingModelOutput(title, title)
        outputs[title].setChildId("detect")
        outputs[title].setChildOutputName(name)
    child.setModelOutputs(outputs)
    model.addChildAlgorithm(child)
    context = QgsProcessingContext()
    context.setProject(project)
    parameters = {"SCENE": str(scene["s2"])} | {
        f"detect:{title}": QgsProcessingOutputLayerDefinition(str(tmp_path / f"{title}.tif"), project)
        for title in outputs
    }
    _, ok = model.run(parameters, context, feedback)
    assert ok
    assert Postprocessing.handleAlgorithmResults(model, context, feedback, parameters=parameters)
    tree = project.layerTreeRoot()
    assert sorted(child.name() for child in tree.children()) == ["My mask", "My probability"]
    styled = {node.name(): node.layer().renderer().type() for node in tree.children()}
    assert styled == {"My mask": "paletted", "My probability": "singlebandpseudocolor"}
