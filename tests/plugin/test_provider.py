from __future__ import annotations

import ast
import configparser
import os
import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

CHECKOUT = Path(__file__).resolve().parents[2]


def registry():
    from qgis.core import QgsApplication

    return QgsApplication.processingRegistry()


def test_the_provider_is_added_and_removed_with_its_settings(qgis_iface, qgis_processing):
    from processing.core.ProcessingConfig import ProcessingConfig

    import sunbreak

    plugin = sunbreak.classFactory(qgis_iface)
    assert registry().providerById("sunbreak") is None
    plugin.initGui()
    provider = registry().providerById("sunbreak")
    assert sorted(algorithm.id() for algorithm in provider.algorithms()) == [
        "sunbreak:classifylandcover",
        "sunbreak:cleanclassifyexplain",
        "sunbreak:cleanseries",
        "sunbreak:comparescenes",
        "sunbreak:detectclouds",
        "sunbreak:doctor",
        "sunbreak:explainclassification",
        "sunbreak:findscenes",
        "sunbreak:getscenes",
        "sunbreak:inspectscene",
        "sunbreak:processscenes",
        "sunbreak:removeclouds",
    ]
    assert not provider.icon().isNull()
    settings = [setting.name for setting in ProcessingConfig.getSettings()["Sunbreak"]]
    assert settings == ["SUNBREAK_PYTHON", "SUNBREAK_KEEP_BACKEND", "SUNBREAK_SCHEDULER"]
    plugin.unload()
    assert registry().providerById("sunbreak") is None
    assert "Sunbreak" not in ProcessingConfig.getSettings()
    plugin.unload()


def test_the_plugin_can_be_disabled_and_enabled_again(qgis_iface, qgis_processing):
    import sunbreak

    for _ in range(3):
        plugin = sunbreak.classFactory(qgis_iface)
        plugin.initGui()
        plugin.initGui()
        assert registry().providerById("sunbreak") is not None
        plugin.unload()


def test_without_an_interface_processing_alone_is_enough(qgis_processing):
    import sunbreak

    plugin = sunbreak.classFactory(None)
    plugin.initProcessing()
    assert registry().algorithmById("sunbreak:removeclouds") is not None
    plugin.unload()


def test_parameter_and_output_names_never_change(plugin):
    removal = registry().algorithmById("sunbreak:removeclouds")
    assert [parameter.name() for parameter in removal.parameterDefinitions() if not parameter.isDestination()] == [
        "INPUT", "S1", "S1_VH", "DATES", "DATES_FOLDER", "MODEL", "MASK", "DETECTOR", "REPLACE", "MASK_CODING", "EXTENT",
        "S2_UNIT", "S2_OFFSET", "S2_NODATA", "S2_SCALE", "S2_BANDS", "THRESHOLD", "S1_UNIT",
        "DATES_S1", "MODEL_FILE", "REPLACE_ALL", "FEATHER", "BUFFER", "BUFFER_THIN", "BUFFER_SHADOW", "EXACT_CLOUDS", "DEVICE", "PRECISION",
    ]  # fmt: skip
    assert {output.name(): output.type() for output in removal.outputDefinitions()} == {
        "OUTPUT": "outputRaster",
        "UNCERTAINTY": "outputRaster",
        "RECONSTRUCTED": "outputRaster",
        "SOURCE": "outputRaster",
        "GROUND_CHANGED": "outputRaster",
        "CLOUD_PROBABILITY": "outputRaster",
        "CLOUD_MASK": "outputRaster",
        "CLOUD_SHARE": "outputNumber",
        "THIN_CLOUD_SHARE": "outputNumber",
        "SHADOW_SHARE": "outputNumber",
        "RECONSTRUCTED_SHARE": "outputNumber",
        "SECONDS": "outputNumber",
        "QUICKLOOK": "outputFile",
    }
    detection = registry().algorithmById("sunbreak:detectclouds")
    assert [parameter.name() for parameter in detection.parameterDefinitions()] == [
        "INPUT", "DETECTOR", "EXTENT", "S2_UNIT", "S2_OFFSET", "S2_NODATA", "S2_SCALE", "S2_BANDS", "THRESHOLD",
        "EXACT", "OUTPUT", "CLOUD_PROBABILITY",
    ]  # fmt: skip


