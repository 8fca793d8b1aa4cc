from __future__ import annotations

import json

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")


def lines_of(chunks):
    from sunbreak.plugin.bridge.protocol import LineReader

    reader = LineReader()
    return [line for chunk in chunks for line in reader.feed(chunk)] + list(reader.finish())


STREAM = (
    b'{"event":"started","version":1}\r\n'
    b"Warning: a library \xff\xfe says something\n"
    b"\n"
    + json.dumps({"event": "layer", "role": "cleaned", "path": "/ä ö/x.tif"}, ensure_ascii=False).encode()
    + b'\n{"event":"result","layers":{},"numbers":{"seconds":1.5}}'
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 16, 64, 10_000])
def test_lines_do_not_depend_on_how_the_stream_is_split(size):
    chunks = [STREAM[i : i + size] for i in range(0, len(STREAM), size)]
    assert lines_of(chunks) == lines_of([STREAM])
    assert len(lines_of(chunks)) == 4


def test_events_and_foreign_lines_are_separated_without_loss():
    from sunbreak.plugin.bridge.protocol import parse

    events = [parse(line) for line in lines_of([STREAM])]
    assert [event.kind for event in events] == ["started", "text", "layer", "result"]
    assert events[0].number("version") == 1
    assert events[1].text("text") == "Warning: a library \ufffd\ufffd says something"
    assert events[2].text("path") == "/ä ö/x.tif"
    assert events[3].mapping("numbers") == {"seconds": 1.5}


@pytest.mark.parametrize(
    "line", [b"{not json}", b'{"event": "unheard of"}', b'["event"]', b'{"a": 1}', b'{"event": ["x"]}', b"{" * 5000]
)
def test_a_line_that_only_resembles_an_event_is_text(line):
    from sunbreak.plugin.bridge.protocol import parse

    event = parse(line)
    assert event.kind == "text"
    assert event.text("text") == line.decode()


@pytest.mark.parametrize(
    ("given", "texts"), [(["a: 1%", 2, "b"], ["a: 1%", "b"]), ("a: 1%", []), (None, []), ({"a": 1}, [])]
)
def test_a_list_of_texts_is_read_leniently(given, texts):
    from sunbreak.plugin.bridge.protocol import parse

    event = parse(json.dumps({"event": "progress", "done": 1, "total": 2, "on": given}).encode())
    assert event.texts("on") == texts
    assert event.texts("off") == []


def test_an_endless_line_is_limited():
    from sunbreak.plugin.bridge.protocol import LineReader

    reader = LineReader()
    lines = [line for _ in range(40) for line in reader.feed(b"#" * 100_000)]
    lines += list(reader.finish())
    assert max(map(len, lines)) < 1_200_000
    assert sum(map(len, lines)) == 4_000_000


def test_fields_of_the_wrong_type_are_treated_as_missing():
    from sunbreak.plugin.bridge.protocol import parse

    event = parse(b'{"event":"progress","done":"three","total":true,"eta":null,"numbers":[1]}')
    assert event.number("done") is None
    assert event.number("total") is None
    assert event.number("eta") is None
    assert event.mapping("numbers") == {}
    assert event.text("eta") == ""
