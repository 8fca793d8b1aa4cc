"""Reads profiles of catalogues from YAML: the bundled ones by name, others from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sunbreak.catalogue.profiles import Collection, Profile, Sensor, Signing
from sunbreak.defaults import CATALOGUE
from sunbreak.errors import InputError
from sunbreak.regular_files import read_regular
from sunbreak.resources import resource_path
from sunbreak.scene.bands import S2_BANDS

_FOLDER = "catalogues"
_LIMIT_BYTES = 2**18
_TOP = {
    "title", "api", "hosts", "static", "signing", "address", "terms", "optical", "radar", "radar_from", "like",
}  # fmt: skip
_OPTICAL = {"collection", "level", "bands", "picture", "offset", "licence", "licence_url", "attribution"}
_RADAR = {"collection", "bands", "quantity", "licence", "licence_url", "attribution"}
_SIGNING = {"kind", "token_url", "variable", "hosts"}
_CHOICES = {
    "level": ("L1C", "L2A"), "offset": ("baseline", "item", "none"), "kind": ("none", "sas", "bearer"),
}  # fmt: skip
_BANDS = {"optical": {*S2_BANDS, "SCL"}, "radar": {"VV", "VH"}}
_MOST_INHERITED = 4


def bundled_profiles() -> list[str]:
    """The names of the bundled profiles, the default first."""
    names = sorted(path.stem for path in resource_path(_FOLDER).glob("*.yaml"))
    return sorted(names, key=lambda name: name != CATALOGUE)


def find_profile(name: str) -> Profile:
    """A profile.

    Args:
        name: The name of a bundled one, or the path of a YAML file.

    Raises:
        InputError: There is none, or it is wrong (``bad-profile``).
    """
    return _read(_place(name, Path()), 0)


def _place(name: str, folder: Path) -> Path:
    if name in bundled_profiles():
        return resource_path(_FOLDER, f"{name}.yaml")
    path = folder / Path(name).expanduser()
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise InputError(
            f"There is no catalogue profile {name!r}.",
            f"Choose {', '.join(bundled_profiles())}, or give a YAML file (docs/finding.md).",
            code="no-profile",
        )
    return path


def _read(path: Path, depth: int) -> Profile:
    content = _inherited(path, depth)
    fields = _Fields(content, _TOP, path, "")
    api = _address(fields.text("api"), path, "api")
    hosts = frozenset(fields.texts("hosts")) or frozenset({str(urlsplit(api).hostname)})
    collections = [
        *(_collection(one, "optical", path) for one in fields.mappings("optical")),
        *(_collection(one, "radar", path) for one in fields.mappings("radar")),
    ]
    if not any(one.sensor == "optical" for one in collections):
        raise _bad(path, "optical names no collection")
    other = fields.text("radar_from", "")
    return Profile(
        name=path.stem,
        title=fields.text("title", path.stem),
        api=api,
        hosts=hosts,
        collections=tuple(collections),
        static=fields.flag("static"),
        signing=_signing(fields.mapping("signing"), path),
        address=fields.text("address", "href"),
        terms=fields.text("terms", ""),
        radar_from=_read(_place(other, path.parent), depth + 1) if other else None,
    )


def _inherited(path: Path, depth: int) -> Mapping[str, Any]:
    """The content of a file, over that of the profile that it is like."""
    if depth > _MOST_INHERITED:
        raise _bad(path, "it refers to itself")
    content = _parsed(path)
    like = content.get("like")
    if like is None:
        return content
    below = _inherited(_place(str(like), path.parent), depth + 1)
    return {**below, **content, "title": content.get("title", below.get("title"))}


def _parsed(path: Path) -> Mapping[str, Any]:
    try:
        import yaml
    except ImportError:
        raise InputError(
            "Catalogues need further packages.", "pip install 'sunbreak[catalogue]'", code="no-catalogue"
        ) from None
    text = read_regular(path, "catalogue profile", limit_bytes=_LIMIT_BYTES)
    try:
        content = yaml.safe_load(text.decode("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise _bad(path, f"it is not YAML ({' '.join(str(error).split())[:120]})") from None
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise _bad(path, "it is not a mapping of names")
    return content


def _collection(content: Mapping[str, Any], sensor: Sensor, path: Path) -> Collection:
    fields = _Fields(content, _OPTICAL if sensor == "optical" else _RADAR, path, f"{sensor}: ")
    bands = {band: _keys(keys, path) for band, keys in fields.mapping("bands").items()}
    strange = sorted(str(band) for band in set(bands) - _BANDS[sensor])
    if strange or not bands:
        raise _bad(path, f"{sensor}: bands are {', '.join(sorted(_BANDS[sensor]))}, not {', '.join(strange) or 'none'}")
    if sensor == "radar" and set(bands) != _BANDS["radar"]:
        raise _bad(path, "radar: bands must be VV and VH")
    texts: dict[str, Any] = {
        name: fields.text(name, "") for name in ("licence", "licence_url", "attribution", "quantity", "picture")
    }
    optical = {"level": fields.choice("level", ""), "offset": fields.choice("offset", "baseline")}
    if sensor == "optical" and not optical["level"]:
        raise _bad(path, "optical: level is missing")
    return Collection(
        fields.text("collection"),
        sensor,
        bands,
        **texts,
        **(optical if sensor == "optical" else {}),  # type: ignore[arg-type]
    )


def _signing(content: Mapping[str, Any], path: Path) -> Signing:
    fields = _Fields(content, _SIGNING, path, "signing: ")
    kind = fields.choice("kind", "none")
    signing = Signing(
        kind,  # type: ignore[arg-type]
        fields.text("token_url", ""),
        fields.text("variable", ""),
        tuple(fields.texts("hosts")),
    )
    if kind == "sas":
        _address(signing.token_url, path, "signing: token_url")
    if kind == "bearer" and not (signing.variable and signing.hosts):
        raise _bad(path, "signing: bearer needs variable and hosts")
    return signing


def _keys(value: object, path: Path) -> tuple[str, ...]:
    keys = value if isinstance(value, list) else [value]
    if not keys or not all(isinstance(key, str) and key for key in keys):
        raise _bad(path, "the asset of a band is a name, or a list of names")
    return tuple(keys)


def _address(url: str, path: Path, what: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _bad(path, f"{what} must be an address that begins with https://, not {url[:80]!r}")
    return url


class _Fields:
    """The fields of a mapping, each checked when it is asked for."""

    def __init__(self, content: Mapping[str, Any], known: set[str], path: Path, where: str) -> None:
        self._content, self._path, self._where = content, path, where
        strange = sorted(str(name) for name in set(content) - known)
        if strange:
            raise _bad(path, f"{where}there is no field {strange[0]!r} (there are {', '.join(sorted(known))})")

    def text(self, name: str, default: str | None = None) -> str:
        value = self._content.get(name, default)
        if value is None:
            raise _bad(self._path, f"{self._where}{name} is missing")
        if not isinstance(value, str):
            raise _bad(self._path, f"{self._where}{name} is not a text")
        return value

    def choice(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if value and value not in _CHOICES[name]:
            raise _bad(self._path, f"{self._where}{name} is {', '.join(_CHOICES[name])}, not {value[:40]!r}")
        return value

    def flag(self, name: str) -> bool:
        value = self._content.get(name, False)
        if not isinstance(value, bool):
            raise _bad(self._path, f"{self._where}{name} is true or false")
        return value

    def texts(self, name: str) -> Sequence[str]:
        value = self._content.get(name) or []
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise _bad(self._path, f"{self._where}{name} is not a list of texts")
        return value

    def mapping(self, name: str) -> Mapping[str, Any]:
        value = self._content.get(name) or {}
        if not isinstance(value, dict):
            raise _bad(self._path, f"{self._where}{name} is not a mapping")
        return value

    def mappings(self, name: str) -> Sequence[Mapping[str, Any]]:
        value = self._content.get(name) or []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise _bad(self._path, f"{self._where}{name} is not a list of collections")
        return value


def _bad(path: Path, what: str) -> InputError:
    return InputError(f"{path}: the catalogue profile is wrong: {what}.", "See docs/finding.md.", code="bad-profile")