def test_names_of_the_algorithms_over_several_scenes_never_change(plugin):
    series = registry().algorithmById("sunbreak:cleanseries")
    assert [parameter.name() for parameter in series.parameterDefinitions()] == [
        "INPUT", "LAYERS", "S1", "MODEL", "DETECTOR", "REPLACE", "COUNT", "S2_UNIT", "S2_OFFSET", "S2_NODATA", "S2_SCALE",
        "S2_BANDS", "THRESHOLD", "S1_UNIT", "MODEL_FILE", "REPLACE_ALL", "FEATHER", "BUFFER", "BUFFER_THIN", "BUFFER_SHADOW", "EXACT_CLOUDS",
        "DEVICE", "PRECISION", "WORKERS", "KEEP", "LOAD", "OUTPUT",
    ]  # fmt: skip
    many = registry().algorithmById("sunbreak:processscenes")
    assert [parameter.name() for parameter in many.parameterDefinitions()] == [
        "INPUT", "PATTERN", "LAYERS", "S1_PATTERN", "TABLE", "TASK", "MODEL", "CLASSIFIER", "CLASS", "DETECTOR",
        "REPLACE", "OTHER_DATES", "COUNT", "MASK_CODING", "S2_UNIT", "S2_OFFSET", "S2_NODATA", "S2_SCALE", "S2_BANDS",
        "THRESHOLD", "S1_UNIT", "MODEL_FILE", "CLASSIFIER_FILE", "REPLACE_ALL", "FEATHER", "BUFFER", "BUFFER_THIN",
        "BUFFER_SHADOW", "EXACT_CLOUDS", "STRIDE", "METHOD", "BLOCK", "CONFIDENT_FROM", "RECONSTRUCTED_ABOVE",
        "PROBABILITIES", "DEVICE", "PRECISION", "WORKERS", "KEEP", "LOAD", "OUTPUT",
    ]  # fmt: skip
    for algorithm in (series, many):
        assert {output.name(): output.type() for output in algorithm.outputDefinitions()} == {
            "OUTPUT": "outputFolder",
            **dict.fromkeys(["DONE", "FAILED", "SKIPPED", "SECONDS"], "outputNumber"),
            "SUMMARY": "outputFile",
        }


def test_names_of_the_inspection_never_change(plugin):
    inspection = registry().algorithmById("sunbreak:inspectscene")
    assert [parameter.name() for parameter in inspection.parameterDefinitions()] == [
        "INPUT", "S1", "S1_VH", "MASK", "DATES", "DETECTOR", "MASK_CODING", "EXTENT", "S2_UNIT", "S2_OFFSET",
        "S2_NODATA", "S2_SCALE", "S2_BANDS", "S1_UNIT", "OUTPUT", "JSON", "PICTURE",
    ]  # fmt: skip
    assert {output.name(): output.type() for output in inspection.outputDefinitions()} == {
        "OUTPUT": "outputHtml", "JSON": "outputFile", "PICTURE": "outputFile", "TEXT": "outputString",
    }  # fmt: skip


def test_names_of_the_searches_never_change(plugin):
    query = ["EXTENT", "DATE", "DAYS", "MAX_CLOUD", "LEVEL", "CATALOGUE", "PROFILE"]
    find, get = (registry().algorithmById(f"sunbreak:{name}") for name in ("findscenes", "getscenes"))
    assert [parameter.name() for parameter in find.parameterDefinitions()] == [*query, "OUTPUT", "TABLE", "JSON"]
    assert {output.name(): output.type() for output in find.outputDefinitions()} == {
        "OUTPUT": "outputVector", "TABLE": "outputHtml", "JSON": "outputFile", "COUNT": "outputNumber",
        "SCENE": "outputString", "RADAR": "outputString",
    }  # fmt: skip
    ids = ["SCENE", "RADAR", "OTHER_DATES", "OTHER_DATES_RADAR"]
    assert [parameter.name() for parameter in get.parameterDefinitions()] == [*query, *ids, "LOAD", "OUTPUT"]
    assert {output.name(): output.type() for output in get.outputDefinitions()} == {
        "OUTPUT": "outputFolder", "S2": "outputRaster", "S1": "outputRaster", "DATES_FOLDER": "outputFolder",
    }  # fmt: skip


