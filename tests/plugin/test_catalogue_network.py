"""Searches use the network as QGIS does: its proxy and its certificates, and no login in any message."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

PROXY = ("proxyEnabled", "proxyType", "proxyHost", "proxyPort", "proxyUser", "proxyPassword", "noProxyUrls")
TELL = """
import json, os, sys
def say(**fields):
    print(json.dumps(fields), flush=True)
say(event='started', version=1, sunbreak='0.1.0', command='find')
say(event='message', level='info', text='through ' + os.environ['HTTPS_PROXY'])
say(event='message', level='warning', text='instead of ' + os.environ['NO_PROXY'])
print('stderr ' + os.environ['https_proxy'], file=sys.stderr)
print('stdout ' + os.environ['HTTP_PROXY'])
"""
END = "say(event='result', layers={}, numbers={'seconds': 1})"
FAIL = (
    "say(event='error', message='No answer from ' + os.environ['HTTPS_PROXY'], hint='Ask w\xf6rd.', code='x')\nexit(2)"
)


@pytest.fixture
def proxy(qgis_app):
    """A proxy with a login in QGIS's options."""
    from qgis.core import QgsNetworkAccessManager, QgsSettings

    settings = QgsSettings()
    values = (True, "HttpProxy", "proxy.example", "3128", "hans", "s3cret", ["http://intern.example/"])
    for name, value in zip(PROXY, values, strict=True):
        settings.setValue(f"proxy/{name}", value)
    QgsNetworkAccessManager.instance().setupDefaultProxyAndCache()
    yield
    for name in PROXY:
        settings.remove(f"proxy/{name}")
    QgsNetworkAccessManager.instance().setupDefaultProxyAndCache()


def test_a_search_gets_the_proxy_of_qgis(proxy, plugin_folder, tmp_path):
    from sunbreak.plugin.bridge.network import catalogue_environment

    variables = catalogue_environment(tmp_path)
    assert variables["HTTPS_PROXY"] == variables["https_proxy"] == "http://hans:s3cret@proxy.example:3128"
    assert variables["NO_PROXY"] == "intern.example"


def test_without_proxy_and_own_authorities_nothing_is_set(qgis_app, plugin_folder, tmp_path):
    from sunbreak.plugin.bridge.network import catalogue_environment

    assert catalogue_environment(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def company(qgis_app, tmp_path):
    """A file of authorities in QGIS's options; it holds the first one of this system, since QGIS checks them."""
    from qgis.core import QgsApplication

    manager = QgsApplication.authManager()
    if not manager.systemRootCAs():
        pytest.skip("this system has no certificate authorities")
    path = tmp_path / "company.pem"
    path.write_bytes(bytes(manager.systemRootCAs()[0].toPem()))
    if not manager.storeAuthSetting("cafile", str(path)):
        pytest.skip("this QGIS has no database for authorities")
    manager.rebuildCaCertsCache()
    yield path
    manager.removeAuthSetting("cafile")
    manager.rebuildCaCertsCache()


def test_own_authorities_are_used_together_with_those_of_the_system(company, plugin_folder, tmp_path):
    from pathlib import Path

    from sunbreak.plugin.bridge.network import catalogue_environment

    folder = tmp_path / "bundle ö"
    folder.mkdir()
    variables = catalogue_environment(folder)
    bundle = Path(variables["REQUESTS_CA_BUNDLE"])
    assert bundle.parent == folder
    assert variables["SSL_CERT_FILE"] == str(bundle)
    text = bundle.read_bytes()
    assert company.read_bytes().strip().splitlines()[1] in text
    assert text.count(b"BEGIN CERTIFICATE") > 1


@pytest.mark.parametrize("end", [END, FAIL])
def test_the_login_of_a_proxy_is_in_no_message(plugin_folder, feedback, end):
    from sunbreak.plugin.bridge.process import BackendError, run_program

    url = "http://j%C3%BCrgen:w%C3%B6rd@proxy.example:3128"
    environment = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY"), url) | {"NO_PROXY": "intern.example"}
    said = []
    try:
        run_program(sys.executable, ["-I", "-u", "-c", TELL + end], feedback, environment=environment)
    except BackendError as error:
        assert end == FAIL
        said.append(str(error))
    said += [text for texts in feedback.said.values() for text in texts]
    assert "proxy.example:3128" in " ".join(said)
    assert sum("***" in text for text in said) >= 3
    assert not any("rd@" in text or "w\xf6rd" in text or "%C3" in text for text in said)
    assert "instead of intern.example" in feedback.said["warning"]
