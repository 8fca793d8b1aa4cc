"""Servers that fail: each way gives one clear line, and the next attempt succeeds where it can."""

from __future__ import annotations

import gzip
import logging
import shutil
import socket
import subprocess
import threading
import time
import traceback

import pytest
from faulty_server import FaultyServer, Handler, half, hang_up, redirect, retry_date, serving, stall, status

from sunbreak.errors import Cancelled, SunbreakError
from sunbreak.events import Reporter
from sunbreak.sources.remote import RemoteClient

SIGNED = "?sig=SECRET&se=2026"


def chain(error: BaseException) -> str:
    """All that a traceback could ever show of an error."""
    texts, seen, waiting = [], set(), [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        texts += [repr(one), str(one), *traceback.format_exception_only(one)]
        waiting += [one.__cause__, one.__context__]
    return "\n".join(texts)


def fails(call, code: str) -> SunbreakError:
    """The error, which is one line with a hint and tells no signature."""
    with pytest.raises(SunbreakError) as caught:
        call()
    error = caught.value
    assert error.code == code
    assert error.hint and "\n" not in str(error)
    assert "SECRET" not in chain(error) and "sig=" not in chain(error)
    return error


@pytest.mark.parametrize("code", [500, 502, 503, 504, 429])
def test_a_server_that_fails_once_is_asked_again(server: FaultyServer, connect, code: int) -> None:
    server.faults = [status(code)]
    assert connect().get_json(server.url("/a.json" + SIGNED)) == {"a": 1}
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [
        (status(500), "server-error", "has failed (500), 3 times"),
        (status(429), "too-many-requests", "asked too often (429), 3 times"),
        (half, "cut-off", "cut off"),
        (hang_up, "cut-off", "cut off"),
    ],
)
def test_a_server_that_goes_on_failing_is_asked_a_few_times(
    server: FaultyServer, connect, fault, code: str, says: str
) -> None:
    server.faults = [fault] * 3
    client = connect(attempts=3)
    error = fails(lambda: client.get_json(server.url("/a.json" + SIGNED)), code)
    assert says in error.message and f"127.0.0.1:{server.port}/a.json" in error.message
    assert len(server.asked) == client.requests_made == 3
    assert client.get_json(server.url("/a.json")) == {"a": 1}


@pytest.mark.parametrize("asked", ["1", "date"])
def test_a_server_that_asks_to_wait_is_left_alone_for_that_long(server: FaultyServer, connect, asked: str) -> None:
    # dates have whole seconds: at least one is left
    server.faults = [status(429, Retry_After=retry_date(2) if asked == "date" else asked)]
    start = time.monotonic()
    assert connect().get_bytes(server.url("/a.json"), 100) == b'{"a": 1}'
    assert 0.9 < time.monotonic() - start < 10


@pytest.mark.parametrize(
    "asked",
    ["86400", "99999999999999999999", retry_date(86400), "-5", "soon", retry_date(-60)],
    ids=["a day", "for ever", "a date", "a negative number", "a word", "a date in the past"],
)
def test_nobody_waits_for_longer_than_the_limit(server: FaultyServer, connect, asked: str) -> None:
    server.faults = [status(503, Retry_After=asked)]
    start = time.monotonic()
    assert connect(longest_pause_s=0.1).get_json(server.url("/a.json")) == {"a": 1}
    assert time.monotonic() - start < 10


def test_a_run_that_waits_can_be_cancelled(server: FaultyServer, connect) -> None:
    said: list[str] = []
    reporter = Reporter()
    reporter.message = lambda text, level="info": said.append(text)  # type: ignore[method-assign]
    server.faults = [status(429, Retry_After="30")]
    threading.Timer(0.2, reporter.cancellation.request).start()
    start = time.monotonic()
    with pytest.raises(Cancelled):
        connect(reporter).get_json(server.url("/a.json"))
    assert time.monotonic() - start < 10 and len(server.asked) == 1
    assert said == ["127.0.0.1 asks to wait: next attempt in 30 s."]


def test_a_server_that_stalls_is_asked_again(server: FaultyServer, connect) -> None:
    server.faults = [stall(0.6)]
    assert connect(read_s=0.3).get_json(server.url("/a.json")) == {"a": 1}
    server.faults = [stall(0.5)] * 2
    error = fails(lambda: connect(attempts=2, read_s=0.2).get_json(server.url("/a.json" + SIGNED)), "slow")
    assert "0.2 s" in error.message


