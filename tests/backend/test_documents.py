"""The documents are in plain English: short sentences in the README, and the glossary's terms everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
# the glossary itself lists the replaced words
PAGES = [
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(page for page in sorted((CHECKOUT / "docs").glob("*.md")) if page.name != "glossary.md"),
]
# phrases that the glossary replaced
REPLACED = (
    "look for", "looked for", "looks for", "sewn", "sews", "painted", "painting", "paints", "made-up", "price on blur",
    "ended hard", "does not suffice", "error of ours", "goes on where", "go on where", "is grown by", "are grown by",
)  # fmt: skip


def prose(text: str) -> list[str]:
    """The sentences of a page, with those of its table cells and lists; code, pictures and link targets are left out."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"^(?: {4,}|#).*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"^\s*(?:[-*]|\d+\.) ", "\n", text, flags=re.MULTILINE)
    blocks = re.split(r"\n\s*\n|\|", text)
    return [part for block in blocks for part in re.split(r"(?<=[.!?])\s+(?=[A-Z`*])", " ".join(block.split())) if part]


def test_no_sentence_of_the_readme_has_more_than_25_words():
    sentences = prose((CHECKOUT / "README.md").read_text(encoding="utf-8"))
    assert len(sentences) > 40
    assert not [sentence for sentence in sentences if len(sentence.split()) > 25]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_uses_the_terms_of_the_glossary(page):
    text = " ".join(page.read_text(encoding="utf-8").lower().split())
    assert not [phrase for phrase in REPLACED if re.search(rf"(?<![\w-]){phrase}\b", text)]
