"""A catalogue that can be asked: its profile, the client that may ask its hosts, and the signatures of its files."""

from __future__ import annotations

from collections.abc import Callable

from sunbreak.catalogue.items import Asset
from sunbreak.catalogue.profiles import Profile
from sunbreak.catalogue.signing import BearerCheck, SasSigner, plain, sign_in
from sunbreak.events import Reporter
from sunbreak.sources.remote import Access, RemoteClient, RemoteRaster


class Catalogue:
    """A catalogue.

    Args:
        profile: What it is.
        reporter: Can cancel what waits for it.
    """

    def __init__(self, profile: Profile, reporter: Reporter) -> None:
        self.profile = profile
        self.client = RemoteClient(Access(profile.hosts), reporter)
        self.sign: Callable[[str, bool], str] = plain
        if profile.signing.kind == "sas":
            self.sign = SasSigner(profile.signing.token_url, self.client)
        elif profile.signing.kind == "bearer":
            self.sign = BearerCheck(profile)
        sign_in(profile, self.client)

    def raster(self, asset: Asset) -> RemoteRaster:
        """The file of an asset."""
        return RemoteRaster(self.client, asset.href, self.sign, asset.href.rpartition("/")[2] or asset.key)


class Catalogues:
    """The catalogues of a search, by their profiles. A profile may take its radar from another one."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._open: dict[str, Catalogue] = {}

    def of(self, profile: Profile) -> Catalogue:
        """The catalogue of a profile."""
        if profile.api not in self._open:
            self._open[profile.api] = Catalogue(profile, self._reporter)
        return self._open[profile.api]

    def open(self) -> tuple[Catalogue, ...]:
        """The catalogues that were asked so far."""
        return tuple(self._open.values())