def test_a_server_that_drips_is_too_slow(server: FaultyServer, connect) -> None:
    def drip(handler: Handler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(40):
            handler.wfile.write(b"x")
            time.sleep(0.02)
        handler.close_connection = True
        return True

    server.faults = [drip]
    fails(lambda: connect(attempts=1, read_s=0.04).get_bytes(server.url("/a.json"), 1000), "slow")


def test_half_a_body_is_asked_for_again(server: FaultyServer, connect) -> None:
    server.faults = [half]
    assert connect().read_range(server.url("/a.bin"), 300, 700) == server.files["/a.bin"][300:700]


@pytest.mark.parametrize(
    ("code", "name"),
    [(403, "forbidden"), (401, "forbidden"), (404, "not-found"), (410, "not-found"), (400, "server-error")],
)
def test_what_is_refused_is_not_asked_again(server: FaultyServer, connect, code: int, name: str) -> None:
    server.faults = [status(code)]
    client = connect()
    error = fails(lambda: client.read_range(server.url("/a.bin" + SIGNED), 0, 10), name)
    assert f"({code})" in error.message and len(server.asked) == 1
    assert client.read_range(server.url("/a.bin"), 0, 10) == bytes(range(10))


def test_ranges_sizes_and_what_was_moved(server: FaultyServer, connect) -> None:
    client = connect()
    whole = server.files["/a.bin"]
    assert client.size(server.url("/a.bin")) == len(whole)
    assert client.read_range(server.url("/a.bin"), 1000, 2000) == whole[1000:2000]
    assert client.read_range(server.url("/a.bin"), len(whole) - 5, len(whole) + 5) == whole[-5:]
    assert client.moved_bytes == server.sent == 1 + 1000 + 5
    fails(lambda: client.read_range(server.url("/a.bin"), len(whole), len(whole) + 5), "not-a-raster")


def test_a_server_without_ranges_is_refused_before_it_sends_the_file(server: FaultyServer, connect) -> None:
    server.ranges = False
    server.files["/big.bin"] = bytes(10**6)
    client = connect()
    error = fails(lambda: client.read_range(server.url("/big.bin" + SIGNED), 0, 10), "no-ranges")
    assert "ranges" in error.message and len(server.asked) == 1
    assert client.moved_bytes == 0


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("bytes 0-9/*", "no-ranges"),
        ("bytes 1-10/100", "cut-off"),
        ("bytes 0-8/100", "cut-off"),
        ("items 0-9/100", "no-ranges"),
        ("", "no-ranges"),
    ],
)
def test_another_part_than_was_asked_for_is_refused(server: FaultyServer, connect, given: str, code: str) -> None:
    server.faults = [lambda handler: handler.reply(206, bytes(10), {"Content-Range": given}) or True]
    fails(lambda: connect().read_range(server.url("/a.bin" + SIGNED), 0, 10), code)


def test_answers_have_a_limit(server: FaultyServer, connect) -> None:
    client = connect()
    assert len(client.get_bytes(server.url("/a.bin"), 102_400)) == 102_400
    error = fails(lambda: client.get_bytes(server.url("/a.bin" + SIGNED), 102_399), "too-large")
    assert "larger than 102399 bytes" in error.message


def test_the_limit_counts_unpacked_bytes(server: FaultyServer, connect) -> None:
    packed = gzip.compress(bytes(10**6))
    answer = {"Content-Encoding": "gzip"}
    server.faults = [lambda handler: handler.reply(200, packed, answer) or True]
    fails(lambda: connect().get_bytes(server.url("/a.json"), 10**5), "too-large")
    server.faults = [lambda handler: handler.reply(200, packed, answer) or True]
    client = connect()
    assert client.get_bytes(server.url("/a.json"), 10**6) == bytes(10**6)
    assert client.moved_bytes == len(packed)


def test_an_answer_in_chunks_without_length_is_read_to_its_end_or_asked_for_again(server, connect) -> None:
    def chunks(*parts: bytes):
        def fault(handler: Handler) -> bool:
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            for part in parts:
                handler.wfile.write(part)
            handler.close_connection = True
            return True

        return fault

    server.faults = [chunks(b"4\r\n[1, \r\n", b"2\r\n2]\r\n", b"0\r\n\r\n")]
    assert connect().get_json(server.url("/x")) == [1, 2]
    server.faults = [chunks(b"4\r\n[1, \r\n", b"2\r\n2")]
    assert connect().get_json(server.url("/a.json")) == {"a": 1}
    assert len(server.asked) == 3


