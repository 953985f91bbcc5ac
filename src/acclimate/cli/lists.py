"""`acclimate methods` and `acclimate tasks`: what there is to choose from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acclimate.cli.console import out, print_json, table

if TYPE_CHECKING:
    from pydantic import BaseModel

    from acclimate.data.specs import TaskSpec
    from acclimate.discovery import Component

JsonFlag = Annotated[bool, typer.Option("--json", help="Print as JSON.")]

_MOST_PAIRS = 12
_KINDS = ("images", "features", "text")
_COST = "Cost: computing time of a run over that of source-only, as measured; – where that was not."
_LABELS = (
    "The target labels are those that a method cannot do without. Further ones are hidden from it, unless "
    "--label-budget grants them: then it learns from them too."
)
_NAMES = "Each is a class in Python, acclimate.MCD for mcd, and answers to either name: --method DeepCORAL is coral."
_WHILE_ANSWERING = "What a run's model can do besides, while it answers (acclimate predict RUN DATA --adapt NAME):"


def methods(
    name: Annotated[str | None, typer.Argument(help="Show one method and its options.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only those that take images, features or text.")] = None,
    setting: Annotated[str | None, typer.Option(help="Only those of one problem, such as adaptation.")] = None,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="Only those whose run costs at most so many of source-only's.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the adaptation methods, or explain one."""
    from acclimate import discovery

    known, online = discovery.methods(), discovery.online_methods()
    if name is not None:
        _refuse_filters(name, kind=kind, setting=setting, max_cost=max_cost)
        component = discovery.find("method", name, {**known, **online})
        (_explain if component.name in known else _explain_online)(component, as_json)
        return
    facts = [_facts(component) for component in _fitting(known.values(), kind, setting, max_cost)]
    if as_json:
        print_json(facts)
        return
    rows = table("method", "input", "target labels", "cost", "idea")
    for fact in facts:
        cost = "–" if fact["cost"] is None else f"{fact['cost']:g}"
        rows.add_row(fact["name"], fact["input"], fact["target_labels"], cost, fact["summary"])
    out.print(rows if facts else "No method fits all of that.")
    out.print(f"\n{_LABELS}\n{_COST}\n{_NAMES}", markup=False)
    out.print(f"{_WHILE_ANSWERING} {', '.join(online)}.", markup=False)
    out.print("More on one of them: acclimate methods NAME")


def _refuse_filters(name: str, **filters: Any) -> None:
    """Refuse what narrows the list beside the one method that is asked for."""
    from acclimate.errors import RequestError

    given = [f"--{option.replace('_', '-')}" for option, value in filters.items() if value is not None]
    if given:
        raise RequestError(given[0], "must be left out where one method is named", repr(name), "Leave either out.")


def _fitting(
    known: Iterable[Component], kind: str | None, setting: str | None, max_cost: float | None
) -> list[Component]:
    """Methods that take that kind of input, are for that problem, and are known to cost no more."""
    from acclimate import discovery
    from acclimate.errors import UnknownNameError
    from acclimate.methods import needs
    from acclimate.methods.costs import costs

    if kind is not None and kind not in _KINDS:
        raise UnknownNameError("kind", kind, _KINDS)
    if setting is not None and setting not in discovery.problems():
        raise UnknownNameError("setting", setting, discovery.problems())
    return [
        component
        for component in known
        if (kind is None or kind in needs.readable(component))
        and (setting is None or setting == component.fact("problem", "adaptation"))
        and (max_cost is None or costs().get(component.name, float("inf")) <= max_cost)
    ]


def _facts(component: Component) -> dict[str, Any]:
    """What the list says of a method."""
    from acclimate.methods import needs
    from acclimate.methods.costs import costs

    return {
        "name": component.name,
        "setting": component.fact("problem", "adaptation"),
        "cost": costs().get(component.name),
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
    options = _options_of(method)
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


def _options_of(method: type[BaseModel]) -> dict[str, dict[str, Any]]:
    return {
        option: {"default": field.default, "description": field.description or ""}
        for option, field in method.model_fields.items()
    }


def _explain_online(component: Component, as_json: bool) -> None:
    """A method of test time and its options."""
    import inspect

    method = component.load()
    facts = {"name": component.name, "python": list(component.python_names), "paper": method.paper}
    options = _options_of(method)
    if as_json:
        print_json({**facts, "summary": component.summary, "options": options})
        return
    out.print(f"[bold]{method.title}[/] ({method.paper})\n")
    out.print(
        f"Adapts while a run's model answers: acclimate predict RUN DATA --adapt {component.name}", markup=False
    )
    out.print(f"In Python: model.predict(x, adapt=acclimate.{component.class_name}()).\n", markup=False)
    out.print(inspect.getdoc(method), markup=False)
    rows = table("option", "default", "meaning")
    for option, about in options.items():
        rows.add_row(option, str(about["default"]), about["description"])
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
        if pair.startswith("others-"):  # all but one as sources
            pattern = f"{family}:others-<b>"
        found.setdefault(pattern if colon else spec.name, []).append(spec)
    return found
