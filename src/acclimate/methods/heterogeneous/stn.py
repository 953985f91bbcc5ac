"""Soft transfer network (Yao, Zhang, Li & Ye, ACM MM 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from acclimate.methods.base import Networks, class_loss
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.projectors import Depth, Projectors, heads_and_projectors
from acclimate.objectives.class_structure import one_hot, soft_label_mmd
from acclimate.types import DisjointBatch, Update


class STN(Stepwise[DisjointBatch]):
    """Draws the two sides' means together, over all and class by class, with soft labels on the target.

        L = CE(source ∪ labelled target) + β L_mmd + τ ‖W‖²

    Unlabelled target examples count for every class mean by their predicted probabilities, times a trust α that grows
    from 0 to 1 over training. To be quick it trains on coordinates in the space that the rows span, which Adam does
    not treat quite as it would the features themselves; `row_space=False` has the published form.

    Source: Yao et al., "Heterogeneous Domain Adaptation via Soft Transfer Network", ACM MM 2019, arXiv 1908.10552.
    """

    name: ClassVar[str] = "stn"
    title: ClassVar[str] = "STN"
    paper: ClassVar[str] = "Yao et al., ACM MM 2019"
    problem: ClassVar[str] = "heterogeneous"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target", "few target labels")
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar[Mapping[str, Any]] = {
        "steps": 300,
        "batch_size": 2**20,
        "optimizer": "adam",
        "lr": 1e-3,
        "normalisation": "rows",
        "row_space": True,
    }

    common: int = Field(256, ge=1, description="d, width of the common space.")
    depth: Depth = Field("double", description="Layers of each projector: 'single' or 'double'.")
    mmd_weight: float = Field(0.001, ge=0, description="β, weight of the distance between means.")
    penalty: float = Field(0.001, ge=0, description="τ, weight of the squared weights.")

    def networks(self, architecture: Projectors, num_classes: int) -> dict[str, nn.Module]:
        """A projector for each side and a classifier."""
        nets = heads_and_projectors(architecture, num_classes, self.common, self.depth, None)
        return {name: nets[name] for name in ("source_features", "target_features", "classifier")}

    def updates(self, nets: Networks, batch: DisjointBatch) -> Iterator[Update]:
        """One step over all losses at once."""
        labelled = batch.labelled_target
        source = self.embed(nets, batch.source.x, "source")
        target = self.embed(nets, torch.cat([labelled.x, batch.target.x]), "target")
        few = len(labelled)
        logits = nets["classifier"](torch.cat([source, target]))
        known = len(source) + few

        labels_loss = class_loss(logits[:known], batch.source, labelled)
        soft = F.softmax(logits[known:].detach(), dim=1)
        k, kind = logits.shape[1], logits.dtype
        mmd = soft_label_mmd(
            source, one_hot(batch.source.y, k, kind), target, one_hot(labelled.y, k, kind), soft, batch.progress
        )
        trains = ("source_features", "target_features", "classifier")
        weights = [p for name in trains for p in nets[name].parameters() if p.ndim > 1]
        penalty = torch.stack([w.square().sum() for w in weights]).sum()
        yield Update(
            labels_loss + self.mmd_weight * mmd + self.penalty * penalty,
            trains=trains,
            logs={"label_loss": labels_loss.detach(), "mmd": mmd.detach(), "penalty": penalty.detach()},
        )