def test_a_run_has_a_limit_over_all_requests(server: FaultyServer, connect) -> None:
    client = connect(max_bytes=2500)
    client.read_range(server.url("/a.bin"), 0, 1000)
    client.read_range(server.url("/a.bin"), 1000, 2000)
    error = fails(lambda: client.read_range(server.url("/a.bin" + SIGNED), 2000, 3000), "too-large")
    assert "this run" in error.message


def test_what_is_no_json_is_said_to_be_none(server: FaultyServer, connect) -> None:
    for content in (b"<html>", b"[" * 10**5, b"\xff"):
        server.files["/x.json"] = content
        fails(lambda: connect().get_json(server.url("/x.json" + SIGNED)), "not-json")


def test_redirects_lead_to_allowed_hosts_only(server: FaultyServer, connect) -> None:
    with serving({"/b.json": b"[2]"}) as other:
        client = connect()
        server.faults = [redirect(other.url("/b.json" + SIGNED))]
        assert client.get_json(server.url("/a.json")) == [2]
        assert other.asked[0][1] == "/b.json" + SIGNED
        server.faults = [redirect("/a.json")]
        assert client.get_json(server.url("/x.json")) == {"a": 1}
        for target in (
            other.url("/b.json" + SIGNED, "localhost"),
            f"//localhost:{other.port}/b.json" + SIGNED,
            "https://example.org/b.json" + SIGNED,
            "file:///etc/hostname",
            "FILE:/etc/hostname" + SIGNED,
            "gopher://127.0.0.1/1",
            f"http://me:SECRET@127.0.0.1:{other.port}/b.json",
            f"http://127.0.0.1:{other.port}\\@example.org/",
            "http://[::1/a",
            "http://127.0.0.1:port/a",
            "http://127.0.0.1/\xff\xfe",
            "https://",
        ):
            server.faults = [redirect(target)]
            error = fails(lambda: client.get_json(server.url("/a.json" + SIGNED)), "redirect")
            assert "sends on to" in error.message
        assert len(other.asked) == 1
        assert client.get_json(server.url("/a.json")) == {"a": 1}


def test_redirects_that_never_end_are_left(server: FaultyServer, connect) -> None:
    server.always = redirect("/a.json" + SIGNED)
    error = fails(lambda: connect().get_json(server.url("/a.json")), "redirect")
    assert "without end" in error.message and len(server.asked) < 10


