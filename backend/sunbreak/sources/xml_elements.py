"""Reads a small XML text into elements, with bounds: nothing outside it is read, and no entity is replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat  # nosec B407: document types, and with them all entities, end the reading

_MAX_DEPTH = 16


class XmlError(ValueError):
    """The text is not XML that is read; the message says why."""


@dataclass
class Element:
    """An XML element: its name, attributes, the elements in it and the text in it."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, name: str) -> list[Element]:
        """The elements in it that are called so."""
        return [child for child in self.children if child.name == name]

    def value(self, name: str) -> str | None:
        """The text of the first element in it that is called so, without spaces around it; None if there is none."""
        return next((child.text.strip() for child in self.children if child.name == name), None)


def read_xml(content: bytes, skipped: frozenset[str], max_elements: int) -> Element:
    """The root of an XML text. Takes time and memory in proportion to the text.

    Args:
        content: The text, encoded as its declaration says.
        skipped: Names of elements that are left out with all that is in them.
        max_elements: How many elements it may hold at most.

    Raises:
        XmlError: It is not well-formed, declares a document type, or is nested or long beyond what is read.
    """
    parser = expat.ParserCreate()
    open_elements: list[Element] = [Element("")]
    state = {"depth": 0, "count": 0, "skipping": 0}

    def start(name: str, attributes: dict[str, str]) -> None:
        state["depth"] += 1
        state["count"] += 1
        if state["depth"] > _MAX_DEPTH:
            raise XmlError(f"its elements are nested more than {_MAX_DEPTH} deep")
        if state["count"] > max_elements:
            raise XmlError(f"it holds more than {max_elements:,} elements")
        if state["skipping"] or name in skipped:
            state["skipping"] += 1
            return
        element = Element(name, attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_: str) -> None:
        state["depth"] -= 1
        if state["skipping"]:
            state["skipping"] -= 1
        else:
            element = open_elements.pop()
            element.text = "".join(texts.pop(id(element), ()))

    texts: dict[int, list[str]] = {}

    def data(text: str) -> None:
        if not state["skipping"]:
            texts.setdefault(id(open_elements[-1]), []).append(text)

    def refuse(*_: object) -> None:
        raise XmlError("it declares a document type or entities")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.buffer_text = True
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise XmlError(f"it is not well-formed XML (line {error.lineno})") from None
    except (ValueError, LookupError) as error:  # an encoding that there is not
        raise error if isinstance(error, XmlError) else XmlError("its encoding is not known") from None
    if not open_elements[0].children:
        raise XmlError("it holds no element that is read")
    return open_elements[0].children[0]
