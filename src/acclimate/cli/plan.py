"""`acclimate adapt --dry-run`: a plan and its cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from acclimate.cli.console import duration, out, print_json, table

if TYPE_CHECKING:
    from acclimate.runs.request import Request
    from acclimate.training.plan import Plan


def _input(plan: Plan) -> str:
    """What a network sees of an example, in words."""
    from acclimate.data.text import TextPreprocess

    source, target = (plan.preprocess.of(side) for side in ("source", "target"))
    if isinstance(target, TextPreprocess):
        if target.inputs != target.channels:
            return f"TF-IDF of {target.inputs:,} words and pairs of words"
        return f"the first {target.limit:,} words of a text, of {len(target.words):,} known words"
    if hasattr(target, "encoder"):
        return f"{target.inputs:,} features of {target.encoder}, which sees 3×{target.size}×{target.size}"
    if target.size:
        return f"{target.channels}×{target.size}×{target.size}"
    if source.size:
        return f"{source.channels}×{source.size}×{source.size}, and {target.channels:,} features"
    both = source.channels == target.channels
    return f"{target.channels} features" if both else f"{source.channels} and {target.channels} features"


def print_plan(request: Request, as_json: bool) -> None:
    """Print what a request resolves to, and what it would cost; nothing is trained."""
    from acclimate.running.cost import plan_and_cost
    from acclimate.running.description import plan_notes
    from acclimate.running.memory import gigabytes
    from acclimate.running.requests import task_of

    task = task_of(request)
    plan, cost = plan_and_cost(request, task)
    facts: dict[str, Any] = {
        "task": request.title,
        "domains": {role: task.in_words(role) for role in task.domains()},
        "method": plan.method.name,
        "method_options": plan.method.model_dump(mode="json"),
        "network": plan.network,
        "parameters": cost.parameters,
        "input": _input(plan),
        "training": plan.options.model_dump(mode="json"),
        "steps": cost.steps,
        "gflop_per_step": round(cost.flop_per_step / 1e9, 2),
        "seconds_per_step": round(cost.seconds_per_step, 4),
        "seconds": round(cost.seconds),
        "encoding_seconds": round(cost.encoding_seconds),
        "memory_bytes": cost.memory,
        "free_bytes": cost.free,
        "notes": [*task.all_notes, *plan_notes(request, plan, task)],
    }
    if as_json:
        print_json(facts)
        return
    rows = table("", "")
    for key, value in facts.items():
        if key.endswith("_bytes"):
            continue  # said below, in words
        shown = (
            value
            if not isinstance(value, dict)
            else "\n".join(f"{k}: {v}" for k, v in value.items() if v is not None)
        )
        shown = "\n".join(shown) if isinstance(shown, list) else shown
        rows.add_row(key.replace("_", " "), str(shown))
    out.print(rows)
    of = "" if cost.free is None else f" of {gigabytes(cost.free)} free"
    out.print(f"\nMemory about {gigabytes(cost.memory)}{of}.")
    out.print(f"About {duration(cost.seconds)} on this machine, baseline not counted. Nothing was trained.")
