"""Land cover per pixel in QGIS: options, layers, legends and figures, with the real backend and a tiny network."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from algorithms import read, run

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

CHECKOUT = Path(__file__).resolve().parents[2]
HECTARES = 250 * 240 / 100
LEGEND = [
    ("Water", "#419bdf"),
    ("Trees", "#397d49"),
    ("Grass", "#88b053"),
    ("Flooded vegetation", "#7a87c6"),
    ("Crops", "#e49635"),
    ("Shrub and scrub", "#dfc35a"),
    ("Built", "#c4281b"),
    ("Bare", "#a59b8f"),
    ("Snow and ice", "#b39fe1"),
]
GERMAN = [
    "Wasser", "Bäume", "Gras", "Überflutete Vegetation", "Ackerland", "Büsche und Sträucher", "Bebaut",
    "Offener Boden", "Schnee und Eis",
]  # fmt: skip
CENTRE = "601505,5198595 [EPSG:32632]"


@pytest.fixture(scope="module")
def models(backend, tmp_path_factory) -> Path:
    """The folder of `tiny-pixels`."""
    folder = tmp_path_factory.mktemp("models ü")
    script = CHECKOUT / "tests" / "tiny_pixel_classifier.py"
    subprocess.run([backend, "-I", script, folder], check=True, capture_output=True)
    return folder


@pytest.fixture
def real(ready, models, monkeypatch):
    """The plugin with the real backend, which knows the tiny network."""
    monkeypatch.setenv("SUNBREAK_MODELS", str(models))
    return ready


@pytest.fixture
def project(qgis_new_project):
    from qgis.core import QgsProject

    return QgsProject.instance()


@pytest.fixture
def german(plugin_folder, qgis_app, tmp_path):
    """The German translation, and numbers as in German."""
    import importlib.util
    import sys

    from qgis.PyQt.QtCore import QCoreApplication, QLocale, QTranslator

    spec = importlib.util.spec_from_file_location("tools_translations", CHECKOUT / "tools" / "translations.py")
    tool = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = tool
    spec.loader.exec_module(tool)
    path = tmp_path / "de.qm"
    path.write_bytes(tool.compiled(CHECKOUT / "i18n" / "sunbreak_de.ts"))
    translator, before = QTranslator(), QLocale()
    assert translator.load(str(path))
    QCoreApplication.installTranslator(translator)
    QLocale.setDefault(QLocale("de_DE"))
    yield
    QLocale.setDefault(before)
    QCoreApplication.removeTranslator(translator)
    del sys.modules[spec.name]


def execute(algorithm, parameters, destinations, project, feedback):
    """Run an algorithm and load its layers into the project, as the dialog does."""
    from processing.gui import Postprocessing
    from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingOutputLayerDefinition

    context = QgsProcessingContext()
    context.setProject(project)
    context.setFeedback(feedback)
    layers = {name: QgsProcessingOutputLayerDefinition(str(path), project) for name, path in destinations.items()}
    given = {"DEVICE": "cpu"} | parameters | layers
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"sunbreak:{algorithm}")
    results, ok = algorithm.run(given, context, feedback)
    assert ok
    assert Postprocessing.handleAlgorithmResults(algorithm, context, feedback, parameters=given)
    return results


def classify(scene, project, feedback, destinations, **parameters):
    given = {"INPUT": str(scene["s2"]), "MODEL": "tiny-pixels"} | parameters
    return execute("classifylandcover", given, destinations, project, feedback)


def layers_of(project):
    return {layer.name(): layer for layer in project.mapLayers().values()}


def legend(layer):
    return [(entry.label, entry.color.name()) for entry in layer.renderer().classes()]


def numbers_of(lines):
    return [float(line.rpartition(": ")[2].partition(" ha")[0].replace(",", "")) for line in lines if " ha" in line]


# The layers


def test_the_land_cover_has_cells_of_one_pixel_and_the_classes_of_the_network(real, scene, project, feedback, tmp_path):
    import numpy as np

    result = classify(scene, project, feedback, {"OUTPUT": tmp_path / "a.tif", "CONFIDENCE": tmp_path / "b.tif"})
    layers = layers_of(project)
    assert set(layers) == {"Land cover (10 m): S2 tiny", "Confidence: S2 tiny"}
    cover = layers["Land cover (10 m): S2 tiny"]
    assert (cover.width(), cover.height()) == (250, 240)
    assert legend(cover) == LEGEND
    classes = read(result["OUTPUT"])[0]
    assert len(np.unique(classes)) > 5
    areas = json.loads(result["AREAS"])
    shares = {name: figures["hectares"] / HECTARES for name, figures in areas.items() if "hectares" in figures}
    assert sum(shares.values()) == pytest.approx((classes > 0).mean())
    assert shares["flooded_vegetation"] == pytest.approx((classes == 4).mean())


def test_a_patch_classifier_has_its_larger_cells_in_the_name(real, classifiers, scene, project, feedback, tmp_path):
    parameters = {"MODEL": "", "MODEL_FILE": str(classifiers / "tiny-landcover.json"), "STRIDE": 32}
    classify(scene, project, feedback, {"OUTPUT": tmp_path / "a.tif"}, **parameters)
    assert set(layers_of(project)) == {"Land cover (320 m): S2 tiny"}


def test_the_legend_is_german_in_a_german_qgis(german, real, scene, project, feedback, tmp_path):
    classify(scene, project, feedback, {"OUTPUT": tmp_path / "a.tif"})
    (cover,) = project.mapLayers().values()
    assert cover.name() == "Landbedeckung (10 m): S2 tiny"
    assert legend(cover) == [(name, colour) for name, (_, colour) in zip(GERMAN, LEGEND, strict=True)]
    said = feedback.said["info"]
    assert "Fläche jeder Klasse, und die um Klassifikationsfehler korrigierte Fläche mit ihrem 95-%-Intervall:" in said
    assert any(line.startswith("Überflutete Vegetation: ") and ", korrigiert " in line for line in said)


def test_classes_that_have_no_translation_keep_their_own_names(german):
    from sunbreak.plugin.classes import class_label

    assert class_label("Urban/Built-up") == class_label("urban_built_up") == "Siedlung/bebaut"
    assert class_label("shrub_and_scrub") == class_label("Shrub and scrub") == "Büsche und Sträucher"
    assert class_label("Moors and heathland") == "Moors and heathland"
    assert class_label("moors_and_heathland") == "moors and heathland"


def test_all_legends_of_a_run_are_german_with_german_numbers(german, real, scene, project, feedback, tmp_path):
    destinations = {name: tmp_path / f"{name}.tif" for name in ("OUTPUT", "TRUST", "CHANGE", "CLOUD_MASK", "CLEANED")}
    given = {"INPUT": str(scene["s2"]), "S1": str(scene["s1"]), "CLASSIFIER": "tiny-pixels", "CLASS": "none"}
    execute("cleanclassifyexplain", given, destinations, project, feedback)
    legends = {
        name.partition(":")[0]: [label for label, _ in legend(layer)]
        for name, layer in layers_of(project).items()
        if layer.renderer().type() == "paletted"
    }
    assert legends == {
        "Landbedeckung (10 m)": GERMAN,
        "Vertrauen": [
            "gesehen, sicher (Anteil <= 0,1, Konfidenz >= 0,6)",
            "gesehen, unsicher (Anteil <= 0,1, Konfidenz < 0,6)",
            "rekonstruiert, sicher (Anteil > 0,1, Konfidenz >= 0,6)",
            "rekonstruiert, unsicher (Anteil > 0,1, Konfidenz < 0,6)",
        ],
        "Durch Bereinigung geändert": ["unverändert", "durch Bereinigung geändert"],
        "Wolkenmaske": ["wolkenfrei", "dichte Wolke", "dünne Wolke", "Schatten"],
    }


def test_every_entry_that_the_backend_writes_has_a_translation(german, backend):
    from sunbreak.plugin.legends import _translated

    script = (
        "import json; from sunbreak.layers import roles as r; "
        "specs = [r.cloud_mask(), r.source([]), r.changed(), r.trust(.6, .1, 1), r.landcover_change(1)]; "
        "print(json.dumps([kind.name for spec in specs for kind in spec.categories]))"
    )
    written = json.loads(subprocess.run([backend, "-I", "-c", script], capture_output=True, check=True).stdout)
    assert len(written) == 17
    assert [label for label in written if _translated(label) == label] == []
    assert _translated("2021-05-01") == "2021-05-01"


# The options


def test_probabilities_are_asked_for_only_if_their_layer_is_wanted(real, scene, project, feedback, tmp_path):
    classify(scene, project, feedback, {"OUTPUT": tmp_path / "a.tif"})
    assert "--probabilities" not in feedback.said["command"][-1]
    both = {"OUTPUT": tmp_path / "c.tif", "PROBABILITIES": tmp_path / "d.tif"}
    result = classify(scene, project, feedback, both)
    assert "--probabilities" in feedback.said["command"][-1]
    assert feedback.said["warning"] == ["The confidence of the model tiny-pixels was not calibrated."] * 2
    each, cover = read(result["PROBABILITIES"]), read(result["OUTPUT"])[0]
    assert each.shape == (9, 240, 250)
    assert (cover == each.argmax(axis=0) + 1).mean() > 0.99  # equal ones may round to either


@pytest.mark.parametrize("algorithm", ["classifylandcover", "explainclassification", "cleanclassifyexplain"])
def test_a_stride_is_refused_in_one_line_that_says_why(real, scene, tmp_path, algorithm):
    from qgis.core import QgsProcessingException

    model = "CLASSIFIER" if algorithm == "cleanclassifyexplain" else "MODEL"
    given = {"INPUT": str(scene["s2"]), "S1": str(scene["s1"]), model: "tiny-pixels", "DEVICE": "cpu"}
    with pytest.raises(QgsProcessingException) as caught:
        run(algorithm, given | {"STRIDE": 16, "OUTPUT": str(tmp_path / "a.tif")})
    assert "tiny-pixels gives a class for each pixel; there are no patches and no stride" in str(caught.value)
    assert "\n" not in str(caught.value).strip()
    assert list(tmp_path.iterdir()) == []


# Explaining


def test_a_point_explains_its_pixel(real, scene, project, feedback, tmp_path):
    given = {"INPUT": str(scene["s2"]), "MODEL": "tiny-pixels", "CLASS": "Shrub and scrub", "POINT": CENTRE}
    result = execute("explainclassification", given, {"OUTPUT": tmp_path / "a.tif"}, project, feedback)
    (layer,) = project.mapLayers().values()
    assert layer.name() == "Saliency (Shrub and scrub): S2 tiny"
    assert layer.abstract() == "Evidence for Shrub and scrub at one pixel, the one at the point."
    assert layer.metadata().abstract().startswith(layer.abstract())
    assert layer.rasterUnitsPerPixelX() == 10
    lines = feedback.said["info"][feedback.said["info"].index("The pixel at the point:") + 1 :]
    shares = {name: float(share[:-2]) for name, share in (line.split(": ") for line in lines)}
    assert sorted(shares) == sorted(name for name, _ in LEGEND)
    assert sum(shares.values()) == pytest.approx(100, abs=0.5)
    assert max(shares, key=shares.get) == result["PREDICTED_CLASS"]
    assert result["PROBABILITY"] == pytest.approx(max(shares.values()) / 100, abs=6e-4)


@pytest.mark.parametrize(
    ("parameters", "caption"),
    [
        ({"explained_class": "Water", "saliency_sum": "polygons"}, "Evidence for Water, summed over the pixels inside"),
        ({"explained_class": "Water", "saliency_sum": "predicted area"}, "summed over the pixels for which it was"),
        ({"explained_class": "predicted", "saliency_sum": "predicted area"}, "predicted for each pixel, summed over"),
        ({"explained_class": "predicted", "saliency_sum": "pixel"}, "Evidence for the predicted class at one pixel"),
        ({"explained_class": "Forest", "point": [1, 2]}, "Evidence for Forest in the patch around the point."),
        ({"explained_class": "Forest", "point": None}, "Evidence for Forest, from the patches around each place."),
    ],
)
def test_a_saliency_layer_says_what_was_summed(plugin_folder, parameters, caption):
    from sunbreak.plugin.classes import saliency_caption

    assert caption in saliency_caption(parameters)


# The chain and the panel


def test_a_run_of_the_panel_loads_the_layers_and_shows_the_areas(real, scene, project, qt, qgis_canvas):
    from qgis.core import QgsProject, QgsRasterLayer

    for name in ("s1", "s2"):
        QgsProject.instance().addMapLayer(QgsRasterLayer(str(scene[name]), f"place {name}"))
    panel = real._menu.panel
    panel.refresh()
    qt.waitUntil(lambda: panel.classifier.findData("tiny-pixels") >= 0)
    panel.task.setCurrentIndex(panel.task.findData("cleanclassifyexplain"))
    panel.classifier.setCurrentIndex(panel.classifier.findData("tiny-pixels"))
    assert "Gives a class to each pixel." in panel.classifier.card.text()
    assert panel.parameters("cleanclassifyexplain")["CLASSIFIER"] == "tiny-pixels"
    panel.start()
    qt.waitUntil(lambda: panel._run is None)
    assert panel.message.text().startswith("Done: ")
    said = panel.areas.text().splitlines()
    assert said[0].startswith("Area of each class, and the area adjusted for classification error")
    assert sum(numbers_of(said)) == pytest.approx(HECTARES, rel=0.01)
    assert ", adjusted " in said[1] and " ± " in said[1]
    assert said[-1].endswith(" % of this area depends on reconstructed pixels.")
    assert 1 < float(said[-1].partition(" %")[0]) < 90
    layers = {name.rpartition(": ")[0]: layer for name, layer in layers_of(project).items()}
    assert {"Land cover (10 m)", "Trust", "Saliency (predicted class)", "Changed by cleaning"} <= set(layers)
    assert legend(layers["Land cover (10 m)"]) == LEGEND
    assert layers["Trust"].width() == 250
    assert layers["Saliency (predicted class)"].abstract() == (
        "Evidence for the class that was predicted for each pixel, summed over all pixels."
    )
    assert "Probabilities" not in layers
    panel.start()
    assert panel.areas.isHidden()  # they are not those of this run
    panel.cancel()
    qt.waitUntil(lambda: panel._run is None)
