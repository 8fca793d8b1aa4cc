"""Only https and only the hosts of the profile are asked; http for this machine."""

from __future__ import annotations

import pytest

from sunbreak.errors import InputError
from sunbreak.sources.remote.access import Access, shown

ACCESS = Access(frozenset({"Example.org", "data.example.org:8443", "127.0.0.1", "::1"}))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a",
        "https://EXAMPLE.org:443/a?x=1",
        "https://example.org./a",
        "https://data.example.org:8443/a",
        "http://127.0.0.1:8000/a",
        "https://127.0.0.1/a",
        "http://[::1]:8000/a",
    ],
)
def test_hosts_of_the_profile_are_asked(url: str) -> None:
    ACCESS.check(url)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.org/a", "not-https"),
        ("https://other.org/a", "host-not-allowed"),
        ("https://sub.example.org/a", "host-not-allowed"),
        ("https://example.org.other.net/a", "host-not-allowed"),
        ("https://example.org:8443/a", "host-not-allowed"),
        ("https://data.example.org/a", "host-not-allowed"),
        ("https://other.org/example.org", "host-not-allowed"),
        ("https://other.org?example.org", "host-not-allowed"),
        ("https://other.org#@example.org", "host-not-allowed"),
        ("http://localhost:8000/a", "host-not-allowed"),
        ("http://127.0.0.2/a", "not-https"),
        ("http://2130706433/a", "not-https"),
        ("https:///a", "host-not-allowed"),
        ("ftp://example.org/a", "not-https"),
        ("file:///etc/hostname", "not-https"),
        ("s3://example.org/a", "not-https"),
        ("/vsicurl/https://example.org/a", "not-https"),
        ("example.org/a", "not-https"),
        ("", "not-https"),
        ("https://example.org\\@other.org/a", "not-https"),
        ("https://other.org\\.example.org/a", "not-https"),
        ("https://example.org\t.other.org/a", "not-https"),
        ("https://example.org/a\r\nHost: other.org", "not-https"),
        ("https://exämple.org/a", "not-https"),
        ("https://example.org:99999999/a", "not-https"),
        ("https://[::1/a", "not-https"),
        ("https://user:secret@example.org/a", "host-not-allowed"),
        ("https://example.org@other.org/a", "host-not-allowed"),
        ("https://@example.org/a", "host-not-allowed"),
    ],
)
def test_everything_else_is_refused_in_one_line(url: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        ACCESS.check(url)
    assert caught.value.code == code
    assert caught.value.hint and "\n" not in str(caught.value) and "secret" not in str(caught.value)


def test_a_redirect_may_lead_to_an_allowed_host_but_not_inward() -> None:
    ACCESS.check_redirect("https://example.org/a", "https://data.example.org:8443/b")
    ACCESS.check_redirect("http://127.0.0.1:1/a", "http://[::1]:2/b")
    for target in ("http://127.0.0.1:8000/a", "http://example.org/a", "file:///etc/hostname", "https://other.org/?s=1"):
        with pytest.raises(InputError, match="sends on to") as caught:
            ACCESS.check_redirect("https://example.org/a?sig=1", target)
        assert caught.value.code == "redirect"
        assert "?" not in str(caught.value) and caught.value.__context__ is None


def test_addresses_are_shown_without_query_user_and_control_characters() -> None:
    assert shown("https://me:word@example.org/a.tif?sig=abc#x") == "https://example.org/a.tif"
    assert shown("https://example.org/\x1b[31m\u202e") == "https://example.org/%1B[31m%E2%80%AE"
    assert shown("a?b") == "a"
    assert len(shown("https://example.org/" + "a" * 10_000)) == 300
