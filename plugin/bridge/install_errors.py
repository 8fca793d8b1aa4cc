"""Turns the output of pip and Python after a failed installation into one message with a fix."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from ..compat import tr
from .process import BackendError


def diagnose(lines: Sequence[str], *, offline: bool = False, proxies: Collection[str] = ()) -> BackendError:
    """The error behind the output of a child process that failed.

    Causes are checked before their consequences: without a network, pip ends with "no matching distribution", which is
    not the cause.

    Args:
        lines: Its output, including errors.
        offline: Whether it installed from a folder of wheels.
        proxies: Hosts of the proxies it used: pip names an unreachable proxy by its host only.
    """
    text = "\n".join(lines)
    for pattern, tell in _CAUSES:
        match = re.search(pattern, text, re.IGNORECASE)
        if not match:
            continue
        if tell is _broken_wheel and not offline:
            return _damaged_download(match)
        if tell is _no_network and any(f"host='{host}'" in text for host in proxies):
            return _proxy_unreachable(match)
        return tell(match)
    match = re.search(r"No matching distribution found for ([^\s(;]+)", text, re.IGNORECASE) or re.search(
        r"Could not find a version that satisfies the requirement ([^\s(;]+)", text, re.IGNORECASE
    )
    if match:
        return _no_wheel(match) if offline else _no_distribution(match)
    said = [line.strip() for line in lines if line.strip()]
    errors = [line for line in said if re.match(r"(ERROR|error|Error)\b", line)] or said
    return BackendError(
        tr("The installation failed."),
        " | ".join(errors[-3:]) or tr("The log has no details."),
        "install-failed",
    )


def no_space(folder: object, needed_mb: float, free_mb: float) -> BackendError:
    """Too little disk space, detected before the download."""
    return BackendError(
        tr(
            "There is too little free disk space: {needed:.1f} GB are needed, {free:.1f} GB are free in {folder}."
        ).format(needed=needed_mb / 1000, free=free_mb / 1000, folder=folder),
        tr("Free some disk space there, or choose Light, the smallest build."),
        "install-no-space",
    )


def cancelled() -> BackendError:
    """The user cancelled."""
    return BackendError(tr("Cancelled."), tr("No partial files were left."), "cancelled")


def _proxy_login(_: re.Match) -> BackendError:
    return BackendError(
        tr("The proxy requires a user name and a password (407)."),
        tr("Set them in Settings > Options > Network, then press Install again."),
        "install-proxy-login",
    )


def _proxy_unreachable(_: re.Match) -> BackendError:
    return BackendError(
        tr("The proxy cannot be reached."),
        tr("Check its host and port in Settings > Options > Network, or switch it off there."),
        "install-proxy",
    )


def _socks(_: re.Match) -> BackendError:
    return BackendError(
        tr("Python's installer cannot use a SOCKS proxy."),
        tr("Set an HTTP proxy in Settings > Options > Network, or install offline from a folder of wheels."),
        "install-socks",
    )


def _certificate(_: re.Match) -> BackendError:
    return BackendError(
        tr("The certificate of the package index is not trusted."),
        tr(
            "If your company inspects its network traffic, import its root certificate in "
            "Settings > Options > Authentication > Manage Certificates, then press Install again."
        ),
        "install-certificate",
    )


def _space(_: re.Match) -> BackendError:
    return BackendError(
        tr("The disk is full."),
        tr("Free some space on the disk of the QGIS profile and try again."),
        "install-no-space",
    )


def _broken_download(_: re.Match) -> BackendError:
    return BackendError(
        tr("The download was interrupted."),
        tr("Press Install again: complete packages are kept, and the download resumes with the next one."),
        "install-broken-download",
    )


def _no_network(_: re.Match) -> BackendError:
    return BackendError(
        tr("The package index cannot be reached."),
        tr(
            "Check the network and the proxy (Settings > Options > Network), or install offline from a folder of "
            "wheels."
        ),
        "install-no-network",
    )


def _broken_wheel(match: re.Match) -> BackendError:
    return BackendError(
        tr("A package is damaged: {name}.").format(name=_file_in(match)),
        tr("Copy it into the folder of wheels again. Then try again."),
        "install-broken-wheel",
    )


def _damaged_download(match: re.Match) -> BackendError:
    return BackendError(
        tr("A downloaded package is damaged: {name}.").format(name=_file_in(match)),
        tr("Press Install to download it again."),
        "install-damaged-download",
    )


def _file_in(match: re.Match) -> str:
    name = next((group for group in match.groups() if group), "")
    return re.split(r"[\\/]", name.strip("'\"`,. "))[-1] or tr("see the log")


def _long_path(_: re.Match) -> BackendError:
    return BackendError(
        tr("A file name is too long for Windows."),
        tr(
            "Switch on long paths in Windows (Settings > System > For developers), or use a profile with a shorter "
            "path."
        ),
        "install-long-path",
    )


def _permission(match: re.Match) -> BackendError:
    return BackendError(
        tr("A file could not be written: {text}.").format(text=match[0].strip().rstrip(".")),
        tr(
            "Check the permissions of the QGIS profile folder, and whether another program or a virus scanner locks it."
        ),
        "install-permission",
    )


def _no_venv(_: re.Match) -> BackendError:
    return BackendError(
        tr("This Python cannot create virtual environments."),
        tr("Install the missing package (Debian and Ubuntu: python3-venv), or choose another Python."),
        "install-no-venv",
    )


def _no_wheel(match: re.Match) -> BackendError:
    return BackendError(
        tr("The folder of wheels has no {name} for this Python and operating system.").format(
            name=match[1].rstrip(".,")
        ),
        tr("Prepare the folder again on a machine of the same kind, for the Python version chosen here."),
        "install-no-wheel",
    )


def _no_distribution(match: re.Match) -> BackendError:
    return BackendError(
        tr("The package index has no {name} for this Python and operating system.").format(name=match[1].rstrip(".,")),
        tr("Choose another Python (3.11 or 3.12 are the safest) or another build."),
        "install-no-distribution",
    )


def _wrong_python(_: re.Match) -> BackendError:
    return BackendError(
        tr("This Python is too old or too new for the backend."), tr("Choose Python 3.10 to 3.13."), "install-python"
    )


_WHEEL = r"['\"]?([^\s'\"]*\.whl)['\"]?"
_CAUSES = (
    (r"No space left on device|Errno 28\b|WinError 112\b|not enough space on the disk", _space),
    (r"\b407\b[^\n]*Proxy|Proxy Authentication Required", _proxy_login),
    (r"Missing dependencies for SOCKS", _socks),
    (r"Long Path support|WinError 206\b", _long_path),
    (r"ensurepip is not available|No module named '?ensurepip|No module named '?venv", _no_venv),
    (rf"Wheel {_WHEEL}[^\n]* is invalid|{_WHEEL}[^\n]* is (?:invalid|not a supported|not a zip)", _broken_wheel),
    (rf"THESE PACKAGES DO NOT MATCH THE HASHES[\s\S]*?{_WHEEL}", _broken_wheel),
    (r"(?:BadZipFile|File is not a zip file|has an invalid wheel|Invalid wheel)[^\n]*?([\w.+-]+\.whl)?", _broken_wheel),
    (r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|certificate verify failed", _certificate),
    (r"Cannot connect to proxy|ProxyError|Unable to connect to proxy", _proxy_unreachable),
    (
        r"NewConnectionError|Failed to establish a new connection|Name or service not known|getaddrinfo failed|"
        r"Temporary failure in name resolution|ConnectTimeoutError|Network is unreachable|Connection refused|"
        r"Could not fetch URL|failed to resolve|Could not connect",
        _no_network,
    ),
    (
        r"IncompleteRead|incomplete-download|Download failed|Connection broken: |Connection aborted|"
        r"ConnectionResetError|Read timed out|ReadTimeoutError",
        _broken_download,
    ),
    (r"Permission denied[^\n]*|WinError 5\b[^\n]*|Access is denied[^\n]*|WinError 32\b[^\n]*", _permission),
    (r"requires a different Python|Requires-Python", _wrong_python),
)
