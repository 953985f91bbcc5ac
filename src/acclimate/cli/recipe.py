"""From a TOML recipe and flags to comparisons."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from acclimate.cli.request import make_request, parse_settings
from acclimate.errors import RequestError

if TYPE_CHECKING:
    from acclimate.running.comparison import Comparison, Row
    from acclimate.runs.request import Request

_ABOUT = ("id", "task", "protocol", "seeds", "methods")


def make_comparisons(
    recipe: dict[str, Any],
    tasks: list[str],
    methods: list[str],
    seeds: int | None,
    settings: list[str],
    flags: Mapping[str, Any] | None = None,
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
        flags: further options from the command line, for every row; None means "not given".

    Raises:
        RequestError: if tasks or methods are missing, or an option is wrong.
    """
    from acclimate.data.tasks import find_task
    from acclimate.running.comparison import Comparison
    from acclimate.runs.options import in_brief, validated

    rows = _asked_rows(recipe, methods)
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
        missing, own = ("methods", "") if tasks else ("task", " For files of your own: --source and --target.")
        fix = f"Give --task and --methods, or --config RECIPE.toml.{own}"
        raise RequestError(missing, "must be given", "nothing", fix)
    for task in tasks:
        find_task(task)
    make = row_maker(recipe, rows, flags or {}, settings)
    made = []
    for task in tasks:
        name = recipe["id"] if "id" in recipe and len(tasks) == 1 else task.replace(":", "-")
        parts = {
            "id": name,
            "protocol": recipe.get("protocol", ""),
            "seeds": seeds or recipe.get("seeds", 5),
            "rows": tuple(make(row, {"task": task}) for row in rows),
        }
        made.append(validated(Comparison, parts, "recipe entry"))
    return made


def own_rows(
    recipe: dict[str, Any], methods: list[str], flags: Mapping[str, Any], settings: list[str]
) -> tuple[list[Row], Callable[[str], Row]]:
    """The rows that are asked for on the user's own files, none if nobody names any, and what makes further ones.

    Arguments as for `make_comparisons`.

    Raises:
        RequestError: if an option is wrong.
    """
    rows = _asked_rows(recipe, methods)
    make = row_maker(recipe, rows, flags, settings)
    return [make(name) for name in rows], make


def _asked_rows(recipe: dict[str, Any], methods: list[str]) -> dict[str, dict[str, Any]]:
    """The options of each row that the command line names, or else the recipe."""
    from acclimate.runs.options import in_brief

    rows: dict[str, dict[str, Any]] = recipe.get("methods", {})
    if not isinstance(rows, dict) or not all(isinstance(options, dict) for options in rows.values()):
        raise RequestError(
            "methods", "must be a table for each row of a recipe", in_brief(rows), "Write [methods.dann]."
        )
    return {name: rows.get(name, {}) for name in (_row_name(asked, rows) for asked in methods)} if methods else rows


def _row_name(asked: str, rows: Collection[str]) -> str:
    """A row of the recipe, or else a method by whatever it is called."""
    from acclimate.runs.request import method_name

    return asked if asked in rows else method_name(asked)


def row_maker(
    recipe: dict[str, Any], rows: Mapping[str, dict[str, Any]], flags: Mapping[str, Any], settings: list[str]
) -> Callable[..., Row]:
    """What makes a row by its name, of the recipe's options, what is about the data, flags and settings."""
    from acclimate.running.comparison import Row
    from acclimate.runs.options import validated

    shared = {key: value for key, value in recipe.items() if key not in _ABOUT}
    given = {key: value for key, value in flags.items() if value is not None}

    def make(name: str, about: Mapping[str, Any] | None = None) -> Row:
        own = dict(rows.get(name, {}))
        extra: dict[str, Any] = {key: own.pop(key) for key in ("published", "seeds") if key in own}
        asked = {"method": own.pop("method", name), **(about or {}), **own, **given, **parse_settings(settings)}
        request = make_request(shared, asked, [])
        _check(request)
        return validated(Row, {"name": name, "request": request, **extra}, "recipe entry")

    return make


def _check(request: Request) -> None:
    """Refuse now what would otherwise come to light hours later, when its cell's turn has come."""
    from acclimate.data.tasks import find_task
    from acclimate.networks.registry import architecture
    from acclimate.problems.planning import make_method
    from acclimate.runs.options import in_brief

    if "seed" in request.training:
        rule = "must not be set: a comparison goes through the seeds 0, 1, …"
        raise RequestError("seed", rule, in_brief(request.training["seed"]), "Say how many with seeds or --seeds.")
    if request.task is not None:
        find_task(request.task)
    make_method(request.method, request.method_options)
    _ = request.asked
    if request.network is not None:
        architecture(request.network, channels=3)
