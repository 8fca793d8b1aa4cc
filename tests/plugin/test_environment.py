from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")


def test_variables_of_qgis_are_removed():
    from sunbreak.plugin.bridge.environment import scrubbed

    environment = {
        "PYTHONHOME": "/qgis",
        "PYTHONPATH": "/qgis/python",
        "PROJ_LIB": "/qgis/proj",
        "PROJ_DATA": "/qgis/proj",
        "GDAL_DATA": "/qgis/gdal",
        "GDAL_DRIVER_PATH": "/qgis/plugins",
        "QGIS_PREFIX_PATH": "/qgis",
        "LD_LIBRARY_PATH": "/qgis/lib",
        "DYLD_LIBRARY_PATH": "/qgis/lib",
        "__PYVENV_LAUNCHER__": "/Applications/QGIS.app",
        "HOME": "/home/ä",
        "PATH": "/usr/bin",
        "OMP_NUM_THREADS": "1",
        "SUNBREAK_MODELS": "/models",
        "HTTPS_PROXY": "http://proxy:3128",
    }
    assert set(scrubbed(environment)) == {"HOME", "PATH", "OMP_NUM_THREADS", "SUNBREAK_MODELS", "HTTPS_PROXY"}


def test_on_windows_folders_of_qgis_are_removed_from_path():
    from sunbreak.plugin.bridge.environment import scrubbed

    environment = {
        "Osgeo4W_Root": "C:\\PROGRA~1\\QGIS",
        "pythonhome": "C:\\PROGRA~1\\QGIS\\apps\\Python39",
        "Path": "c:/progra~1/qgis/bin;C:\\Windows;C:\\PROGRA~1\\QGIS-other\\bin;C:\\PROGRA~1\\QGIS\\apps\\x\\..\\y",
    }
    assert scrubbed(environment) == {"Path": "C:\\Windows;C:\\PROGRA~1\\QGIS-other\\bin"}


def test_the_child_process_gets_the_scrubbed_environment(monkeypatch, feedback):
    from sunbreak.plugin.bridge.process import run_program

    monkeypatch.setenv("PROJ_LIB", "/nowhere")
    monkeypatch.setenv("GDAL_DATA", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("SUNBREAK_TEST", "sömething")
    script = (
        "import json, os\n"
        "print(json.dumps({'event': 'started', 'version': 1}))\n"
        "print(json.dumps({'event': 'result', 'layers': {}, 'numbers': dict(os.environ)}))\n"
    )
    seen = run_program(str(Path(sys.executable)), ["-I", "-u", "-c", script], feedback).numbers
    assert seen["SUNBREAK_TEST"] == "sömething"
    assert not {"PROJ_LIB", "GDAL_DATA", "PYTHONPATH", "QT_QPA_PLATFORM"} & set(seen)
