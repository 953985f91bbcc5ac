"""Steps of acclimate's own trainer, drawing from 2,000 + 2,000 images, in the precision that the name ends in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from modules import ADAM
from worker import BATCH, SIDES, N

from acclimate.data.domain import Domain
from acclimate.methods.classification.dann import DANN
from acclimate.methods.classification.mcd import MCD
from acclimate.problems.fitting import make_trainer
from acclimate.problems.planning import make_plan
from acclimate.training.allocator import keep_freed_memory
from acclimate.training.hooks import Hooks


def make(method: str, name: str, precision: str = "fp32") -> Callable[[], object]:
    """A training step."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    keep_freed_memory()  # as every command does
    rng = np.random.default_rng(0)
    side, channels = SIDES[name]
    pixels = rng.integers(0, 256, (2, 2_000, side, side, channels), dtype=np.uint8)
    classes = tuple("0123456789")
    source, target = Domain(pixels[0], rng.integers(0, 10, 2_000), classes), Domain(pixels[1], classes=classes)
    options = {**ADAM, "optimizer": "adam", "batch_size": BATCH, "steps": 100_000, "precision": precision}
    plan = make_plan(MCD(n=N) if method == "mcd" else DANN(), source, target, network=name, options=options)
    return make_trainer(plan, source, target, Hooks()).train_step
