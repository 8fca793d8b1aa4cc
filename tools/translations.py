"""Translations of the plugin: collects its texts into Qt Linguist files and compiles them for QGIS.

    python tools/translations.py update     updates i18n/*.ts to the plugin's texts; translations are kept
    python tools/translations.py compile    writes i18n/*.qm beside them

Qt's `lupdate` and `lrelease` are not needed; Qt Linguist can open the files.
"""

from __future__ import annotations

import ast
import re
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as Xml

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "i18n"
CONTEXT = "Sunbreak"  # the context that `plugin.compat.tr` uses

# Layout of a .qm file: qtbase/src/corelib/kernel/qtranslator.cpp
_MAGIC = bytes.fromhex("3cb86418caef9c95cd211cbf60a1bddd")  # pragma: allowlist secret
_HASHES, _MESSAGES, _LANGUAGE = 0x42, 0x69, 0xA7
_END, _TRANSLATION, _SOURCE, _CONTEXT, _COMMENT = 1, 3, 6, 7, 8


@dataclass(frozen=True)
class Text:
    """A text of the plugin.

    Attributes:
        source: In English.
        place: File and line, for messages.
    """

    source: str
    place: str


def files() -> list[Path]:
    """All translations."""
    return sorted(FOLDER.glob("*.ts"))


def texts(folder: Path) -> tuple[list[Text], list[str]]:
    """Texts of all `tr()` calls below a folder, in file order, and the calls that cannot be translated."""
    found: dict[str, Text] = {}
    problems = []
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        at_import = {id(node) for node in _outside_functions(tree)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or _name(node.func) != "tr":
                continue
            place = f"{path.relative_to(folder)}:{node.lineno}"
            argument = node.args[0] if len(node.args) == 1 else None
            if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
                problems.append(f"{place}: tr() needs one literal text")
            elif id(node) in at_import:
                problems.append(f"{place}: translated when the module is imported, before the language is known")
            else:
                found.setdefault(argument.value, Text(argument.value, place))
    return list(found.values()), problems


def _outside_functions(tree: ast.AST) -> list[ast.AST]:
    """All nodes that run when the module is imported."""
    nodes = []
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            nodes += [child, *_outside_functions(child)]
    return nodes


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def read(path: Path) -> dict[str, str]:
    """Source to translation; empty if there is none yet."""
    return {
        message.findtext("source", ""): message.findtext("translation", "")
        for message in Xml.parse(path).getroot().iter("message")
    }


def write(path: Path, language: str, translations: dict[str, str]) -> None:
    """Write a Qt Linguist file; texts without a translation are marked as unfinished."""
    root = Xml.Element("TS", version="2.1", language=language, sourcelanguage="en")
    context = Xml.SubElement(root, "context")
    Xml.SubElement(context, "name").text = CONTEXT
    for source, translation in translations.items():
        message = Xml.SubElement(context, "message")
        Xml.SubElement(message, "source").text = source
        attributes = {} if translation else {"type": "unfinished"}
        Xml.SubElement(message, "translation", attributes).text = translation
    Xml.indent(root, " " * 4)
    body = Xml.tostring(root, encoding="unicode")
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n{body}\n', encoding="utf-8")


def untranslated(path: Path, folder: Path) -> list[str]:
    """Missing translations, translations of removed texts, and lost placeholders."""
    translations = read(path)
    wanted, problems = texts(folder)
    problems += [f"{t.place}: {path.name} lacks {_short(t.source)}" for t in wanted if not translations.get(t.source)]
    sources = {text.source for text in wanted}
    problems += [f"{path.name}: no longer used: {_short(source)}" for source in translations if source not in sources]
    problems += [
        f"{path.name}: other placeholders than the original: {_short(source)}"
        for source, translation in translations.items()
        if translation and _placeholders(source) != _placeholders(translation)
    ]
    return problems


def _short(text: str) -> str:
    return repr(text if len(text) < 60 else text[:57] + "...")


def _placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"\{[^{}]*\}|<[^<>]+>", text))


def compiled(path: Path) -> bytes:
    """The .qm file of a .ts file, as `lrelease` would write it."""
    language = Xml.parse(path).getroot().get("language", "")
    messages = b""
    offsets = []
    for source, translation in read(path).items():
        if not translation:
            continue
        original = source.encode()
        offsets.append((_elf_hash(original), len(messages)))
        messages += _tagged(_TRANSLATION, translation.encode("utf-16-be")) + _tagged(_COMMENT, b"")
        messages += _tagged(_SOURCE, original) + _tagged(_CONTEXT, CONTEXT.encode()) + bytes([_END])
    hashes = b"".join(struct.pack(">II", *pair) for pair in sorted(offsets))
    sections = ((_LANGUAGE, language.encode()), (_HASHES, hashes), (_MESSAGES, messages))
    return _MAGIC + b"".join(_tagged(tag, data) for tag, data in sections)


def _tagged(tag: int, data: bytes) -> bytes:
    return struct.pack(">BI", tag, len(data)) + data


def _elf_hash(data: bytes) -> int:
    """The ELF hash (System V ABI), with which Qt looks up texts; never 0."""
    value = 0
    for byte in data:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high
    return value or 1


def main(what: str) -> None:
    """Update or compile all translations."""
    for path in files():
        if what == "compile":
            path.with_suffix(".qm").write_bytes(compiled(path))
            print(path.with_suffix(".qm").relative_to(ROOT))
            continue
        before = read(path)
        wanted, problems = texts(ROOT / "plugin")
        write(path, path.stem.split("_", 1)[1], {text.source: before.get(text.source, "") for text in wanted})
        missing = sum(not before.get(text.source) for text in wanted)
        print("\n".join([*problems, f"{path.relative_to(ROOT)}: {len(wanted)} texts, {missing} to translate"]))


if __name__ == "__main__":
    if sys.argv[1:] not in (["update"], ["compile"]):
        sys.exit(__doc__)
    main(sys.argv[1])
