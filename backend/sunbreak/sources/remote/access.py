"""Which hosts may be asked over the network, and how long, how often and for how much.

The rule is checked for every request and for every redirect, before a connection is made. Only https is asked; http is
for servers on this machine. Nothing here connects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from sunbreak.errors import InputError

#: Names of this machine, which may be asked over http.
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_PLAIN = re.compile(r"[!-\[\]-~]+")  # printable ASCII without blanks and backslashes, which parsers read in two ways
_LONGEST_SHOWN = 300
_HOSTS_HINT = "Choose the profile of the catalogue that names this host, or add the host to your own profile."


@dataclass(frozen=True)
class Access:
    """What may be asked.

    Attributes:
        hosts: Names of hosts that may be asked, such as ``example.org``, each on the usual port of https (a host of
            this machine on any port), or ``example.org:8443`` for another port. Other hosts are never contacted.
        connect_s: Seconds to wait for a connection.
        read_s: Seconds to wait for the next bytes.
        attempts: How often one request is made before it fails.
        max_bytes: Bytes that one run may receive, of all hosts together.
        answer_bytes: Bytes of one answer, unpacked.
        pause_s: Seconds before the second attempt; doubled before each further one, with jitter.
        longest_pause_s: Longest pause in seconds, also where a server asks for a longer one.
    """

    hosts: frozenset[str]
    connect_s: float = 10.0
    read_s: float = 30.0
    attempts: int = 4
    max_bytes: int = 4 * 2**30
    answer_bytes: int = 256 * 2**20
    pause_s: float = 0.5
    longest_pause_s: float = 60.0

    def __post_init__(self) -> None:
        """Compare names of hosts without regard to case."""
        object.__setattr__(self, "hosts", frozenset(host.lower().rstrip(".") for host in self.hosts))

    def check(self, url: str) -> None:
        """Refuse an address that may not be asked.

        Raises:
            InputError: ``not-https`` or ``host-not-allowed``.
        """
        scheme, host, port = _parts(url)
        if scheme not in ("https", "http"):
            raise InputError(
                f"{shown(url)} is not asked: only https addresses are.",
                "Give an https address of a host in the catalogue's profile.",
                code="not-https",
            )
        if "@" in urlsplit(url).netloc:
            raise InputError(
                f"{shown(url)} is not asked: the address holds a user name or password.",
                "Give the address without them.",
                code="host-not-allowed",
            )
        if scheme == "http" and host not in LOOPBACK:
            raise InputError(
                f"{shown(url)} is not asked: http is not encrypted.", "Give the https address.", code="not-https"
            )
        if not self._allows(scheme, host, port):
            raise InputError(
                f"{shown(url)} is not asked: its host is none of the hosts of the catalogue.",
                _HOSTS_HINT,
                code="host-not-allowed",
            )

    def check_redirect(self, origin: str, target: str) -> None:
        """Refuse that a server sends on to an address that may not be asked.

        A host elsewhere may not lead to this machine either, where other servers may trust whoever asks.

        Raises:
            InputError: ``redirect``.
        """
        inward = False
        try:
            self.check(target)
            inward = is_loopback(target) and not is_loopback(origin)
            allowed = not inward
        except InputError:
            allowed = False
        if not allowed:
            raise InputError(
                f"{shown(origin)} sends on to {shown(target) or 'no address'}, which may not be asked.",
                "Nothing was asked there. If the catalogue has moved, add its new host to your own profile.",
                code="redirect",
            )

    def _allows(self, scheme: str, host: str, port: int | None) -> bool:
        usual = port in (None, 443 if scheme == "https" else 80) or host in LOOPBACK
        bracketed = f"[{host}]" if ":" in host else host
        return (usual and bool({host, bracketed} & self.hosts)) or f"{bracketed}:{port}" in self.hosts


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine by one of its usual names."""
    try:
        return _parts(url)[1] in LOOPBACK
    except InputError:
        return False


def shown(url: str) -> str:
    """An address as messages show it: without its query, which holds signatures, and without a user name."""
    bare = re.split(r"[?#]", str(url), maxsplit=1)[0]
    scheme, mark, rest = bare.rpartition("://")
    authority, slash, path = rest.partition("/")
    text = f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}"
    return re.sub(r"[^ -~]", lambda one: quote(one[0], errors="replace"), text)[:_LONGEST_SHOWN]


def _parts(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address.

    Raises:
        InputError: ``not-https`` for what is no address.
    """
    try:
        parts = urlsplit(url)
        found = parts.scheme.lower(), (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        found = ("", "", None)
    if not _PLAIN.fullmatch(url) or not found[0]:
        raise InputError(f"{shown(url)} is no valid address.", "Give an https address.", code="not-https")
    return found
