"""Cloud detectors by name: those of this package, and those of other packages.

`auto` and `ukis` depend on what the scene is, the others do not. Another package announces a detector by an entry point
in the group `sunbreak.cloud_detectors` that names a class or function which makes one from `CloudSettings`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from sunbreak.clouds.detector import CloudDetector, Imagery
from sunbreak.clouds.joint import Joint
from sunbreak.clouds.s2cloudless import S2Cloudless
from sunbreak.clouds.settings import CloudSettings
from sunbreak.clouds.ukis import Ukis
from sunbreak.errors import InputError

GROUP = "sunbreak.cloud_detectors"

DetectorFactory = Callable[[CloudSettings], CloudDetector]

_FACTORIES: dict[str, DetectorFactory] = {"s2cloudless": S2Cloudless}
_BY_IMAGERY: dict[str, Callable[[CloudSettings, Imagery], CloudDetector]] = {"auto": Joint, "ukis": Ukis}


def register(name: str, factory: DetectorFactory) -> None:
    """Add a detector under a name, in this process.

    Raises:
        ValueError: The name is taken.
    """
    if name in _FACTORIES or name in _BY_IMAGERY:
        raise ValueError(f"there is a cloud detector {name!r} already")
    _FACTORIES[name] = factory


def unregister(name: str) -> None:
    """Remove a detector that `register` added.

    Raises:
        KeyError: There is none of this name.
    """
    del _FACTORIES[name]


def detectors() -> tuple[str, ...]:
    """Names of all detectors, sorted."""
    return tuple(sorted({*_FACTORIES, *_BY_IMAGERY, *_announced()}))


def detector(name: str, settings: CloudSettings | None = None, imagery: Imagery | None = None) -> CloudDetector:
    """Make a detector.

    Args:
        name: Its name, one of `detectors()`. A detector of this package counts before an announced one.
        settings: How it detects clouds; by default `CloudSettings()`.
        imagery: What the scene is; by default Level-1C with all bands at 10 m.

    Raises:
        InputError: ``unknown-detector``; ``no-cloud-network`` or ``no-cloud-bands`` if the detector cannot run here or
            on such scenes; ``bad-detector`` if the package that announces it cannot be loaded.
    """
    settings = settings if settings is not None else CloudSettings()
    if name in _BY_IMAGERY:
        return _BY_IMAGERY[name](settings, imagery if imagery is not None else Imagery())
    factory = _FACTORIES.get(name)
    if factory is None:
        factory = _load(name)
    return factory(settings)


def _announced() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _load(name: str) -> DetectorFactory:
    point = _announced().get(name)
    if point is None:
        raise InputError(
            f"There is no cloud detector {name!r}.", f"Choose {', '.join(detectors())}.", code="unknown-detector"
        )
    try:
        factory: DetectorFactory = point.load()
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"The cloud detector {name!r} cannot be loaded from {point.value}: {error}.",
            "Install the package that provides it anew, or choose another detector.",
            code="bad-detector",
        ) from error
    return factory
