"""The documentation says what is true: links lead somewhere, commands parse, snippets run."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from acclimate.data.synthetic import dimmed_bars
from worlds import quick_fit

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = "\n".join(re.findall(r"(?s)```(?:\n|sh\n)(.*?)```", text))
        for line in [*blocks.splitlines(), *re.findall(r"`(acclimate [^`]*)`", text)]:
            command = line.partition("#")[0].strip()
            if command.startswith("acclimate "):
                yield page.name, command


@pytest.mark.parametrize(("page", "command"), sorted(set(commands())), ids=lambda value: value)
def test_commands_in_the_docs_are_accepted(page: str, command: str) -> None:
    from acclimate.cli.main import app

    group = typer.main.get_command(app)
    words = shlex.split(command)[1:]
    while words:
        if words[0] in ("--help", "--version", "--debug"):
            return
        assert isinstance(group, click.Group | typer.core.TyperGroup), command
        found = group.get_command(click.Context(group), words[0])
        assert found is not None, f"{page}: no command {words[0]!r}"
        group, words = found, words[1:]
        if not hasattr(group, "commands"):
            if "…" in command:
                known = {name for parameter in group.params for name in parameter.opts + parameter.secondary_opts}
                unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
                assert not unknown, f"{page}: {command}"
            else:
                group.make_context("acclimate", words)  # raises for an unknown option
            return


def test_the_method_in_contributing_runs_and_passes_for_one() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    snippet = textwrap.dedent(re.search(r"(?s)```python\n(.*?)```", text)[1])  # type: ignore[index]
    prelude = (
        "from collections.abc import Iterator\nfrom typing import ClassVar\nfrom pydantic import Field\n"
        "from acclimate.methods.base import Method, Networks, label_loss\nfrom acclimate.types import Batch, Update\n"
    )
    scope: dict[str, object] = {"__name__": "contributed"}
    exec(prelude + snippet, scope)
    method = scope["EntropyMinimisation"]()  # type: ignore[operator]
    fitted = quick_fit(method, dimmed_bars(40))
    assert fitted.outputs(dimmed_bars(40).target).logits.shape == (40, 2)


def test_generated_pages_are_up_to_date() -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout
