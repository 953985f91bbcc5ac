"""Variational auto-encoders of both sides, each for itself (Kingma & Welling, ICLR 2014)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from acclimate.methods.base import Networks, class_loss, label_loss
from acclimate.methods.facts import Reads
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.vae_gan import VaeGan
from acclimate.objectives.variational import (
    Reconstruction,
    kl_to_standard_normal,
    reconstruction_loss,
    sampled,
)
from acclimate.types import Batch, Side, Update


class VAE(Stepwise[Batch]):
    """A variational auto-encoder for each side, sharing nothing, to see how well each side can be encoded.

    With z ~ E(x) and G the decoder, for each side by itself:

        min over E, G of  λ₁ KL + λ₂ ‖G(z) − x‖

    and a linear classifier of the codes' means, learnt from labelled images, that moves no other network. Nothing
    aligns the sides: a code of one means nothing to the other's decoder or to a classifier that knows only the
    source's, so answers on the target and translations are as good as chance. It is there for its curves, of images
    trained on against others: how much of the loss of `vae-gan` is due to the images alone.

    Source: Kingma & Welling, "Auto-Encoding Variational Bayes", ICLR 2014, with the networks and the training of
    SEMIT's (github.com/ast0414/semit) auto-encoders.
    """

    name: ClassVar[str] = "vae"
    title: ClassVar[str] = "VAE (each side alone)"
    paper: ClassVar[str] = "Kingma & Welling, ICLR 2014"
    problem: ClassVar[str] = "translation"
    reads: ClassVar[Reads] = {"images": {"network": "vae-gan"}}
    recipe: ClassVar[Mapping[str, Any]] = {
        "steps": 100_000,
        "batch_size": 128,
        "optimizer": "adam",
        "lr": 1e-4,
        "momentum": 0.5,
    }

    kl: float = Field(1.0, ge=0, description="λ₁, weight of the divergence of codes from the prior.")
    reconstruction: float = Field(1.0, ge=0, description="λ₂, weight of the distance of reconstructions.")
    distance: Reconstruction = Field("l1", description="Of reconstructions: 'smooth-l1', 'l1' or 'l2'.")
    maps: int = Field(32, ge=1, le=1024, description="Feature maps of the first convolution; codes have 16 times it.")

    def networks(self, architecture: VaeGan, num_classes: int) -> dict[str, nn.Module]:
        """An encoder, its latent layer and a decoder for each side, and the classifier."""
        built = replace(architecture, maps=self.maps)
        parts = {"features": built.encoder, "latent": built.latent, "decoder": built.decoder}
        nets = {f"{side}_{name}": make() for name, make in parts.items() for side in ("source", "target")}
        return nets | {"classifier": built.classifier(num_classes)}

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step of everything: no two terms share a weight."""
        code_s, code_t = _code(nets, batch.source.x, "source"), _code(nets, batch.target.x, "target")
        kl_s, kl_t = kl_to_standard_normal(*code_s), kl_to_standard_normal(*code_t)
        distance_s = self._distance(nets["source_decoder"](sampled(*code_s)), batch.source.x)
        distance_t = self._distance(nets["target_decoder"](sampled(*code_t)), batch.target.x)
        by_class = class_loss(self.classify(nets, code_s[0].detach()), batch.source)
        by_class = by_class + label_loss(lambda x: self.classify(nets, _fixed(nets, x)), *batch.labelled[1:])
        loss = self.kl * (kl_s + kl_t) + self.reconstruction * (distance_s + distance_t) + by_class
        logs = {
            "class": by_class,
            "kl/source": kl_s,
            "kl/target": kl_t,
            "reconstruction/source": distance_s,
            "reconstruction/target": distance_t,
        }
        yield Update(loss, trains=tuple(nets), logs={name: value.detach() for name, value in logs.items()})

    def _distance(self, made: Tensor, x: Tensor) -> Tensor:
        return reconstruction_loss(made, x, self.distance)

    def embed(self, nets: Networks, x: Tensor, side: Side = "target") -> Tensor:
        """The mean of the side's own code, `(b, d)`."""
        return _code(nets, x, side)[0]

    def decode(self, nets: Networks, features: Tensor, to: Side) -> Tensor:
        """Images `(b, c, 32, 32)` that the decoder of the side `to` makes of codes `(b, d)`, whosever they are."""
        return nets[f"{to}_decoder"](features)  # type: ignore[no-any-return]

    def monitor(self, nets: Networks, x: Tensor, side: Side) -> dict[str, Tensor]:
        """Both terms, with the code's mean in place of a draw."""
        mean, deviation = _code(nets, x, side)
        distance = self._distance(nets[f"{side}_decoder"](mean), x)
        return {"kl": kl_to_standard_normal(mean, deviation), "reconstruction": distance}


def _code(nets: Networks, x: Tensor, side: Side) -> tuple[Tensor, Tensor]:
    """μ and σ of shape `(b, d)`."""
    mean, deviation = nets[f"{side}_latent"](nets[f"{side}_features"](x)).unbind(dim=1)
    return mean, deviation


@torch.no_grad()
def _fixed(nets: Networks, x: Tensor) -> Tensor:
    """μ of target images, `(b, d)`, as numbers that nothing can be learnt from but a classifier."""
    return _code(nets, x, "target")[0]
