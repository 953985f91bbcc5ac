"""`acclimate methods` and `acclimate tasks`: what there is to choose from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acclimate.cli.console import out, print_json, table

if TYPE_CHECKING:
    from acclimate.data.specs import TaskSpec
    from acclimate.discovery import Component

JsonFlag = Annotated[bool, typer.Option("--json", help="Print as JSON.")]

_MOST_PAIRS = 12
_LABELS = (
    "The target labels are those that a method cannot do without. Further ones are hidden from it, unless "
    "--label-budget grants them: then it learns from them too."
)
_NAMES = "Each is a class in Python, acclimate.MCD for mcd, and answers to either name: --method DeepCORAL is coral."


def methods(
    name: Annotated[str | None, typer.Argument(help="Show one method and its options.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the adaptation methods, or explain one."""
    from acclimate import discovery

    known = discovery.methods()
    if name is not None:
        _explain(discovery.find("method", name, known), as_json)
        return
    facts = [_facts(component) for component in known.values()]
    if as_json:
        print_json(facts)
        return
    rows = table("method", "input", "target labels", "idea")
    for fact in facts:
        rows.add_row(*(fact[key] for key in ("name", "input", "target_labels", "summary")))
    out.print(rows)
    out.print(f"\n{_LABELS}\n{_NAMES}", markup=False)
    out.print("More on one of them: acclimate methods NAME")


def _facts(component: Component) -> dict[str, Any]:
    """What the list says of a method."""
    from acclimate.methods import needs

    return {
        "name": component.name,
        "python": list(component.python_names),
        "paper": component.fact("paper", ""),
        "summary": component.summary,
        "input": needs.inputs(component),
        "target_labels": needs.target_labels(component),
    }


def _explain(component: Component, as_json: bool) -> None:
    import inspect

    from acclimate.runs.options import TrainingOptions

    method, facts = component.load(), _facts(component)
    options = {
        option: {"default": field.default, "description": field.description or ""}
        for option, field in method.model_fields.items()
    }
    recipe = TrainingOptions.resolve(method.recipe, {}).model_dump()
    stated = {option: recipe[option] for option in method.recipe}
    if as_json:
        print_json({**facts, "options": options, "recipe": stated})
        return
    out.print(f"[bold]{method.title}[/] ({method.paper})\n")
    out.print(f"Input: {facts['input']}. Target labels: {facts['target_labels']}.", markup=False)
    called = " or ".join(f"acclimate.{name}" for name in component.python_names)
    out.print(f"In Python: {called}; either name serves as --method too.\n", markup=False)
    out.print(inspect.getdoc(method), markup=False)
    rows = table("option", "default", "meaning")
    for option, about in options.items():
        rows.add_row(option, str(about["default"]), about["description"])
    for option, value in stated.items():
        rows.add_row(option, str(value), TrainingOptions.model_fields[option].description or "")
    out.print()
    out.print(rows)
    out.print("\nSet any of them with --set option=value.")


def tasks(as_json: JsonFlag = False) -> None:
    """List the public tasks."""
    from acclimate.data.tasks import task_specs

    specs = task_specs()
    if as_json:
        print_json([{"name": s.name, "summary": s.summary, "network": s.network} for s in specs])
        return
    rows = table("task", "protocol")
    found = by_pattern(specs)
    for pattern, own in found.items():
        rows.add_row(pattern, own[0].summary)
    out.print(rows)
    pairs = {
        pattern: tuple(s.name.partition(":")[2] for s in own) for pattern, own in found.items() if ":" in pattern
    }
    for names in dict.fromkeys(pairs.values()):
        families = " and ".join(pattern for pattern, own in pairs.items() if own == names)
        rest = f", … {len(names)} in all: acclimate tasks --json" if len(names) > _MOST_PAIRS else ""
        out.print(f"\nPairs of {families}: {', '.join(names[:_MOST_PAIRS])}{rest}", markup=False)


def by_pattern(specs: Iterable[TaskSpec]) -> dict[str, list[TaskSpec]]:
    """Tasks by name, those on pairs of the same domains together under `<family>:<a>-<b>`."""
    found: dict[str, list[TaskSpec]] = {}
    for spec in specs:
        family, colon, pair = spec.name.partition(":")
        # Sides in different features have names such as surf_amazon.
        pattern = f"{family}:<x>_<a>-<y>_<b>" if "_" in pair else f"{family}:<a>-<b>"
        found.setdefault(pattern if colon else spec.name, []).append(spec)
    return found
