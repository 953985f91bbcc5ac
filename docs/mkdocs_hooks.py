"""MkDocs' hook: pages that lie elsewhere join the site, and links to them and to source files lead there.

`index.md` is the README; each method's and each public object's page of the reference is made of its docstrings.
"""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import acclimate
from acclimate import discovery

ROOT = Path(__file__).resolve().parents[1]
# Of the repository, by their place on the site.
ELSEWHERE = {"index.md": "README.md", "contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
_LINK = re.compile(r"(!?)\[([^\[\]]*)\]\(([^)#:\s]+)(#[^)]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add what is listed by itself to the navigation: methods, reference, decisions."""
    names = sorted(discovery.methods())
    methods = sorted(path.name for path in (ROOT / "docs" / "methods").glob("*.md") if path.name != "index.md")
    decisions = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert config.nav is not None
    config.nav += [
        {"Methods": ["methods/index.md", *(f"methods/{name}" for name in methods)]},
        {"Reference": ["reference/python.md", *(f"reference/{name}.md" for name in names)]},
        {"Develop": ["contributing.md", "develop/where-to-start.md", "changelog.md"]},
        {"Decisions": ["decisions/index.md", *(f"decisions/{name}" for name in decisions)]},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files of docs/."""
    made = {place: (ROOT / path).read_text(encoding="utf-8") for place, path in ELSEWHERE.items()}
    made["reference/python.md"] = python_page()
    made["decisions/index.md"] = decisions_page()
    made |= {f"reference/{c.name}.md": f"# {c.fact('title')}\n\n::: {_module(c)}\n" for c in _components()}
    for place, content in made.items():
        files.append(File.generated(config, place, content=content))
    return files


def python_page() -> str:
    """What `import acclimate` gives, besides the methods' estimators."""
    lines = ["# In Python", "", "Every method is an estimator under its class name, with this interface:", ""]
    lines += ["::: acclimate.estimators.AdaptationEstimator", ""]
    for name in sorted(set(dir(acclimate)) - {"__version__"}):
        module = getattr(acclimate, name).__module__
        if name in vars(sys.modules[module]):  # others are made of a method when they are asked for
            lines += [f"::: {module}.{name}", ""]
    return "\n".join(lines)


def decisions_page() -> str:
    """The decisions by their headings."""
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    headings = [page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for page in pages]
    lines = [f"- [{heading}]({page.name})" for page, heading in zip(pages, headings, strict=True)]
    return "\n".join(["# Decisions", "", "Why things are as they are.", "", *lines])


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Lead links between files of the repository to where these are on the site; others lose theirs."""
    here = ELSEWHERE.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    places = {path: place for place, path in ELSEWHERE.items()}
    places |= {f"src/{_module(c).replace('.', '/')}.py": f"reference/{c.name}.md" for c in _components()}

    def led(found: re.Match[str]) -> str:
        mark, words, target, heading = found.groups(default="")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(here), target))
        path += "/index.md" if (ROOT / path).is_dir() else ""
        place = path.removeprefix("docs/") if path.startswith("docs/") else places.get(path)
        if place is None:
            return words
        there = posixpath.relpath(place, posixpath.dirname(page.file.src_uri) or ".")
        return f"{mark}[{words}]({there}{heading})"

    return _LINK.sub(led, markdown)


def _components() -> list[discovery.Component]:
    return list(discovery.methods().values())


def _module(component: discovery.Component) -> str:
    return component.module
