"""Steps of pytorch-adapt: its adapters `DANN` and `MCD` with their defaults, and Adam."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import torch
from modules import ADAM, CLASSES, Both, network, tensors
from worker import BATCH, SIDES, N, images

# Where torchvision's compiled operators do not fit the build of torch, importing it fails on describing two of them.
# Nothing here calls them, so it is enough to declare them.
_LIBRARY = torch.library.Library("torchvision", "FRAGMENT")
for _name in ("nms", "qnms"):
    with suppress(RuntimeError):  # there already
        _LIBRARY.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from pytorch_adapt.adapters import DANN, MCD  # noqa: E402
from pytorch_adapt.containers import Models, Optimizers  # noqa: E402


def make(method: str, name: str) -> Callable[[], object]:
    """A training step."""
    built = network(name, SIDES[name][1])
    x, y, t = tensors(*images(name))
    models = {"G": built.features(), "C": built.classifier(CLASSES)}
    if method == "mcd":
        models["C"] = Both(models["C"], built.classifier(CLASSES))
    else:
        models["D"] = torch.nn.Sequential(built.discriminator(), torch.nn.Flatten(0))
    optimizers = Optimizers((torch.optim.Adam, ADAM), keys=list(models))
    kind, options = (MCD, {"repeat": N}) if method == "mcd" else (DANN, {})
    adapter = kind(models=Models(models), optimizers=optimizers, hook_kwargs=options)
    adapter.models.train()
    batch = {
        "src_imgs": x,
        "src_labels": y,
        "src_domain": torch.zeros(BATCH),
        "target_imgs": t,
        "target_domain": torch.ones(BATCH),
    }
    return lambda: adapter.training_step(batch)