def test_land_cover_parameter_and_output_names_never_change(plugin):
    def inputs(name):
        algorithm = registry().algorithmById(f"sunbreak:{name}")
        return [parameter.name() for parameter in algorithm.parameterDefinitions() if not parameter.isDestination()]

    def outputs(name):
        algorithm = registry().algorithmById(f"sunbreak:{name}")
        return {output.name(): output.type() for output in algorithm.outputDefinitions()}

    scene = ["EXTENT", "S2_UNIT", "S2_OFFSET", "S2_NODATA", "S2_SCALE", "S2_BANDS"]
    assert inputs("classifylandcover") == [
        "INPUT", "S1", "S1_VH", "MODEL", "RECONSTRUCTED", *scene, "S1_UNIT", "MODEL_FILE", "STRIDE", "DEVICE",
    ]  # fmt: skip
    assert outputs("classifylandcover") == {
        **dict.fromkeys(["OUTPUT", "CONFIDENCE", "ENTROPY", "PROBABILITIES", "EVIDENCE"], "outputRaster"),
        **dict.fromkeys(["MEAN_CONFIDENCE", "RECONSTRUCTED_SHARE", "SECONDS"], "outputNumber"),
        "AREAS": "outputString",
    }
    assert inputs("explainclassification") == [
        "INPUT", "S1", "S1_VH", "MODEL", "CLASS", "POINT", "POLYGONS", *scene, "S1_UNIT", "MODEL_FILE", "METHOD", "BLOCK",
        "STRIDE", "DEVICE",
    ]  # fmt: skip
    assert outputs("explainclassification") == {
        "OUTPUT": "outputRaster",
        "BANDS": "outputFile",
        **dict.fromkeys(["PROBABILITY", "STRONGEST_BAND_SHARE", "SECONDS"], "outputNumber"),
        **dict.fromkeys(["PREDICTED_CLASS", "STRONGEST_BAND"], "outputString"),
    }
    assert inputs("cleanclassifyexplain") == [
        "INPUT", "S1", "S1_VH", "DATES", "DATES_FOLDER", "MODEL", "CLASSIFIER", "CLASS", "MASK", "DETECTOR", "REPLACE",
        "MASK_CODING", *scene, "THRESHOLD", "S1_UNIT", "DATES_S1", "MODEL_FILE", "CLASSIFIER_FILE", "FEATHER", "BUFFER",
        "BUFFER_THIN", "BUFFER_SHADOW", "EXACT_CLOUDS", "STRIDE", "METHOD", "BLOCK", "CONFIDENT_FROM",
        "RECONSTRUCTED_ABOVE", "DEVICE", "PRECISION",
    ]  # fmt: skip
    rasters = [
        "OUTPUT", "TRUST", "SALIENCY", "CHANGE", "CONFIDENCE", "ENTROPY", "PROBABILITIES", "EVIDENCE", "CLEANED",
        "UNCERTAINTY", "RECONSTRUCTED", "SOURCE", "GROUND_CHANGED", "CLOUD_MASK", "CLOUD_PROBABILITY",
    ]  # fmt: skip
    numbers = [
        "CLOUD_SHARE", "THIN_CLOUD_SHARE", "SHADOW_SHARE", "RECONSTRUCTED_SHARE", "RECONSTRUCTED_EVIDENCE",
        "MEAN_CONFIDENCE", "CHANGED_SHARE",
        "SEEN_CONFIDENT", "SEEN_UNSURE",
        "RECONSTRUCTED_CONFIDENT", "RECONSTRUCTED_UNSURE", "SECONDS",
    ]  # fmt: skip
    assert outputs("cleanclassifyexplain") == {
        **dict.fromkeys(rasters, "outputRaster"),
        **dict.fromkeys(numbers, "outputNumber"),
        "AREAS": "outputString",
        "REPORT": "outputHtml",
        "BANDS": "outputFile",
        "QUICKLOOK": "outputFile",
    }


