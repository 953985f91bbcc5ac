"""The documentation says what is true: links lead somewhere, commands parse, snippets run."""

from __future__ import annotations

import re
import shlex
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import pytest
import typer

from acclimate import discovery
from acclimate.data.synthetic import dimmed_bars, shifted_blobs
from worlds import quick_fit, target_accuracy

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def headings(page: Path) -> set[str]:
    """What a link may name after `#`, as GitHub makes it of headings."""
    text = re.sub(r"(?s)```.*?```", "", page.read_text(encoding="utf-8"))
    words = [re.sub(r"[^\w\- ]", "", found.lower()) for found in re.findall(r"(?m)^#+ (.+)$", text)]
    return {word.strip().replace(" ", "-") for word in words}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_headings(page: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
        found = headings(page.parent / target if target else page)
        assert heading in found, f"{page.name} links to {target}#{heading}"


def test_the_readme_is_one_screen_and_leads_to_every_page() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 75
    told = {(ROOT / target).resolve() for target in re.findall(r"\]\(([^)#:]+)", text)}
    reached = told | {
        (page.parent / target).resolve()
        for page in told
        if page.suffix == ".md"
        for target in re.findall(r"\]\(([^)#:]+)", page.read_text(encoding="utf-8"))
    }
    unreached = [page.name for page in (ROOT / "docs").glob("*.md") if page.resolve() not in reached]
    assert not unreached


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    shown = re.findall(r"(?m)^ +- [^:]+: (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = {page.name for page in (ROOT / "docs").glob("*.md")}
    assert pages == set(shown) - {"index.md"}, "mkdocs.yml lists the pages under nav; `make site` builds it"


def commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = "\n".join(re.findall(r"(?s)```(?:\n|sh\n)(.*?)```", text))
        for line in [*blocks.splitlines(), *re.findall(r"`(acclimate [^`]*)`", text)]:
            command = line.partition("#")[0].strip()
            if command.startswith("acclimate "):
                yield page.name, command


def opts_of(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize(("page", "command"), sorted(set(commands())), ids=lambda value: value)
def test_commands_in_the_docs_are_accepted(page: str, command: str) -> None:
    from acclimate.cli.main import app

    group = typer.main.get_command(app)
    words = shlex.split(command)[1:]
    while words:
        if words[0] in ("--help", "--version"):
            return
        if words[0].startswith("-"):  # of the whole program, before its command
            assert words[0] in opts_of(group), f"{page}: no option {words[0]!r}"
            words = words[1:]
            continue
        assert isinstance(group, click.Group | typer.core.TyperGroup), command
        found = group.get_command(click.Context(group), words[0])
        assert found is not None, f"{page}: no command {words[0]!r}"
        group, words = found, words[1:]
        if not hasattr(group, "commands"):
            if "…" in command:
                known = opts_of(group)
                unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
                assert not unknown, f"{page}: {command}"
            else:
                group.make_context("acclimate", words)  # raises for an unknown option
            return


_NAMES_OF_EXAMPLES = """
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar
import torch
from pydantic import Field
from acclimate.methods.base import Method, Networks, label_loss
from acclimate.methods.stepwise import Stepwise
from acclimate.problems.base import Drawing, Problem
from acclimate.streams.base import Stream
from acclimate.streams.order import DomainStream
from acclimate.streams.pair import labelled_rows
from acclimate.types import Batch, Examples, Update
"""


def contributed(number: int) -> dict[str, Any]:
    """What an example of CONTRIBUTING defines, run from the page's own text."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    snippet = re.findall(r"(?s)```python\n(.*?)```", text)[number]
    module = ModuleType(f"contributed_{number}")
    sys.modules[module.__name__] = module  # where pydantic and dataclasses look up what annotations name
    code = compile(_NAMES_OF_EXAMPLES + textwrap.dedent(snippet), "CONTRIBUTING.md", "exec", dont_inherit=True)
    exec(code, module.__dict__)
    return module.__dict__


def test_the_method_in_contributing_runs_and_passes_for_one() -> None:
    fitted = quick_fit(contributed(0)["EntropyMinimisation"](), dimmed_bars(40))
    assert fitted.outputs(dimmed_bars(40).target).logits.shape == (40, 2)


def test_the_problem_in_contributing_is_all_that_a_method_for_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = contributed(1)
    known = discovery.problems()
    added = SimpleNamespace(name="source-alone", load=lambda: found["SourceAlone"])
    monkeypatch.setattr(discovery, "problems", lambda: {**known, "source-alone": added})
    task = shifted_blobs(60, shift=0.0)
    fitted = quick_fit(found["Supervised"](), task, steps=60, lr=1e-2)
    assert target_accuracy(fitted, task) > 0.9


def test_generated_pages_are_up_to_date() -> None:
    import subprocess

    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout


def test_decisions_are_numbered_once_each_and_as_their_files_are() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1))
    for path in files:
        assert path.read_text(encoding="utf-8").startswith(f"# {int(path.name[:4])}. "), path.name
