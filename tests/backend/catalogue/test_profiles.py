"""Profiles of catalogues: the bundled ones are whole, others inherit, and what is wrong is said in one line."""

from __future__ import annotations

import pytest

from sunbreak.catalogue.profile_files import bundled_profiles, find_profile
from sunbreak.defaults import CATALOGUE
from sunbreak.errors import InputError


@pytest.mark.parametrize("name", bundled_profiles())
def test_a_bundled_profile_names_every_band_its_hosts_its_licence_and_what_to_state(name):
    profile = find_profile(name)
    assert profile.api.startswith("https://")
    assert profile.api.split("/")[2] in profile.hosts
    for collection in profile.collections:
        assert collection.licence
        assert "2019" in collection.attributed(2019)
        if collection.sensor == "optical":
            assert len(collection.bands) == 13  # of Level-2A twelve, and SCL
            assert ("SCL" in collection.bands) == (collection.level == "L2A")
        else:
            assert set(collection.bands) == {"VV", "VH"}
    assert profile.radar() or (profile.radar_from is not None and profile.radar_from.radar())


def test_planetary_computer_is_the_default_and_its_offset_is_that_of_the_baseline():
    assert bundled_profiles()[0] == CATALOGUE == "planetary-computer"
    profile = find_profile(CATALOGUE)
    assert profile.signing.kind == "sas"
    assert [one.offset for one in profile.optical("L2A")] == ["baseline"]
    assert profile.optical("L1C") == ()


def test_a_profile_inherits_from_another_and_names_its_own_address(tmp_path):
    path = tmp_path / "here.yaml"
    path.write_text(
        "like: planetary-computer\ntitle: Here\napi: http://127.0.0.1:8000/\nhosts: [127.0.0.1]\n"
        "signing: {kind: sas, token_url: 'http://127.0.0.1:8000/token'}\n"
    )
    profile = find_profile(str(path))
    assert (profile.name, profile.title, profile.hosts) == ("here", "Here", {"127.0.0.1"})
    assert profile.collections == find_profile("planetary-computer").collections
    assert profile.signing.token_url == "http://127.0.0.1:8000/token"


def test_radar_may_come_from_a_profile_beside_it(tmp_path):
    (tmp_path / "radar.yaml").write_text("like: planetary-computer\ntitle: Radar\napi: https://radar.test/\n")
    (tmp_path / "own.yaml").write_text("like: earth-search\nradar_from: radar.yaml\n")
    assert find_profile(str(tmp_path / "own.yaml")).radar_from.title == "Radar"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: [", "it is not YAML"),
        ("- a\n- b\n", "it is not a mapping"),
        ("like: planetary-computer\napi: file:///etc/passwd\n", "api must be an address that begins with https://"),
        ("like: planetary-computer\ncolour: red\n", "there is no field 'colour'"),
        ("like: planetary-computer\noptical: []\nradar: []\n", "optical names no collection"),
        ("like: planetary-computer\noptical: [{collection: a, bands: {B02: b}}]\n", "level is missing"),
        ("like: planetary-computer\noptical: [{collection: a, level: L3, bands: {B02: b}}]\n", "level is L1C, L2A"),
        ("like: planetary-computer\noptical: [{collection: a, level: L2A, bands: {B99: b}}]\n", "not B99"),
        ("like: planetary-computer\nradar: [{collection: a, bands: {VV: b}}]\n", "bands must be VV and VH"),
        ("like: planetary-computer\nsigning: {kind: bearer}\n", "bearer needs variable and hosts"),
        ("like: wrong.yaml\n", "it refers to itself"),
        ("api: https://a.test/\nhosts: [1]\n", "hosts is not a list of texts"),
    ],
)
def test_a_wrong_profile_is_refused_in_one_line(tmp_path, text, said):
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        find_profile(str(path))
    assert caught.value.code == "bad-profile"
    assert said in caught.value.message
    assert "\n" not in str(caught.value)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match="planetary-computer, cdse, earth-search") as caught:
        find_profile("elsewhere")
    assert caught.value.code == "no-profile"
