"""Retrieval in a space of its own, where a class has one prototype for sketches and photos alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.errors import RequestError
from acclimate.methods.base import Networks
from acclimate.methods.facts import Reads
from acclimate.methods.retrieval.common import (
    learning,
    matches,
    redrawn,
)
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.cross_modal import CrossModal, Encoded, ResidualHead
from acclimate.objectives.retrieval import multi_positive_nce, prototype_logits
from acclimate.types import GalleryBatch, Side, Update


class Prototypes(nn.Module):
    """One vector for each class; what is nearest in cosine answers.

    Args:
        num_classes: k.
        width: d.
        scale: of the cosines in the logits.
    """

    def __init__(self, num_classes: int, width: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(num_classes, width) / width**0.5)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Unit rows `(b, d)` to logits `(b, k)`."""
        return prototype_logits(x, self.weight, self.scale)


class SharedPrototypes(Stepwise[GalleryBatch]):
    """Both sides learn a way into one space; shared prototypes order its classes and contrast its instances.

    With u = unit vector of a sketch, v of a photo, w_k the prototype of class k, σ the scale and τ the temperature:

        min  CE(σ cos(u, w), y) + CE(σ cos(v, w), y) + w_class · NCE(u, v of its class) + w_own · NCE(u, own v)

    Against the GAN, the photo side may move too: a linear map and a bridge on frozen features, so that the classes of
    the gallery part before any sketch comes. Searches compare u and v and, beside them, what the prototypes answer to
    each, p(x) = softmax(σ cos(x, w)):

        similarity = (cos(u, v) + posterior² · cos(p(u), p(v))) / (1 + posterior²)

    so that a photo of the class that a sketch most likely shows comes before one that only points its way.
    acclimate's own combination.

    Source: Zhai & Wu, BMVC 2019, equation 5 (normalised softmax with prototypes); van den Oord et al., 2018,
    equation 4 (NCE), with several positives as in Khosla et al., NeurIPS 2020, equation 2.
    """

    name: ClassVar[str] = "shared-prototypes"
    title: ClassVar[str] = "Shared prototypes"
    paper: ClassVar[str] = "this project"
    problem: ClassVar[str] = "retrieval"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target labels")
    reads: ClassVar[Reads] = {"images": {}, "features": {}}
    weighs_classes: ClassVar[bool] = False
    batch_statistics: ClassVar[bool] = True
    recipe: ClassVar[Mapping[str, Any]] = {
        "epochs": 40,
        "patience": 15,
        "batch_size": 128,
        "optimizer": "adamw",
        "lr": 5e-4,
        "lr_schedule": "cosine",
        "weight_decay": 0.05,
    }

    width: int = Field(256, ge=2, le=10**5, description="d, width of the shared space.")
    hidden: int = Field(512, ge=1, le=10**5, description="Units of each head's hidden layer.")
    scale: float = Field(20.0, gt=0, le=1000, description="σ, scale of the cosines to the prototypes.")
    w_class: float = Field(0.5, ge=0, le=1000, description="Weight of the contrast with the query's class.")
    w_own: float = Field(0.0, ge=0, le=1000, description="Weight of the contrast with the query's own item.")
    temperature: float = Field(0.1, gt=0, le=10, description="τ of both contrasts.")
    noise: float = Field(0.15, ge=0, le=10, description="Deviation of the noise on standardised item features.")
    posterior: float = Field(
        1.0,
        ge=0,
        le=100,
        description="Length at which the classes' probabilities stand beside the learnt vector in searches.",
    )
    keep: float = Field(
        0.0,
        ge=0,
        le=100,
        description="Length at which the encoder's own features stand beside the learnt vector, for classes that "
        "training never sees; both sides must come in the same features.",
    )
    redraw: float = Field(1.0, ge=0, le=10, description="Strength of the deformations of training sketches.")

    def networks(self, architecture: CrossModal, num_classes: int) -> dict[str, nn.Module]:
        """The encoder of queries, a head for each side, and the prototypes as classifier."""
        asked, found = architecture.query, architecture.width
        if self.keep and not (isinstance(asked, Encoded) and asked.width == found):
            raise RequestError(
                "keep",
                "must be 0 unless both sides come in the same features",
                f"{self.keep:g} with {asked.width:,} and {found:,} features",
                "Leave keep out.",
            )
        return {
            "query_features": architecture.features(),
            "query_head": ResidualHead(asked.width, self.hidden, self.width),
            "item_head": ResidualHead(found, self.hidden, self.width),
            "classifier": Prototypes(num_classes, self.width, self.scale),
        }

    def updates(self, nets: Networks, batch: GalleryBatch) -> Iterator[Update]:
        """One step on all terms."""
        items = batch.items
        x = redrawn(batch.queries.x, self.redraw)
        if x.ndim == 2:
            x = self._blurred(x)
        u = self._learnt(nets, x, "source")
        v = self._learnt(nets, self._blurred(items.x), "target")
        of_queries = F.cross_entropy(nets["classifier"](u), batch.queries.y)
        of_items = F.cross_entropy(nets["classifier"](v), items.y)
        by_class = multi_positive_nce(u, v, matches(batch, "class")[0], self.temperature)
        own = multi_positive_nce(u, v, matches(batch, "instance")[0], self.temperature)
        yield Update(
            of_queries + of_items + self.w_class * by_class + self.w_own * own,
            trains=learning(nets, "query_features", "query_head", "item_head", "classifier"),
            logs={
                "query_label_loss": of_queries.detach(),
                "item_label_loss": of_items.detach(),
                "class_contrast": by_class.detach(),
                "own_contrast": own.detach(),
            },
        )

    def _blurred(self, x: Tensor) -> Tensor:
        """Features with noise on them, so that few examples fill more of the space."""
        return x + self.noise * torch.randn_like(x) if self.noise else x

    def _learnt(self, nets: Networks, x: Tensor, side: Side) -> Tensor:
        """Unit vectors `(b, d)` of the shared space."""
        if side == "source":
            x = nets["query_features"](x)
        vectors: Tensor = nets["query_head" if side == "source" else "item_head"](x)
        return vectors

    def embed(self, nets: Networks, x: Tensor, side: Side = "target") -> Tensor:
        """Vectors whose cosines rank, `(b, d + k)`, or `(b, d + k + channels)` with `keep`.

        Unit vectors of the shared space, the classes' probabilities at the length `posterior`, and the encoder's own
        features at the length `keep`; a part of length 0 is left out. A cosine of the whole is then the mean of the
        parts' cosines, with the squares of their lengths as weights.
        """
        parts = [self._learnt(nets, x, side)]
        if self.posterior:
            parts.append(self.posterior * F.normalize(nets["classifier"](parts[0]).softmax(dim=1)))
        if self.keep:
            parts.append(self.keep * F.normalize(x))
        return torch.cat(parts, dim=1)

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """Logits `(b, k)` of the learnt part."""
        logits: Tensor = nets["classifier"](features[:, : self.width])
        return logits
