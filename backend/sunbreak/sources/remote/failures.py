"""The one clear line for each way in which a server fails to give what was asked."""

from __future__ import annotations

from sunbreak.errors import InputError, RunError, SunbreakError
from sunbreak.sources.remote.access import shown

#: Answers after which the same request may succeed.
PASSING = frozenset({429, 500, 502, 503, 504})

_LATER = "Try again later."


def of_status(status: int, url: str, attempts: int = 1) -> SunbreakError:
    """The error for an answer with a status of 400 or more."""
    place, often = shown(url), "" if attempts < 2 else f", {attempts} times"
    if status == 429:
        return RunError(
            f"{place}: the server is asked too often (429){often}.",
            "Wait some minutes, then try again.",
            code="too-many-requests",
        )
    if status in (401, 403):
        return InputError(
            f"{place}: the server refuses access ({status}).",
            "Its signature may have expired or this computer's clock may be wrong: check the clock and try again. If "
            "the catalogue asks for an account, use another profile.",
            code="forbidden",
        )
    if status in (404, 410):
        return InputError(
            f"{place} is not on the server ({status}).",
            "The catalogue may be out of date: search again, or choose another item.",
            code="not-found",
        )
    if status == 416:
        return InputError(f"{place} is empty, or shorter than it was.", "Choose another item.", code="not-a-raster")
    if status >= 500:
        return RunError(f"{place}: the server has failed ({status}){often}.", _LATER, code="server-error")
    return RunError(
        f"{place}: the server does not accept the request ({status}).",
        "Check the address and the profile of the catalogue.",
        code="server-error",
    )


def slow(url: str, seconds: float) -> RunError:
    """No bytes for some seconds, or far too few of them."""
    return RunError(f"{shown(url)}: the server is too slow: no full answer in {seconds:.3g} s.", _LATER, code="slow")


def cut_off(url: str) -> RunError:
    """An answer that ends before it is complete."""
    return RunError(f"{shown(url)}: the server's answer was cut off.", _LATER, code="cut-off")


def no_connection(url: str, why: str) -> RunError:
    """No connection, with the reason as the end of a sentence."""
    return RunError(
        f"{shown(url)} cannot be reached: {why}.",
        "Check the network, the proxy (HTTPS_PROXY) and the certificates (REQUESTS_CA_BUNDLE).",
        code="no-connection",
    )


def no_ranges(url: str) -> InputError:
    """A server that sends whole files only."""
    return InputError(
        f"{shown(url)}: the server cannot send a part of a file (no HTTP ranges).",
        "Use another catalogue, or download the file and give it.",
        code="no-ranges",
    )


def too_large(url: str, what: str, limit: int) -> InputError:
    """More bytes than are accepted."""
    size = f"{limit / 2**20:.3g} MiB" if limit >= 2**20 else f"{limit} bytes"
    return InputError(
        f"{shown(url)}: {what} is larger than {size}.", "Ask for a smaller area or fewer items.", code="too-large"
    )


def changed(url: str) -> RunError:
    """Another file stands under the same address."""
    return RunError(f"{shown(url)} has changed while it was read.", "Try again.", code="changed")


def too_short(url: str) -> InputError:
    """A raster whose blocks lie beyond the end of its file."""
    return InputError(
        f"{shown(url)} is truncated on the server: some of its blocks lie beyond its end.",
        "Choose another item, or another catalogue.",
        code="truncated",
    )
