"""What adapting while answering costs beside plain answers.

    python benchmarks/perf/test_time.py

CPU time of 512 digits in batches of 64 by a network with batch norm, the guard looking on, over that of the same
model's plain answers to them; contenders take turns. Models are not trained: answers cost the same; eta learns
from every batch.
"""

from __future__ import annotations

import numpy as np
from measure import interleaved, ratios, row, write

from acclimate.data.domain import Domain
from acclimate.methods.classification.source_only import SourceOnly
from acclimate.methods.online import Online
from acclimate.methods.test_time.bn import BN
from acclimate.methods.test_time.eta import ETA
from acclimate.methods.test_time.lame import LAME
from acclimate.methods.test_time.tent import TENT
from acclimate.problems.fitting import fit
from acclimate.problems.planning import make_plan
from acclimate.training.fitted import Fitted
from acclimate.training.online import Adapting, StreamOptions

ROUNDS, EXAMPLES = 7, 512
NETWORKS = {"mcd-usps": 28, "dann-mnist-bn": 28}
METHODS: tuple[Online, ...] = (BN(), TENT(), ETA(margin=1, likeness=1), LAME())  # type: ignore[type-arg]


def made(network: str, side: int) -> tuple[Fitted, Domain]:
    """A model after one step, and digits for it."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (EXAMPLES, side, side, 3), dtype=np.uint8)
    domain = Domain(pictures, np.arange(EXAMPLES) % 10, tuple("0123456789"))
    options = {"steps": 1, "precision": "fp32", "device": "cpu"}
    plan = make_plan(SourceOnly(), domain, domain.unlabelled(), network=network, options=options)
    return fit(plan, domain, domain.unlabelled()), domain


def main() -> None:
    rows = []
    for network, side in NETWORKS.items():
        fitted, domain = made(network, side)
        streams = {m.name: Adapting(fitted, m, StreamOptions(guard=0.999)) for m in METHODS}  # looks on, lets pass
        works = {"plain": lambda f=fitted, d=domain: f.outputs(d, keep_features=False)}
        works |= {name: lambda s=s, d=domain: (s.reset(), s.answers(d)) for name, s in streams.items()}
        taken = interleaved(works, ROUNDS)
        rows += [
            row(f"{network}: {name} over plain answers", "×", ratios(taken[name], taken["plain"]), at_most=3)
            for name in streams
        ]
        assert not any(stream.resets for stream in streams.values())
    write("what adapting while answering costs", rows)


if __name__ == "__main__":
    main()
