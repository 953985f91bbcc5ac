"""AMN's training: words a second, how much of a step is arithmetic that no one could leave out, and a whole run.

    python benchmarks/perf/texts.py [--steps 20] [--rounds 7] [--epochs 0]

Books to electronics of the Amazon reviews, AMN's recipe, one thread, fp32. A round is so many steps of training, and
the matrix products of as many: each one that a step takes, forward and backward, in the shapes of batches that were
drawn before, on matrices that were made before, and nothing else. Words are those of both domains' batches, padding
not counted. The whole run is `acclimate adapt` without a baseline and without its page, in its parts; CPU seconds of
all threads, as gensim trains word vectors in one of its own.

`--epochs` shortens the whole run; 0 takes the recipe's. Only a run without options writes
benchmarks/results/perf/texts.json.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

# A cache of its own: the word vectors are to be trained, not found. Read when acclimate is imported.
_CACHE = tempfile.TemporaryDirectory()
os.environ["ACCLIMATE_CACHE"] = _CACHE.name

import torch  # noqa: E402
from measure import interleaved, ratios, row, seconds, write  # noqa: E402
from torch import Tensor  # noqa: E402

from acclimate.data.tasks import load_task  # noqa: E402
from acclimate.methods.sentiment.amn import AMN  # noqa: E402
from acclimate.networks.memory import count_words, together  # noqa: E402
from acclimate.problems import fitting  # noqa: E402
from acclimate.problems.planning import make_plan  # noqa: E402
from acclimate.running import adaptation, begun  # noqa: E402
from acclimate.runs.request import Request  # noqa: E402
from acclimate.training.allocator import keep_freed_memory  # noqa: E402
from acclimate.training.hooks import Hooks  # noqa: E402
from acclimate.training.trainer import Trainer  # noqa: E402
from acclimate.types import Batch  # noqa: E402

TASK = "amazon:books-electronics"
# What `adapt` spends its time on, by the function that does it; a part inside another is not counted twice.
PARTS = {
    "reading and the vocabulary": ((adaptation, "task_of"), (begun, "plan_request")),
    "word vectors": ((fitting, "give_word_vectors"),),
    "training and its evaluations": ((Trainer, "train"),),
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--steps", type=int, default=20, help="of training in a round")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--epochs", type=int, default=0, help="of the whole run; 0: the recipe's")
    chosen = options.parse_args()
    keep_freed_memory()
    torch.set_num_threads(1)
    rows = [*of_steps(chosen.steps, chosen.rounds), *of_a_run(chosen.epochs)]
    if len(sys.argv) == 1:
        write("AMN on one thread, books to electronics: steps of 50 + 50 reviews, and a whole run", rows)
        return
    for found in rows:
        print(f"{found['case']}: {found['median']} {found['unit']}")


def of_steps(steps: int, rounds: int) -> list[dict[str, Any]]:
    """Words a second, and the share of a step that is matrix products."""
    task = load_task(TASK)
    plan = make_plan(AMN(), task.source, task.target, options={"word_vectors": "random", "precision": "fp32"})
    trainer = fitting.make_trainer(plan, task.source, task.target, Hooks())
    width = trainer.nets["features"].words.embedding_dim  # type: ignore[union-attr]
    hops = AMN().hops
    drawn: list[Batch] = []
    draw = trainer.streams.batch

    def kept(*given: Any) -> Batch:
        drawn.append(draw(*given))
        return drawn[-1]

    trainer.streams.batch = kept  # type: ignore[method-assign]

    def train() -> None:
        drawn.clear()
        for _ in range(steps):
            trainer.train_step()

    train()
    numbers = [together(batch.source.x, batch.target.x) for batch in drawn]
    multiply = products([(len(x), len(count_words(x)[1])) for x in numbers], width, hops)
    spoken: list[int] = []

    def counted_train() -> None:
        train()
        spoken.append(sum(int((b.source.x != 0).sum() + (b.target.x != 0).sum()) for b in drawn))

    taken = interleaved({"training": counted_train, "products": multiply}, rounds)
    read = spoken[-rounds:]
    return [
        row("words a step", "words", [n / steps for n in read]),
        row("a step", "CPU ms", [1000 * t / steps for t in taken["training"]]),
        row(
            "words of training in a CPU second",
            "words",
            [n / t for n, t in zip(read, taken["training"], strict=True)],
        ),
        row("matrix products alone, over the step", "×", ratios(taken["products"], taken["training"])),
    ]


def products(shapes: list[tuple[int, int]], width: int, hops: int) -> Callable[[], None]:
    """Every large product of a step, as `MemoryNetwork` and its backward pass take them, and nothing around them.

    With b texts of u different words and d numbers a word: h = M W, and for each hop s = q hᵀ and v = a M, each with
    a product for the gradient of either factor. Those of the linear heads and of the next hop's query are left out:
    they are a hundredth of it.

    Args:
        shapes: `(b, u)` of each batch.
        width: d.
        hops: of the memory.
    """
    made: list[tuple[Tensor, Tensor]] = []
    for b, u in shapes:
        memory, weight, queries, attention = (
            torch.randn(u, width), torch.randn(width, width), torch.randn(b, width), torch.randn(b, u)
        )  # fmt: skip
        made += [(memory, weight), (memory, weight.T), (memory.T, memory)]
        # For q and v alike: b×d with d×u, b×u with u×d, and u×b with b×d.
        made += 2 * hops * [(queries, memory.T), (attention, memory), (attention.T, queries)]

    def run() -> None:
        for one, other in made:
            torch.mm(one, other)

    return run


def of_a_run(epochs: int) -> list[dict[str, Any]]:
    """CPU seconds of `adapt` and its parts."""
    training: dict[str, Any] = {"device": "cpu", "precision": "fp32", **({"epochs": epochs} if epochs else {})}
    request = Request(task=TASK, method="amn", baseline=False, training=training)
    spent = dict.fromkeys(PARTS, 0.0)
    with tempfile.TemporaryDirectory() as folder, measured(spent):
        whole = seconds(lambda: adaptation.adapt(request, Path(folder) / "run"), time.process_time)
    parts = {**spent, "the rest: evaluation at the end and the record": whole - sum(spent.values())}
    return [
        row("a whole run", "CPU s", [whole]),
        row("all 20 pairs on two cores, from that", "minutes", [20 * whole / 2 / 60], at_most=60),
        *(row(f"of which {name}", "CPU s", [value]) for name, value in parts.items()),
    ]


@contextmanager
def measured(spent: dict[str, float], parts: Mapping[str, Any] = PARTS) -> Iterator[None]:
    """Add up the CPU seconds of each part's functions; one that another part's calls counts for its own part."""
    running: list[float] = []  # for each function under way, what those that it called took

    def timed(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            running.append(0.0)
            answer: list[Any] = []
            took = seconds(lambda: answer.append(work(*given, **named)), time.process_time)
            spent[name] += took - running.pop()
            if running:
                running[-1] += took
            return answer[0]

        return call

    with ExitStack() as patches:
        for name, functions in parts.items():
            for owner, attribute in functions:
                patches.enter_context(patch.object(owner, attribute, timed(name, getattr(owner, attribute))))
        yield


if __name__ == "__main__":
    main()