def test_every_output_has_a_place_in_the_layer_tree(plugin):
    from sunbreak.plugin.layers import ORDER

    for algorithm in registry().providerById("sunbreak").algorithms():
        assert set(algorithm.roles.values()) <= set(ORDER)
        assert set(algorithm.visible) <= set(algorithm.roles)


def test_only_common_parameters_are_not_advanced(plugin):
    from sunbreak.plugin.compat import ADVANCED

    removal = registry().algorithmById("sunbreak:removeclouds")
    plain = [parameter.name() for parameter in removal.parameterDefinitions() if not parameter.flags() & ADVANCED]
    assert plain == [
        "INPUT", "S1", "DATES", "DATES_FOLDER", "MODEL", "MASK", "DETECTOR", "REPLACE", "OUTPUT", "UNCERTAINTY",
        "RECONSTRUCTED", "SOURCE", "GROUND_CHANGED", "CLOUD_PROBABILITY", "CLOUD_MASK",
    ]  # fmt: skip


def test_every_algorithm_has_its_own_icon_that_can_be_drawn(plugin):
    from qgis.PyQt.QtGui import QImage

    pictures = {}
    for algorithm in registry().providerById("sunbreak").algorithms():
        image = algorithm.icon().pixmap(32, 32).toImage().convertToFormat(QImage.Format.Format_ARGB32)
        assert (image.width(), image.height()) == (32, 32)
        drawn = sum(image.pixelColor(x, y).alpha() > 0 for x in range(32) for y in range(32))
        assert drawn > 200, algorithm.name()
        pictures[bytes(image.constBits().asstring(image.sizeInBytes()))] = algorithm.name()
    assert len(pictures) == 12


def test_every_algorithm_is_described(plugin):
    for algorithm in registry().providerById("sunbreak").algorithms():
        assert algorithm.shortDescription().endswith(".")
        assert len(algorithm.shortHelpString()) > 200
        groups = dict.fromkeys(("detectclouds", "removeclouds", "cleanseries", "processscenes"), "clouds")
        groups |= {"comparescenes": "evaluation", "doctor": "setup", "inspectscene": "setup"}
        groups |= {"findscenes": "scenes", "getscenes": "scenes"}
        assert algorithm.groupId() == groups.get(algorithm.name(), "landcover")
        assert "sentinel-2" in algorithm.tags()
        assert type(algorithm.create()) is type(algorithm)


def test_setting_precedes_environment_precedes_plugin_folder(plugin, monkeypatch, tmp_path):
    from processing.core.ProcessingConfig import ProcessingConfig

    from sunbreak.plugin import settings

    own = tmp_path / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.symlink_to(sys.executable)
    monkeypatch.setattr(settings, "PLUGIN_FOLDER", tmp_path)
    monkeypatch.delenv("SUNBREAK_PYTHON", raising=False)
    assert settings.backend_python() == own
    other = tmp_path / "other python"
    other.symlink_to(sys.executable)
    monkeypatch.setenv("SUNBREAK_PYTHON", str(other))
    assert settings.backend_python() == other
    ProcessingConfig.setSettingValue("SUNBREAK_PYTHON", sys.executable)
    try:
        assert str(settings.backend_python()) == sys.executable
    finally:
        ProcessingConfig.setSettingValue("SUNBREAK_PYTHON", "")


def test_without_an_interpreter_the_toolbox_suggests_the_fix(plugin, monkeypatch, tmp_path):
    from sunbreak.plugin import settings

    monkeypatch.setattr(settings, "PLUGIN_FOLDER", tmp_path)
    monkeypatch.delenv("SUNBREAK_PYTHON", raising=False)
    removal = registry().createAlgorithmById("sunbreak:removeclouds")
    possible, why = removal.canExecute()
    assert not possible
    assert "was not found" in why
    assert "Providers > Sunbreak" in why
    monkeypatch.setenv("SUNBREAK_PYTHON", str(tmp_path / "gone"))
    possible, why = removal.canExecute()
    assert not possible
    assert str(tmp_path / "gone") in why


