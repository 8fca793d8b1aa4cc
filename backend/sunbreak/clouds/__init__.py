"""Clouds: detectors behind one protocol, masks that the user gives, and the class codes that both speak.

`detector` holds the protocol, `registry` finds a detector by name, `detection` runs any of them over a scene. Importing
the package loads no numpy.
"""

from __future__ import annotations

from sunbreak.clouds.settings import CloudSettings

__all__ = ["CloudSettings"]
