"""Builds the user guide as offline HTML pages for the plugin's zip; its help links open them."""

from __future__ import annotations

import html
import itertools
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = ("guide", "installing")
_STYLE = """
body{font:16px/1.55 system-ui,sans-serif;max-width:860px;margin:0 auto;padding:24px;color:#1c2733;background:#fff}
h1,h2,h3{line-height:1.25;margin-top:1.6em}img{max-width:100%;border:1px solid #d5dbe1}
table{border-collapse:collapse}td,th{border:1px solid #d5dbe1;padding:5px 10px;text-align:left;vertical-align:top}
code,pre{background:#f3f5f7;font-size:14px}pre{padding:10px;overflow:auto}a{color:#1a5fb4}
@media(prefers-color-scheme:dark){body{background:#1e2227;color:#dde3e9}code,pre{background:#2a3037}a{color:#8ab4f8}}
"""


def pages(repository: str) -> dict[str, bytes]:
    """Name in the zip to contents: the pages, and the pictures in them.

    Args:
        repository: Where the documents lie that are not among `PAGES`; links to those lead there.
    """
    found: dict[str, bytes] = {}
    for name in PAGES:
        body = rendered((DOCS / f"{name}.md").read_text(encoding="utf-8"), repository)
        title = re.search(r"<h1[^>]*>(.*?)</h1>", body)
        found[f"docs/{name}.html"] = (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f"<title>{title[1] if title else name}</title><style>{_STYLE}</style></head>\n<body>\n{body}</body></html>\n"
        ).encode()
        for image in re.findall(r'<img src="(images/[^"]+)"', body):
            found[f"docs/{image}"] = (DOCS / image).read_bytes()
    return found


def rendered(text: str, repository: str) -> str:
    """Markdown as HTML, with the heading anchors of the repository and resolved links."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(text)
    for token, following in itertools.pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(following.content))
        for child in token.children or []:
            if child.type == "link_open":
                child.attrSet("href", _target(str(child.attrGet("href")), repository))
    return str(parser.renderer.render(tokens, parser.options, {}))


def anchor(heading: str) -> str:
    """Anchor of a heading: lower case, words joined by hyphens."""
    words = re.sub(r"[^\w\s-]", "", html.unescape(heading).lower())
    return re.sub(r"\s+", "-", words.strip())


def _target(href: str, repository: str) -> str:
    page, mark, part = href.partition("#")
    if not page.endswith(".md") or "://" in page:
        return href
    if page.removesuffix(".md") in PAGES:
        return f"{page.removesuffix('.md')}.html{mark}{part}"
    return f"{repository}/blob/main/docs/{page}{mark}{part}"
