"""From a TOML recipe and flags to comparisons."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from acclimate.cli.request import make_request, parse_settings
from acclimate.errors import RequestError

if TYPE_CHECKING:
    from acclimate.runs.request import Request
    from acclimate.training.comparison import Comparison

_ABOUT = ("id", "task", "protocol", "seeds", "methods")


def make_comparisons(
    recipe: dict[str, Any], tasks: list[str], methods: list[str], seeds: int | None, settings: list[str]
) -> list[Comparison]:
    """Build one comparison for each task that a recipe or flags name; flags override the recipe.

    A recipe has `task` (one name or a list), `protocol`, `seeds`, `network`, shared options under `[training]`, and a
    table `[methods.<row>]` for each row, with the method's options, `method` where it differs from the row's name,
    `seeds` where it has fewer, and `published = {value, source}`. `id` names the comparison where there is one task.

    Args:
        recipe: the parsed file; empty without one.
        tasks: names from the command line.
        methods: likewise; rows of the recipe keep their options.
        seeds: likewise.
        settings: `--set` arguments, for every row.

    Raises:
        RequestError: if tasks or methods are missing, or an option is wrong.
    """
    from acclimate.data.tasks import find_task
    from acclimate.runs.options import in_brief, validated
    from acclimate.training.comparison import Comparison

    rows: dict[str, dict[str, Any]] = recipe.get("methods", {})
    if not isinstance(rows, dict) or not all(isinstance(options, dict) for options in rows.values()):
        raise RequestError(
            "methods", "must be a table for each row of a recipe", in_brief(rows), "Write [methods.dann]."
        )
    if methods:
        rows = {name: rows.get(name, {}) for name in (_row_name(asked, rows) for asked in methods)}
    stated = recipe.get("task", [])
    named = [stated] if isinstance(stated, str) else stated
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise RequestError(
            "task",
            "must be a name or a list of names",
            in_brief(stated),
            'For example: task = "demo", or task = ["mnist-usps", "usps-mnist"]. See: acclimate tasks',
        )
    tasks = tasks or named
    if not tasks or not rows:
        missing = "task" if not tasks else "methods"
        raise RequestError(missing, "must be given", "nothing", "Give --task and --methods, or --config RECIPE.toml.")
    for task in tasks:
        find_task(task)
    shared = {key: value for key, value in recipe.items() if key not in _ABOUT}
    made = []
    for task in tasks:
        name = recipe["id"] if "id" in recipe and len(tasks) == 1 else task.replace(":", "-")
        parts = {
            "id": name,
            "protocol": recipe.get("protocol", ""),
            "seeds": seeds or recipe.get("seeds", 5),
            "rows": tuple(_row(row, options, task, shared, settings) for row, options in rows.items()),
        }
        made.append(validated(Comparison, parts, "recipe entry"))
    return made


def _row_name(asked: str, rows: Collection[str]) -> str:
    """A row of the recipe, or else a method by whatever it is called."""
    from acclimate.runs.request import method_name

    return asked if asked in rows else method_name(asked)


def _row(name: str, options: dict[str, Any], task: str, shared: dict[str, Any], settings: list[str]) -> object:
    from acclimate.runs.options import validated
    from acclimate.training.comparison import Row

    own = dict(options)
    extra: dict[str, Any] = {key: own.pop(key) for key in ("published", "seeds") if key in own}
    flags = {"task": task, "method": own.pop("method", name), **own, **parse_settings(settings)}
    request = make_request(shared, flags, [])
    _check(request)
    return validated(Row, {"name": name, "request": request, **extra}, "recipe entry")


def _check(request: Request) -> None:
    """Refuse now what would otherwise come to light hours later, when its cell's turn has come."""
    from acclimate.data.tasks import find_task
    from acclimate.networks.registry import architecture
    from acclimate.runs.options import TrainingOptions, in_brief
    from acclimate.training.requests import make_method

    if "seed" in request.training:
        rule = "must not be set: a comparison goes through the seeds 0, 1, …"
        raise RequestError("seed", rule, in_brief(request.training["seed"]), "Say how many with seeds or --seeds.")
    find_task(request.task or "")
    make_method(request.method, request.method_options)
    TrainingOptions.resolve({}, request.training)
    if request.network is not None:
        architecture(request.network, channels=3)
