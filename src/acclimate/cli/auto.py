"""`acclimate adapt --method auto`: several methods trained, one chosen by what they show without target labels."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from acclimate.cli.console import err, out
from acclimate.cli.request import parse_settings
from acclimate.errors import AcclimateError, RequestError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from acclimate.running.auto import AutoPlan, Telling
    from acclimate.running.comparison import Row
    from acclimate.running.own_comparison import OwnComparison
    from acclimate.runs.record import Run

NAME, MODEL = "auto", "model"
# What only a choice between several runs has a use for, and what only one run has.
OPTIONS = ("budget", "candidates", "jobs", "backend", "cluster", "deploy")
_OF_ONE_RUN = ("model", "method", "seed", "baseline")
_TIME = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?:in)?)?(?:(\d+(?:\.\d+)?)s)?")


def is_auto(config: Mapping[str, Any], flags: Mapping[str, Any], settings: list[str]) -> bool:
    """Whether the method asked for is the best of several.

    Raises:
        RequestError: if it is not, and an option is given that only a choice has.
    """
    asked = _asked(config, flags, settings)
    if asked.get("method") == NAME:
        if (problem := asked.get("problem")) not in (None, "adaptation"):
            fix = f"Name a method: acclimate methods --setting {problem}"
            rule = "must be named for any problem but adaptation: nothing chooses there without labels"
            raise RequestError("method", rule, repr(NAME), fix)
        return True
    if given := [name for name in OPTIONS if asked.get(name) is not None]:
        fix = f"Leave it out, or add --method {NAME} or --preset good."
        raise RequestError(given[0], f"must come with --method {NAME}", repr(asked[given[0]]), fix)
    return False


def _asked(config: Mapping[str, Any], flags: Mapping[str, Any], settings: list[str]) -> dict[str, Any]:
    given = {name: value for name, value in flags.items() if value is not None}
    return {**config, **given, **parse_settings(settings)}


def adapt_auto(
    config: Mapping[str, Any],
    flags: Mapping[str, Any],
    settings: list[str],
    output: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Train candidates, choose, and print the chosen run's result.

    Args:
        config: of a recipe; its table `[methods]` names candidates, if there is one.
        flags: options by name, those of a choice among them.
        settings: `--set` arguments.
        output: the new folder.
        dry_run: print what would be trained and its cost instead.
        as_json: print JSON.

    Raises:
        RequestError: if an option is wrong or a choice is not possible.
        typer.Exit: with code 130 when stopped.
    """
    from acclimate.cli.compare_own import print_cost_table
    from acclimate.cli.work import free_folder
    from acclimate.export.forms import check_onnx
    from acclimate.running import auto
    from acclimate.running.cost import plan_and_cost
    from acclimate.running.own_comparison import check_fit
    from acclimate.runs.record import Run

    asked = _asked(config, flags, settings)
    _check_options(asked)
    budget, work = _seconds(asked.get("budget")), _work(asked)
    if output is not None and not dry_run:
        Run.refuse_used(output)
    if work["deploy"]:
        check_onnx()
    if not as_json:
        err.print("Reading the data and trying each candidate on them …")
    found: OwnComparison[Any] = _candidates(
        config, flags, settings, plan_and_cost if budget or dry_run else check_fit
    )
    if dry_run:
        print_cost_table(found, auto.SEEDS, as_json)
        return
    seconds = {name: cost.seconds for name, (_, cost) in found.plans.items()} if budget else {}
    command = shlex.join(["acclimate", *sys.argv[1:]])
    plan = auto.AutoPlan(
        command=command,
        rows=found.rows,
        baseline=found.reference,
        seconds=seconds,
        budget=budget,
        left_out=dict(found.left_out),
        **work,
    )
    folder = output or free_folder(_folder_name(found.rows[0]))
    _finish(lambda telling: auto.begin(plan, folder, found.tasks, telling), plan, folder, as_json)


def resume_auto(folder: Path, as_json: bool) -> None:
    """Go on with candidates that were stopped; raises as `adapt_auto`."""
    from acclimate.running import auto
    from acclimate.runs.chosen import read_record
    from acclimate.runs.record import AUTO

    plan = read_record(auto.AutoPlan, folder / AUTO)
    _finish(lambda telling: auto.go_on(folder, telling), plan, folder, as_json)


