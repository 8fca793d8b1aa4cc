"""Tokens for files, as Planetary Computer gives them: for one container, with an end and a signature."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode


@dataclass
class Tokens:
    """Makes tokens and checks them.

    Attributes:
        seconds: How long a token is valid.
        ahead_seconds: How far the clock of the files is ahead of the clock that dates the tokens (clock skew).
        given: Number of tokens given.
    """

    seconds: float = 3600
    ahead_seconds: float = 0
    given: int = 0
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def give(self, account: str, container: str) -> dict[str, str]:
        """A token and when it ends."""
        self.given += 1
        now = datetime.now(timezone.utc)
        start, end = (_text(now + timedelta(seconds=seconds)) for seconds in (0, self.seconds))
        facts = {"st": start, "se": end, "sp": "rl", "sv": "2021-06-08", "sr": "c"}
        return {"msft:expiry": end, "token": urlencode({**facts, "sig": self._signature(account, container, end)})}

    def valid(self, account: str, container: str, query: Mapping[str, str]) -> bool:
        """Whether the query of an address has a token for a container that has not ended."""
        end = query.get("se", "")
        if not hmac.compare_digest(query.get("sig", ""), self._signature(account, container, end)):
            return False
        return datetime.now(timezone.utc) + timedelta(seconds=self.ahead_seconds) < datetime.fromisoformat(
            end.replace("Z", "+00:00")
        )

    def _signature(self, account: str, container: str, end: str) -> str:
        return hmac.new(self._key, f"{account}/{container}/{end}".encode(), hashlib.sha256).hexdigest()


def _text(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
