"""QGIS's proxy and certificates for a child process, as the environment variables that pip and Python read.

They are passed in the environment and not on the command line, where other users of the machine could read them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from qgis.core import QgsApplication, QgsNetworkAccessManager
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtNetwork import QNetworkProxy, QNetworkProxyFactory, QNetworkProxyQuery

_INDEX = "https://pypi.org/simple/"
_BUNDLES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
_SCHEMES = {
    QNetworkProxy.ProxyType.HttpProxy: "http",
    QNetworkProxy.ProxyType.HttpCachingProxy: "http",
    QNetworkProxy.ProxyType.Socks5Proxy: "socks5h",
}


def network_environment(address: str = _INDEX) -> dict[str, str]:
    """Proxy variables as set in QGIS; empty if it uses none. Main thread only.

    A system proxy is resolved here, because not all programs read the system's settings.

    Args:
        address: What will be asked; a system may have a proxy for each host.
    """
    manager = QgsNetworkAccessManager.instance()
    proxy = manager.fallbackProxy()
    if manager.useSystemProxy():
        system = QNetworkProxyFactory.systemProxyForQuery(QNetworkProxyQuery(QUrl(address)))
        proxy = system[0] if system else QNetworkProxy(QNetworkProxy.ProxyType.NoProxy)
    url = proxy_url(proxy)
    if not url:
        return {}
    excluded = ",".join(dict.fromkeys(filter(None, map(_host, _excluded(manager)))))
    variables = {"HTTP_PROXY": url, "HTTPS_PROXY": url, "NO_PROXY": excluded}
    return {name: value for upper, value in variables.items() if value for name in (upper, upper.lower())}


def proxy_url(proxy: QNetworkProxy) -> str:
    """A proxy as an address with its user and password, percent-encoded; empty for none."""
    scheme = _SCHEMES.get(proxy.type())
    if scheme is None or not proxy.hostName():
        return ""
    login = ""
    if proxy.user():
        login = (
            quote(proxy.user(), safe="") + (":" + quote(proxy.password(), safe="") if proxy.password() else "") + "@"
        )
    port = f":{proxy.port()}" if proxy.port() else ""
    return f"{scheme}://{login}{proxy.hostName()}{port}"


def secrets_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Secrets that must not be logged: the logins of the proxies, encoded and decoded."""
    found = []
    for name, value in environment.items():
        if name.upper().endswith("_PROXY"):
            url = QUrl(value)
            found += [url.userInfo(QUrl.ComponentFormattingOption.FullyEncoded), url.password()]
            found.append(quote(url.password(), safe=""))
    return tuple(sorted({secret for secret in found if secret}, key=len, reverse=True))


def proxy_hosts(environment: Mapping[str, str]) -> frozenset[str]:
    """The hosts of the proxies in an environment."""
    urls = (
        QUrl(value) for name, value in environment.items() if name.upper() in {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}
    )
    return frozenset(url.host() for url in urls if url.host())


def certificates() -> bytes:
    """The certificate authorities that QGIS trusts, the user's own among them, as PEM. Main thread only."""
    manager = QgsApplication.authManager()
    if manager is None or manager.isDisabled():
        return b""
    return bytes(manager.trustedCaCertsPemText())


def write_bundle(path: Path, authorities: bytes, others: Iterable[Path] = ()) -> dict[str, str]:
    """Write one bundle with QGIS's authorities and those of the environment and `others`.

    The bundle replaces the one of pip, so it must contain that one too.

    Returns:
        The variables that make pip and Python use it; empty if QGIS trusts nothing of its own.
    """
    if not authorities.strip():
        return {}
    parts = [authorities]
    for source in (*others, *(Path(os.environ[name]) for name in _BUNDLES if os.environ.get(name))):
        try:
            parts.append(source.read_bytes())
        except OSError:
            continue
    path.write_bytes(b"\n".join(dict.fromkeys(parts)))
    return dict.fromkeys(("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(path))


def _excluded(manager: QgsNetworkAccessManager) -> list[str]:
    return [*manager.excludeList(), *manager.noProxyList()]


def _host(address: str) -> str:
    """The host in an address or in the beginning of one; pip excludes by host only."""
    return QUrl.fromUserInput(address.strip()).host() if address.strip() else ""