def _candidates(
    config: Mapping[str, Any], flags: Mapping[str, Any], settings: list[str], plan: Callable[..., Any]
) -> OwnComparison[Any]:
    """What is to be trained, of the recipe's table or of what is usual."""
    from acclimate.cli.recipe import own_rows
    from acclimate.running import auto

    def own(options: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if name not in (*OPTIONS, *_OF_ONE_RUN)}

    kept = [text for text in settings if text.partition("=")[0].strip() not in (*OPTIONS, "method")]
    rows, make = own_rows(own(config), [], own(flags), kept)
    most = _count(_asked(config, flags, settings).get("candidates"), "candidates", auto.USUAL)
    return auto.candidates(rows, make, most, plan)


def _check_options(asked: Mapping[str, Any]) -> None:
    """Refuse what belongs to one run alone."""
    why = {
        "model": "Train anew; or go on with that run's own method: leave --method out.",
        "seed": "Leave it out: each candidate is trained with the seeds 0 and 1.",
        "baseline": "Leave it out: what does not adapt is always among the candidates.",
    }
    for name, fix in why.items():
        if asked.get(name) is not None:
            raise RequestError(name, f"must not be given with --method {NAME}", repr(asked[name]), fix)


def _seconds(text: object) -> float | None:
    """A time such as 20m or 1h30m, in seconds.

    Raises:
        RequestError: if it is none.
    """
    if text is None:
        return None
    found = _TIME.fullmatch(str(text).replace(" ", "").lower())
    hours, minutes, seconds = (float(part or 0) for part in (found.groups() if found else (None,) * 3))
    total = 3600 * hours + 60 * minutes + seconds
    if not total > 0:
        fix = "For example: --budget 20m"
        raise RequestError("budget", "must be a time such as 90s, 20m or 1h30m", repr(text), fix)
    return total


def _count(value: object, name: str, usual: int) -> int:
    """A whole number from an option, a recipe or --set."""
    if value is None:
        return usual
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise RequestError(name, "must be a whole number from 1", repr(value), f"For example: --{name} {usual}")
    return value


def _work(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Where candidates run and what becomes of the one chosen, as fields of `AutoPlan`."""
    from acclimate.running.cluster import BACKENDS

    backend, address = asked.get("backend") or "loky", asked.get("cluster")
    if backend not in BACKENDS:
        raise UnknownNameError("backend", str(backend), BACKENDS)
    if backend == "loky" and address is not None:
        fix = "Add --backend ray or --backend dask."
        raise RequestError("cluster", "must come with a backend that has clusters", repr(address), fix)
    jobs = _count(asked.get("jobs"), "jobs", 1)
    return {"jobs": jobs, "backend": backend, "address": address, "deploy": bool(asked.get("deploy"))}


def _folder_name(row: Row) -> str:
    from acclimate.running.own_comparison import called

    return f"{called(row.request)}-{NAME}"


def _finish(work: Callable[[Telling], Run], plan: AutoPlan, folder: Path, as_json: bool) -> None:
    """Train with a line for each run, then print the result as of any run."""
    from acclimate.running.auto import SEEDS, Telling

    done, count = 0, SEEDS * len(plan.rows)

    def tell(row: Row, seed: int) -> None:
        nonlocal done
        done += 1
        err.print(f"{row.name}  seed {seed}: done  ({done} of {count})", markup=False)

    def fail(row: Row, seed: int, error: Exception) -> None:
        err.print(f"{row.name}  seed {seed}: failed. {error}", markup=False, soft_wrap=True)

    def notice(sentence: str) -> None:
        err.print(sentence, markup=False)

    if not as_json:
        names = ", ".join(row.name for row in plan.rows)
        err.print(f"Candidates: {names}; {SEEDS} seeds each, in {folder}", markup=False, soft_wrap=True)
    try:
        run = work(Telling(failed=fail) if as_json else Telling(tell, fail, notice))
    except KeyboardInterrupt:
        again = shlex.join(["acclimate", "resume", str(folder)])
        err.print(f"Stopped. Go on with: {again}", markup=False, soft_wrap=True)
        raise typer.Exit(130) from None
    _finished(run, plan, as_json)


def _finished(run: Run, plan: AutoPlan, as_json: bool) -> None:
    """Print the result, and export the model where that was asked for; without it the result stands all the same."""
    from acclimate.cli.finished import finish

    if not plan.deploy:
        finish(run, as_json)
        return
    from acclimate.export.folder import export_run

    err.print("Exporting the model …")
    try:
        written = export_run(run.folder, run.folder / MODEL)
    except AcclimateError:
        finish(run, as_json)
        raise
    finish(run, as_json, {"model": {"out": str(written.folder), "checked": written.checked}})
    if not as_json:
        told = shlex.join(["python", str(written.folder / "predict.py")])
        said = f"Model: {written.folder}, checked on {written.checked:,} examples. Without acclimate: {told} DATA"
        out.print(said, markup=False, soft_wrap=True)
