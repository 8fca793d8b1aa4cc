"""Hook of mkdocs: adds the pages of the documentation site that come from other files of the repository.

README.md becomes the front page; CONTRIBUTING.md and CHANGELOG.md become pages; the cards of the bundled models become
tables; each public package gets a page of the API reference. Nothing is written into docs/.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "backend" / "sunbreak"
TOP_PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
# named beside the functions of `sunbreak.api`
TOP_MODULES = ("errors", "events")
# from the data to the jobs
PACKAGES = (
    "sources", "scene", "tiling", "metrics", "models", "layers", "engine", "clouds", "removal", "landcover", "jobs",
    "batches", "evaluation",
)  # fmt: skip
_LINK = re.compile(r"(?<=\]\()(?!https?://|#)([^)#\s]+)")


class Examples(griffe.Extension):
    """Reads a docstring's section ``Example:`` as ``Examples:``, the only name that griffe knows."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called for each object once its members are loaded."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the pages of the API reference in the navigation."""
    for section in config.nav or []:
        for entry in section.get("Python", []) if isinstance(section, dict) else []:
            if "API reference" in entry:
                entry["API reference"] = ["api/index.md", *(f"api/{name}.md" for name in _packages())]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    pages = {page: _moved((ROOT / name).read_text(encoding="utf-8"), config) for name, page in TOP_PAGES.items()}
    pages["model-cards.md"] = _cards()
    pages["api/index.md"] = _interface()
    pages |= {f"api/{name}.md": _reference(name) for name in _packages()}
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Turn links to files at the root into links to their pages."""
    for name, page in TOP_PAGES.items():
        markdown = markdown.replace(f"](../{name}", f"]({page}")
    return markdown


def _moved(text: str, config: MkDocsConfig) -> str:
    """The text of a file at the root, with the links that are right inside docs/."""

    def target(match: re.Match[str]) -> str:
        path = match[1]
        if path.startswith("docs/"):
            return path.removeprefix("docs/")
        return TOP_PAGES.get(path, f"{config.repo_url}/blob/main/{path}")

    return _LINK.sub(target, text)


def _packages() -> list[str]:
    return [name for name in PACKAGES if (PACKAGE / name / "__init__.py").exists()]


def _interface() -> str:
    lines = [
        "# API reference",
        "",
        "The Python interface, its errors and its events. The other pages have one package each.",
    ]
    shown = "    options: {heading_level: 2, show_root_full_path: false, show_root_toc_entry: true}"
    for name in _exported(PACKAGE / "api" / "__init__.py"):
        lines += ["", f"::: sunbreak.api.{name}", shown]
    for name in TOP_MODULES:
        lines += ["", f"## `sunbreak.{name}`", "", f"::: sunbreak.{name}", "    options: {show_root_heading: false}"]
    return "\n".join(lines) + "\n"


def _exported(path: Path) -> list[str]:
    """The names in `__all__` of a module."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


def _defined(path: Path) -> list[str]:
    """The public functions and classes that a module defines itself."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return [
        node.name
        for node in body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
    ]


def _reference(package: str) -> str:
    own = json.dumps(_defined(PACKAGE / package / "__init__.py") or False)
    lines = [
        f"# {package}",
        "",
        f"::: sunbreak.{package}",
        f"    options: {{members: {own}, show_root_heading: false}}",
    ]
    for path in sorted((PACKAGE / package).rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[-1] == "__init__" or any(part.startswith("_") for part in parts):
            continue
        name = ".".join(("sunbreak", *parts))
        lines += ["", f"## `{name}`", "", f"::: {name}", "    options: {show_root_heading: false}"]
    return "\n".join(lines) + "\n"


def _cards() -> str:
    lines = [
        "# Model cards",
        "",
        "The cards of the bundled models, generated from `resources/models/*.json`. `sunbreak models show NAME` prints a card.",
        "[Models](models.md) explains how the models were trained and what the figures mean.",
    ]
    for path in sorted((ROOT / "resources" / "models").glob("*.json")):
        lines += ["", *_card(json.loads(path.read_text(encoding="utf-8")))]
    return "\n".join(lines) + "\n"


def _card(card: dict[str, Any]) -> list[str]:
    about = card["properties"]
    variance = about["sunbreak:variance"]
    facts = {
        "title": about["title"],
        "task": about["sunbreak:task"],
        "architecture": f"{about['mlm:architecture']}, {about['mlm:total_parameters']:,} weights",
        "bands": ", ".join(about["sunbreak:bands"]),
        "radar": "VV, VH in dB" if about["sunbreak:radar"] else "not used",
        "processing level": about["sunbreak:level"],
        "tile, overlap": f"{about['sunbreak:tile']}, {about['sunbreak:overlap']} px",
        "classes": ", ".join(kind["name"] for kind in about.get("sunbreak:classes", ())),
        "calibrated on": variance["calibrated_on"],
        "licence": about["license"],
        "weights, SHA-256": f"`{card['assets']['weights']['sunbreak:sha256'].removeprefix('sha256:')}`",
    }
    lines = [f"## {card['id']}", "", about["description"], "", "| entry | value |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in facts.items() if value]
    lines += ["", "Training command:", "", f"    {about['sunbreak:training']['command']}"]
    for measured in about["sunbreak:metrics"]:
        lines += ["", f"### Measured on {measured['data']}", "", "| figure | value |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in _figures(measured["figures"])]
    return lines


def _figures(figures: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested figures as rows."""
    rows: list[tuple[str, str]] = []
    for name, value in figures.items():
        path = f"{prefix}: {name}" if prefix else name
        if isinstance(value, dict):
            rows += _figures(value, path)
        else:
            rows.append((path.replace("_", " "), f"{value:.4g}" if isinstance(value, float) else str(value)))
    return rows
