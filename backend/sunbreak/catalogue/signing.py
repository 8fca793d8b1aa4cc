"""Signs the addresses of files where a catalogue asks for it. Signatures are never kept, shown or logged.

Tokens are asked for through the client of the catalogue, so that its hosts, limits and retries hold for them too. The
package of Planetary Computer opens connections of its own, without a time limit.
"""

from __future__ import annotations

import os
import threading
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlsplit

from sunbreak.catalogue.profiles import Profile
from sunbreak.errors import InputError, RunError
from sunbreak.sources.remote import RemoteClient
from sunbreak.sources.remote.access import is_loopback

_MARGIN = timedelta(seconds=60)


class SasSigner:
    """Adds tokens of Azure storage, one for each container, as Planetary Computer gives them without an account.

    Args:
        token_url: Address of the tokens; account and container follow it.
        client: Asks for them.
    """

    def __init__(self, token_url: str, client: RemoteClient) -> None:
        self._url, self._client = token_url.rstrip("/"), client
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._lock = threading.Lock()

    def __call__(self, href: str, renew: bool) -> str:
        """The signed address.

        Args:
            href: The address.
            renew: The last signature was refused: ask for a new token, whatever the clock says.

        Raises:
            RunError: The token is not what it should be, or cannot be had.
        """
        url = f"{self._url}/{'/'.join(map(quote, _account_and_container(href)))}"
        with self._lock:
            held = self._tokens.get(url)
            if renew or held is None or held[1] - datetime.now(timezone.utc) < _MARGIN:
                held = self._tokens[url] = self._ask(url)
        return f"{href}?{held[0]}"

    def _ask(self, url: str) -> tuple[str, datetime]:
        content = self._client.get_json(url)
        token = content.get("token") if isinstance(content, dict) else None
        expiry = content.get("msft:expiry") if isinstance(content, dict) else None
        if not isinstance(token, str) or not token:
            raise RunError(f"{url} gives no token.", "Try again later.", code="forbidden")
        try:
            until = datetime.fromisoformat(str(expiry).replace("Z", "+00:00"))
        except ValueError:
            until = datetime.now(timezone.utc) + timedelta(minutes=5)
        return token, until if until.tzinfo else until.replace(tzinfo=timezone.utc)


def _account_and_container(href: str) -> tuple[str, str]:
    """Account and container of an address: by host and path, or both by path where a local server imitates Azure."""
    parts = urlsplit(href)
    first, _, rest = parts.path.strip("/").partition("/")
    if is_loopback(href):
        return first, rest.partition("/")[0]
    return str(parts.hostname).partition(".")[0], first


def plain(href: str, renew: bool) -> str:
    """An address that needs no signature."""
    return href


class BearerCheck:
    """Says before a file is asked for that its catalogue needs an account. The address stays as it is.

    Args:
        profile: The catalogue.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def __call__(self, href: str, renew: bool) -> str:
        """The address.

        Raises:
            InputError: The environment variable holds no token (``no-token``).
        """
        if not _token(self._profile):
            raise InputError(
                f"{self._profile.title} gives files only with an account.",
                f"Set {self._profile.signing.variable} to an access token, or use another catalogue.",
                code="no-token",
            )
        return href


def sign_in(profile: Profile, client: RemoteClient) -> None:
    """Send the access token of a profile with requests to its hosts, and none to any other."""
    client.session.auth = _Bearer(profile) if profile.signing.kind == "bearer" else _Nothing()


def _token(profile: Profile) -> str:
    return os.environ.get(profile.signing.variable, "").strip()


class _Nothing:
    """No authentication; without it requests would send what a .netrc file holds."""

    def __call__(self, request: Any) -> Any:
        return request


class _Bearer:
    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def __call__(self, request: Any) -> Any:
        token = _token(self._profile)
        if token and str(urlsplit(str(request.url)).hostname) in self._profile.signing.hosts:
            request.headers["Authorization"] = f"Bearer {token}"
        return request
