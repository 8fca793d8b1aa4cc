from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from sunbreak.clouds import CloudSettings, registry
from sunbreak.clouds.registry import detector, detectors
from sunbreak.clouds.s2cloudless import S2Cloudless
from sunbreak.errors import InputError


def announce(monkeypatch, *points: EntryPoint) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: list(points) if group == registry.GROUP else [])


def test_a_detector_is_made_with_the_settings_that_were_given():
    made = detector("s2cloudless", CloudSettings(threshold=0.7, factor=1))
    assert isinstance(made, S2Cloudless)
    assert made.name in detectors()
    assert made.settings == {"threshold": 0.7, "average": 4, "dilation": 2, "factor": 1}
    assert (made.resolution, made.label) == (10.0, "s2cloudless on blocks of 1 x 1 pixels")


def test_an_unknown_name_is_refused_with_the_names_there_are(monkeypatch):
    announce(monkeypatch, EntryPoint("their-own", "theirs:Detector", registry.GROUP))
    with pytest.raises(InputError, match="no-such") as caught:
        detector("no-such")
    assert caught.value.code == "unknown-detector"
    assert caught.value.hint == "Choose auto, s2cloudless, their-own, ukis."


def test_an_announced_detector_is_loaded_when_it_is_asked_for(monkeypatch):
    point = EntryPoint("their-own", "sunbreak.clouds.s2cloudless:S2Cloudless", registry.GROUP)
    announce(monkeypatch, point)
    assert isinstance(detector("their-own"), S2Cloudless)


@pytest.mark.parametrize("value", ["no_such_package:Detector", "sunbreak.clouds.s2cloudless:NoSuchClass"])
def test_an_announced_detector_that_cannot_be_loaded_is_named(monkeypatch, value):
    announce(monkeypatch, EntryPoint("broken", value, registry.GROUP))
    with pytest.raises(InputError, match="broken") as caught:
        detector("broken")
    assert caught.value.code == "bad-detector"


def test_a_package_cannot_take_the_name_of_a_built_in_detector(monkeypatch):
    announce(monkeypatch, EntryPoint("s2cloudless", "no_such_package:Detector", registry.GROUP))
    assert isinstance(detector("s2cloudless"), S2Cloudless)
    for name in ("s2cloudless", "auto", "ukis"):
        with pytest.raises(ValueError, match=name):
            registry.register(name, S2Cloudless)