def test_with_an_interpreter_it_can_execute(plugin, monkeypatch):
    monkeypatch.setenv("SUNBREAK_PYTHON", sys.executable)
    assert registry().createAlgorithmById("sunbreak:removeclouds").canExecute() == (True, "")


def test_metadata_are_complete_and_match_the_backend_version():
    metadata = configparser.ConfigParser(interpolation=None)
    metadata.read(CHECKOUT / "metadata.txt", encoding="utf-8")
    general = metadata["general"]
    for name in ("name", "description", "about", "author", "email", "tracker", "repository"):
        assert general[name].strip()
    backend = (CHECKOUT / "backend" / "sunbreak" / "__init__.py").read_text(encoding="utf-8")
    assert general["version"] == re.search(r'__version__ = "(.+)"', backend)[1]
    assert (general["qgisMinimumVersion"], general["qgisMaximumVersion"]) == ("3.22", "4.99")
    assert general["hasProcessingProvider"] == "yes"
    assert (CHECKOUT / general["icon"]).exists()


def test_the_plugin_imports_nothing_but_qgis_and_the_standard_library():
    allowed = {"qgis", "processing", *sys.stdlib_module_names}
    forbidden = {"subprocess", "random", "pickle"}
    for path in [CHECKOUT / "__init__.py", *(CHECKOUT / "plugin").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        imported = set()
        for node in ast.walk(ast.parse(text)):  # without the scripts for other interpreters
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.split(".")[0])
        assert imported <= allowed, path
        assert not imported & forbidden, path
        assert not re.search(r"^\s*assert\b", text, re.MULTILINE), path
        assert "PyQt5" not in text
        assert "exec_(" not in text


def test_starting_qgis_imports_neither_processing_nor_large_modules(plugin_folder):
    import subprocess

    script = (
        "import sys\n"
        "from qgis.core import QgsApplication\n"
        "qgis = QgsApplication([], False)\n"
        "before = set(sys.modules)\n"  # QGIS 3.40 imports numpy by itself
        "import sunbreak\n"
        "plugin = sunbreak.classFactory(None)\n"
        "plugin.initGui()\n"
        "print(QgsApplication.processingRegistry().algorithmById('sunbreak:removeclouds') is not None)\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new & {'processing', 'numpy', 'torch', 'osgeo'}))\n"
        "plugin.unload()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(plugin_folder), "/usr/share/qgis/python"])},
    )  # fmt: skip
    assert done.stdout.splitlines() == ["True", "[]"], done.stderr


def test_the_help_of_every_algorithm_is_a_heading_of_the_guide(plugin, monkeypatch, tmp_path):
    from sunbreak.plugin import settings

    sys.path.insert(0, str(CHECKOUT / "tools"))
    try:
        from pages import anchor
    finally:
        sys.path.remove(str(CHECKOUT / "tools"))
    text = (CHECKOUT / "docs" / "guide.md").read_text(encoding="utf-8")
    headings = {anchor(line.lstrip("# ")) for line in text.splitlines() if line.startswith("#")}
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "guide.html").write_text("guide")
    for algorithm in registry().providerById("sunbreak").algorithms():
        address, _, topic = algorithm.helpUrl().partition("#")
        assert topic in headings, algorithm.name()
        assert address == settings.GUIDE  # a checkout has no pages
    monkeypatch.setattr(settings, "PLUGIN_FOLDER", tmp_path)
    assert settings.guide() == (tmp_path / "docs" / "guide.html").as_uri()


def test_all_links_of_the_plugin_share_one_address():
    metadata = configparser.ConfigParser(interpolation=None)
    metadata.read(CHECKOUT / "metadata.txt", encoding="utf-8")
    general = metadata["general"]
    home = general["homepage"]
    assert general["repository"] == home
    assert general["tracker"] == f"{home}/issues"
    from sunbreak.plugin.settings import GUIDE

    assert GUIDE.startswith(f"{home}/")
    assert (CHECKOUT / GUIDE.rpartition("/blob/main/")[2]).exists()
