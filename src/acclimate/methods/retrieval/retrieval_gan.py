"""Retrieval by a GAN in feature space: a sketch's features become those of a photo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.methods.base import Networks
from acclimate.methods.facts import Reads
from acclimate.methods.retrieval.common import (
    Positives,
    learning,
    matches,
    no_loss,
    redrawn,
)
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.cross_modal import CrossModal, vector_critic
from acclimate.objectives.gan import critic_loss, generator_loss
from acclimate.objectives.retrieval import batch_hard_triplet
from acclimate.types import GalleryBatch, Side, Update


class RetrievalGAN(Stepwise[GalleryBatch]):
    """A generator turns a query's features into an item's; a critic and a triplet loss say how well.

    With q = G(E(s)) for a sketch s, photo features p, and y the class:

        critic       min  L_D = mean −[t ln D(p) + (1 − t) ln(1 − D(p))] − mean ln(1 − D(q)),   t ~ U(1 − s, 1)
        generator    min  w_adv · mean −ln D(q) + w_tri · triplet(q, p) + w_cls · ½ [CE(C(q), y) + CE(C(p), y)]

    The triplet is batch-hard on cosines. The photo encoder is frozen; E learns with the generator, or there is none
    where queries come as features.

    Source: Goodfellow et al., NIPS 2014, equation 1; Hermans et al., 2017, equation 5; the generator between feature
    spaces after Dutta & Akata, CVPR 2019 (SEM-PCYC), with one direction and without its semantics.
    """

    name: ClassVar[str] = "retrieval-gan"
    title: ClassVar[str] = "Retrieval GAN"
    paper: ClassVar[str] = "after Dutta & Akata, CVPR 2019"
    problem: ClassVar[str] = "retrieval"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target labels")
    reads: ClassVar[Reads] = {"images": {}, "features": {}}
    weighs_classes: ClassVar[bool] = False
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar[Mapping[str, Any]] = {
        "epochs": 60,
        "patience": 15,
        "batch_size": 128,
        "optimizer": "adam",
        "lr": 2e-4,
        "momentum": 0.5,
    }

    w_adv: float = Field(0.1, ge=0, le=1000, description="Weight of the adversarial loss; 0 leaves the critic out.")
    w_tri: float = Field(1.0, ge=0, le=1000, description="Weight of the triplet loss.")
    w_cls: float = Field(0.1, ge=0, le=1000, description="Weight of the class term on made and real features.")
    margin: float = Field(0.2, ge=0, le=2, description="m, margin of the triplet loss in cosine distance.")
    positives: Positives = Field("class", description="What a query should find: its 'class', or its own 'instance'.")
    smoothing: float = Field(0.2, ge=0, lt=1, description="s: the critic's labels of real features are U(1 − s, 1).")
    hidden: int = Field(1024, ge=1, le=10**5, description="Units of the generator's hidden layer.")
    critic_hidden: tuple[PositiveInt, ...] = Field((512, 256), description="Units of the critic's hidden layers.")
    redraw: float = Field(1.0, ge=0, le=10, description="Strength of the deformations of training sketches.")

    def networks(self, architecture: CrossModal, num_classes: int) -> dict[str, nn.Module]:
        """The encoder of queries, the generator, the critic, and a classifier of items."""
        return {
            "query_features": architecture.features(),
            "generator": architecture.bridge(self.hidden),
            "critic": vector_critic(architecture.width, self.critic_hidden),
            "classifier": nn.Linear(architecture.width, num_classes),
        }

    def updates(self, nets: Networks, batch: GalleryBatch) -> Iterator[Update]:
        """The critic's step, unless it has no part, then the generator's."""
        items = batch.items
        x = redrawn(batch.queries.x, self.redraw)
        if self.w_adv:
            with torch.no_grad():
                made = self._made(nets, x)
            fair = items.x[len(made) :]  # drawn like any batch; the counterparts would show photos with sketches only
            loss = critic_loss(nets["critic"](fair), nets["critic"](made), smoothing=self.smoothing)
            yield Update(loss, trains=("critic",), logs={"critic_loss": loss.detach()})
        yield self._generator_update(nets, batch, x)

    def _generator_update(self, nets: Networks, batch: GalleryBatch, x: Tensor) -> Update:
        items, made = batch.items, self._made(nets, x)
        positive, negative = matches(batch, self.positives)
        triplet = batch_hard_triplet(F.normalize(made), F.normalize(items.x), positive, negative, self.margin)
        adversarial = generator_loss(nets["critic"](made)) if self.w_adv else no_loss(made)
        label_loss = no_loss(made)
        if self.w_cls:
            of_made = F.cross_entropy(nets["classifier"](made), batch.queries.y)
            label_loss = (of_made + F.cross_entropy(nets["classifier"](items.x), items.y)) / 2
        loss = self.w_adv * adversarial + self.w_tri * triplet + self.w_cls * label_loss
        trains = learning(nets, "query_features", "generator")
        return Update(
            loss,
            trains=(*trains, "classifier") if self.w_cls else trains,
            logs={
                "triplet_loss": triplet.detach(),
                "adversarial_loss": adversarial.detach(),
                "label_loss": label_loss.detach(),
            },
        )

    def _made(self, nets: Networks, x: Tensor) -> Tensor:
        made: Tensor = nets["generator"](nets["query_features"](x))
        return made

    def embed(self, nets: Networks, x: Tensor, side: Side = "target") -> Tensor:
        """Features `(b, d)` of the gallery's space: made from queries, given with items."""
        return self._made(nets, x) if side == "source" else x
