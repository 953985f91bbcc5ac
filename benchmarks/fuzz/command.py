"""What the fuzzers have in common as commands: their options, what they print, and the results they write."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Run = Callable[[str, int, int], dict[str, Any]]  # a name, a seed and how many inputs: their facts
Replay = Callable[[str, int, int], None]  # a name, a seed and the number of an input

_RESULTS = Path(__file__).parents[1] / "results" / "fuzz"


def fuzz(document: str, of: str, counts: Mapping[str, int], run: Run, replay: Replay, **about: Any) -> int:
    """Read the options, feed all inputs and write `<of>.json` in benchmarks/results/fuzz.

    Args:
        document: what the script does, for `--help`.
        of: what is fuzzed; the name of the script and of its results.
        counts: how many inputs of each name at scale 1.
        run: feeds some.
        replay: shows one.
        about: further facts to write.

    Returns:
        The exit code: 1 if an input failed.
    """
    chosen = _options(document, counts)
    if chosen.replay:
        name, _, index = chosen.replay.partition(":")
        replay(name, chosen.seed, int(index))
        return 0
    found = {}
    for name in chosen.only or counts:
        found[name] = run(name, chosen.seed, max(1, round(counts[name] * chosen.scale)))
        _tell(name, found[name], of, chosen.seed)
    total, failed = sum(f["inputs"] for f in found.values()), sum(len(f["failures"]) for f in found.values())
    print(f"{total:,} inputs, {failed:,} failures")
    if not chosen.only:
        _write(found, of, chosen.seed, total, failed, about)
    return 1 if failed else 0


def _options(document: str, counts: Mapping[str, int]) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=document, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=0, help="another seed, other inputs")
    options.add_argument("--scale", type=float, default=1.0, help="this many times as many inputs")
    options.add_argument("--only", choices=counts, action="append", help="one of them; writes no results")
    options.add_argument("--replay", help="show one input, as name:number")
    return options.parse_args()


def _tell(name: str, facts: Mapping[str, Any], of: str, seed: int) -> None:
    print(f"{name:<12} {facts['inputs']:>7,} inputs {facts['seconds']:>6.0f} s  {facts['outcomes']}", flush=True)
    for what, times in facts.get("known_faults", {}).items():
        print(f"  known, {times} ×: {what}", flush=True)
    for index, what in facts["failures"][:10]:
        print(f"  {what}\n  python benchmarks/fuzz/{of}.py --seed {seed} --replay {name}:{index}", flush=True)


def _write(found: Mapping[str, Any], of: str, seed: int, total: int, failed: int, about: Mapping[str, Any]) -> None:
    from acclimate.runs.machine import current_commit, machine

    _RESULTS.mkdir(parents=True, exist_ok=True)
    facts = {
        "inputs": total,
        "failures": failed,
        "seconds": round(sum(f["seconds"] for f in found.values()), 1),
        "seed": seed,
        **about,
        "command": shlex.join(["python", f"benchmarks/fuzz/{of}.py", *sys.argv[1:]]),
        "commit": current_commit(),
        "hardware": machine(),
        of: found,
    }
    (_RESULTS / f"{of}.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