def test_a_redirect_keeps_the_range(server: FaultyServer, connect) -> None:
    server.faults = [redirect("/a.bin" + SIGNED)]
    assert connect().read_range(server.url("/old.bin"), 5, 9) == bytes(range(5, 9))


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1/a", "http://example.org/a", "https://192.0.2.1/a", "ftp://127.0.0.1/a"]
)
def test_nothing_is_contacted_that_is_not_allowed(connect, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    monkeypatch.setattr(socket.socket, "connect", never)
    client = connect()
    for call in (
        lambda: client.get_json(url),
        lambda: client.session.get(url),
        lambda: client.session.post(url, json={}),
    ):
        with pytest.raises(SunbreakError) as caught:
            call()
        assert caught.value.code in ("not-https", "host-not-allowed")


def test_a_server_that_is_gone_cannot_be_reached(connect) -> None:
    with serving() as served:
        url = served.url("/a.json" + SIGNED)
    error = fails(lambda: connect(attempts=2).get_json(url), "no-connection")
    assert "nothing answers there" in error.message


def test_a_host_without_address_is_said_to_be_none(connect) -> None:
    client = connect(hosts=frozenset({"nowhere.invalid"}), attempts=1)
    error = fails(lambda: client.get_json("https://nowhere.invalid/a" + SIGNED), "no-connection")
    assert "no such host" in error.message


def test_what_speaks_no_tls_is_refused_at_once(server: FaultyServer, connect) -> None:
    client = connect()
    url = server.url("/a.json" + SIGNED).replace("http:", "https:")
    error = fails(lambda: client.get_json(url), "no-connection")
    assert "certificate" in error.message and client.requests_made == 1


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_a_certificate_has_to_be_known_to_the_users_bundle(connect, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    subprocess.run([*made, *name, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=30)
    with serving({"/a.json": b"[3]"}, certificate=(certificate, key)) as served:
        url = served.url("/a.json" + SIGNED).replace("http:", "https:")
        client = connect()
        error = fails(lambda: client.get_json(url), "no-connection")
        assert "certificate" in error.message and "REQUESTS_CA_BUNDLE" in error.hint and client.requests_made == 1
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert connect().get_json(url) == [3]
        served.faults = [redirect("http://localhost:9/a" + SIGNED)]
        fails(lambda: connect().get_json(url), "redirect")


def test_a_proxy_that_is_gone_is_named_and_this_machine_is_asked_without_it(
    server: FaultyServer, connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as gone:
        proxy = gone.url("")
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("HTTP_PROXY", proxy)
    client = connect(hosts=frozenset({"example.org", "127.0.0.1"}), attempts=1)
    error = fails(lambda: client.get_json("https://example.org/a" + SIGNED), "no-connection")
    assert "proxy" in error.message
    assert client.get_json(server.url("/a.json")) == {"a": 1}


def test_an_https_request_goes_through_the_proxy_of_the_environment(connect, monkeypatch: pytest.MonkeyPatch) -> None:
    methods: list[str] = []
    with serving() as proxy:
        monkeypatch.setattr(
            Handler,
            "do_CONNECT",
            lambda handler: (methods.append(handler.path), handler.reply(502, b"")),
            raising=False,
        )
        monkeypatch.setenv("HTTPS_PROXY", proxy.url(""))
        client = connect(hosts=frozenset({"example.org"}), attempts=1)
        fails(lambda: client.get_json("https://example.org/a" + SIGNED), "no-connection")
    assert methods == ["example.org:443"]


def test_no_password_of_the_users_files_and_no_cookie_is_sent(
    server: FaultyServer, connect, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login me password SECRET\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    client = connect()
    server.faults = [status(200, Set_Cookie="a=SECRET; Path=/"), redirect("/a.json")]
    client.get_bytes(server.url("/x"), 1000)
    client.get_json(server.url("/y"))
    assert len(server.headers) == 3
    assert not any({"Authorization", "Cookie"} & set(headers) for headers in server.headers)
    assert all(headers["User-Agent"].startswith("sunbreak/") for headers in server.headers)


def test_a_token_is_sent_on_to_the_same_server_only(server: FaultyServer, connect) -> None:
    with serving({"/a.json": b"[4]"}) as other:
        client = connect(hosts=frozenset({"127.0.0.1", "localhost"}))
        server.faults = [
            redirect("/a.json"),
            redirect(other.url("/a.json")),
            redirect(server.url("/a.json", "localhost")),
        ]
        for _ in range(2):
            client.session.get(server.url("/x"), headers={"Authorization": "Bearer SECRET"})
        assert [headers.get("Authorization") for headers in other.headers] == [None]
    # the last one went to another name of the same server
    assert ["Authorization" in headers for headers in server.headers] == [True, True, True, False]


def test_no_log_holds_a_query(server: FaultyServer, connect, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.faults = [status(500), redirect("/a.json" + SIGNED)]
    connect().get_json(server.url("/a.json" + SIGNED))
    assert "/a.json" in caplog.text and "SECRET" not in caplog.text


def test_other_libraries_get_the_same_rule_by_the_session(server: FaultyServer, connect) -> None:
    session = connect().session
    server.faults = [status(500), half, status(404)]
    assert session.get(server.url("/a.json")).status_code == 404
    assert session.post(server.url("/a.json"), json={}, stream=True).json() == {"a": 1}
    assert [method for method, _, _ in server.asked] == ["GET", "GET", "GET", "POST"]
    server.faults = [redirect("file:///etc/hostname")]
    fails(lambda: session.get(server.url("/a.json")), "redirect")


def test_several_threads_share_a_client(server: FaultyServer, connect) -> None:
    client: RemoteClient = connect()
    whole, wrong = server.files["/a.bin"], []

    def ask(number: int) -> None:
        starts = range(number, 20_000, 1_000)
        found = [client.read_range(server.url("/a.bin"), start, start + 50) for start in starts]
        wrong.extend(start for start, part in zip(starts, found, strict=True) if part != whole[start : start + 50])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and client.moved_bytes == 50 * client.requests_made == 50 * len(server.asked)
