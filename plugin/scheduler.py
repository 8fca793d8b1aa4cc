"""The address of a dask scheduler in the settings: how it is written."""

from __future__ import annotations

import re

from .compat import tr

_ADDRESS = re.compile(
    r"(?:(?:tcp|tls)://)?(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?):(\d{1,5})"
)
_LAST_PORT = 65_535


class SchedulerError(ValueError):
    """A text is no address of a scheduler. QGIS's options dialog shows the message of any `ValueError`."""


def check_address(text: str) -> None:
    """Accept ``tcp://host:port``, ``tls://host:port``, ``host:port`` and an empty text.

    Raises:
        SchedulerError: It is anything else.
    """
    address = text.strip()
    found = _ADDRESS.fullmatch(address)
    if address and not (found and 1 <= int(found[1]) <= _LAST_PORT):
        raise SchedulerError(
            tr(
                "{address} is no address of a dask scheduler. Write tcp://host:8786, tls://host:8786 or host:8786."
            ).format(address=address)
        )
