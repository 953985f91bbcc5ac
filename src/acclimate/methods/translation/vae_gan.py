"""VAE-GANs over one shared latent space (SEMIT, Georgia Tech, 2020)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from acclimate.methods.base import Networks, class_loss
from acclimate.methods.facts import Reads
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.vae_gan import VaeGan
from acclimate.objectives.gan import GanLoss, critic_loss, generator_loss, gradient_penalty
from acclimate.objectives.variational import (
    Reconstruction,
    kl_to_standard_normal,
    reconstruction_loss,
    sampled,
)
from acclimate.types import InterleavedBatch, Side, Update, other_side

_CRITICS = ("source_critic", "target_critic")
_GENERATORS = ("source_features", "target_features", "latent", "source_decoder", "target_decoder")


class SharedLatentVAEGAN(Stepwise[InterleavedBatch]):
    """Encoders and decoders of both sides around one latent space, critics that know real images and their classes.

    With E an encoder and the shared latent layer, z_s ~ E_s(x_s), z_t ~ E_t(x_t) drawn once per batch, G a decoder
    and D a critic with a class head C, for every batch:

        critics     min over D_s, D_t of    GAN(D_s; x_s, G_s(z_t)) + GAN(D_t; x_t, G_t(z_s))
                                            + CE(C_s(x_s), y_s) + α CE(C_t(x_t), y_t)
        generators  min over E, G of        λ₀ [GAN(D_t(G_t(z_s))) + CE(C_t(G_t(z_s)), y_s)]
                                            + λ₀ [GAN(D_s(G_s(z_t))) + α CE(C_s(G_s(z_t)), y_t)]
                                            + Σ_sides λ₁ KL + λ₂ ‖G(z) − x‖

    y_t is known in every r-th batch only, which then counts α = η n_t / n_labelled times. A target image is answered
    by translating it: C_s(G_s(E_t(x_t))) with the code's mean, where the authors draw a code. A source image is read
    by C_s itself. The authors chose the best epoch by target validation labels; here the last step counts.

    Source: the code and page of SEMIT (github.com/ast0414/semit), which follow Liu, Breuel & Kautz, NIPS 2017, and
    Odena, Olah & Shlens, ICML 2017 for the class heads.
    """

    name: ClassVar[str] = "vae-gan"
    also: ClassVar[tuple[str, ...]] = ("VAEGAN",)
    title: ClassVar[str] = "Shared-latent VAE-GAN"
    paper: ClassVar[str] = "SEMIT, 2020, after Liu et al., NIPS 2017"
    problem: ClassVar[str] = "translation"
    reads: ClassVar[Reads] = {"images": {"network": "vae-gan"}}
    recipe: ClassVar[Mapping[str, Any]] = {
        "epochs": 100,
        "batch_size": 64,
        "optimizer": "adamw",
        "lr": 2e-4,
        "momentum": 0.5,
        "weight_decay": 5e-4,
    }

    adversarial: float = Field(1.0, ge=0, description="λ₀, weight of what the critics say of translations.")
    kl: float = Field(0.001, ge=0, description="λ₁, weight of the divergence of codes from the prior.")
    reconstruction: float = Field(0.01, ge=0, description="λ₂, weight of the distance of reconstructions.")
    distance: Reconstruction = Field("smooth-l1", description="Of reconstructions: 'smooth-l1', 'l1' or 'l2'.")
    label_weight: float = Field(
        1.0, ge=0, description="η: α = η n_t / n_labelled, weight of labelled target batches."
    )
    cycle_kl: float = Field(
        0.0, ge=0, description="Weight of the divergence of translations' codes; 0 leaves it out."
    )
    cycle_reconstruction: float = Field(
        0.0, ge=0, description="Weight of the distance of images translated there and back; 0 leaves it out."
    )
    gan: GanLoss = Field("bce", description="What critics play for: 'bce', 'least-squares' or 'hinge'.")
    smoothing: float = Field(0.1, ge=0, lt=1, description="Real images are labelled U(1 − smoothing, 1), with bce.")
    gradient_penalty: float = Field(0.0, ge=0, description="γ, weight of the critics' R₁ penalty at real images.")
    spectral: bool = Field(False, description="Spectral normalisation of the critics.")
    dropout: float = Field(0.5, ge=0, lt=1, description="Of the critics' feature maps, after each convolution.")
    maps: int = Field(32, ge=1, le=1024, description="Feature maps of the first convolution; codes have 16 times it.")

    def networks(self, architecture: VaeGan, num_classes: int) -> dict[str, nn.Module]:
        """E_s, E_t, the shared latent layer, G_s, G_t, D_s with C_s, and D_t with C_t."""
        built = replace(architecture, maps=self.maps, dropout=self.dropout, spectral=self.spectral)
        return {
            "source_features": built.encoder(),
            "target_features": built.encoder(),
            "latent": built.latent(),
            "source_decoder": built.decoder(),
            "target_decoder": built.decoder(),
            "source_critic": built.critic(num_classes),
            "target_critic": built.critic(num_classes),
        }

    def updates(self, nets: Networks, batch: InterleavedBatch) -> Iterator[Update]:
        """The critics, then everything else."""
        source, target = batch.source.x, batch.target.x
        source_code, target_code = self._code(nets, source, "source"), self._code(nets, target, "target")
        z_source, z_target = sampled(*source_code), sampled(*target_code)
        to_source, to_target = nets["source_decoder"](z_target), nets["target_decoder"](z_source)
        yield self._critics(nets, batch, to_source.detach(), to_target.detach())

        # No weight of the translations' graph has moved: the critics alone were trained.
        fooling, logs = self._fooling(nets, batch, to_source, to_target)
        vae_source = self._vae(source_code, nets["source_decoder"](z_source), source)
        vae_target = self._vae(target_code, nets["target_decoder"](z_target), target)
        loss = self.adversarial * fooling + (self._weighed(*vae_source) + self._weighed(*vae_target))
        if self.cycle_kl or self.cycle_reconstruction:
            loss = loss + self._cycle(nets, source, to_target, "source")
            loss = loss + self._cycle(nets, target, to_source, "target")
        logs |= {
            "kl/source": vae_source[0].detach(),
            "kl/target": vae_target[0].detach(),
            "reconstruction/source": vae_source[1].detach(),
            "reconstruction/target": vae_target[1].detach(),
        }
        yield Update(loss, trains=_GENERATORS, logs=logs)

    def _code(self, nets: Networks, x: Tensor, side: Side) -> tuple[Tensor, Tensor]:
        """μ and σ of shape `(b, d)`."""
        mean, deviation = nets["latent"](nets[f"{side}_features"](x)).unbind(dim=1)
        return mean, deviation

    def _label_weight(self, batch: InterleavedBatch) -> float:
        """α = η n_t / n_labelled."""
        return self.label_weight / batch.labelled_share if batch.labelled_share else 0.0

    def _critics(self, nets: Networks, batch: InterleavedBatch, to_source: Tensor, to_target: Tensor) -> Update:
        source, target = batch.source.x, batch.target.x
        if self.gradient_penalty:
            source, target = source.detach().requires_grad_(), target.detach().requires_grad_()
        real_s, fake_s, classes_s = _judged_together(nets, source, to_source, "source")
        real_t, fake_t, classes_t = _judged_together(nets, target, to_target, "target")
        on_source = critic_loss(real_s, fake_s, self.gan, self.smoothing)
        on_target = critic_loss(real_t, fake_t, self.gan, self.smoothing)
        source_class = class_loss(classes_s, batch.source)
        loss = on_source + on_target + source_class
        logs = {
            "critic/source": on_source.detach(),
            "critic/target": on_target.detach(),
            "class/source": source_class.detach(),
        }
        if batch.labelled_target is not None:
            target_class = class_loss(classes_t, batch.labelled_target)
            loss = loss + self._label_weight(batch) * target_class
            logs["class/target"] = target_class.detach()
        if self.gradient_penalty:
            steepness = gradient_penalty(real_s, source) + gradient_penalty(real_t, target)
            loss = loss + self.gradient_penalty * steepness
            logs["gradient_penalty"] = steepness.detach()
        return Update(loss, trains=_CRITICS, logs=logs)

    def _fooling(
        self, nets: Networks, batch: InterleavedBatch, to_source: Tensor, to_target: Tensor
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        """How well critics see through translations, and what class they take them for."""
        (fake_s, classes_s), (fake_t, classes_t) = (
            _judged(nets, x, side) for x, side in ((to_source, "source"), (to_target, "target"))
        )
        on_source, on_target = generator_loss(fake_s, self.gan), generator_loss(fake_t, self.gan)
        kept = class_loss(classes_t, batch.source)
        loss = on_target + kept + on_source
        logs: dict[str, Tensor | float] = {
            "generator/to_source": on_source.detach(),
            "generator/to_target": on_target.detach(),
            "class/to_target": kept.detach(),
        }
        if batch.labelled_target is not None:
            kept = class_loss(classes_s, batch.labelled_target)
            loss = loss + self._label_weight(batch) * kept
            logs["class/to_source"] = kept.detach()
        return loss, logs

    def _vae(self, code: tuple[Tensor, Tensor], reconstructed: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Divergence and distance."""
        return kl_to_standard_normal(*code), reconstruction_loss(reconstructed, x, self.distance)

    def _weighed(self, kl: Tensor, distance: Tensor) -> Tensor:
        return self.kl * kl + self.reconstruction * distance

    def _cycle(self, nets: Networks, x: Tensor, translated: Tensor, side: Side) -> Tensor:
        """There and back again: the translation's divergence, and the distance of what comes back."""
        code = self._code(nets, translated, other_side(side))
        kl, distance = self._vae(code, nets[f"{side}_decoder"](sampled(*code)), x)
        return self.cycle_kl * kl + self.cycle_reconstruction * distance

    def embed(self, nets: Networks, x: Tensor, side: Side = "target") -> Tensor:
        """The mean of the shared code, `(b, d)`."""
        return self._code(nets, x, side)[0]

    def decode(self, nets: Networks, features: Tensor, to: Side) -> Tensor:
        """Images of the side `to` from codes `(b, d)`."""
        return nets[f"{to}_decoder"](features)  # type: ignore[no-any-return]

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """C_s on the code's translation to the source."""
        return _judged(nets, self.decode(nets, features, "source"), "source")[1]

    def answer(self, nets: Networks, x: Tensor, features: Tensor, side: Side = "target") -> Tensor:
        """C_s on a source image itself, or on a target image's translation."""
        return _judged(nets, x, "source")[1] if side == "source" else self.classify(nets, features)

    def monitor(self, nets: Networks, x: Tensor, side: Side) -> dict[str, Tensor]:
        """The VAE's two terms, with the code's mean in place of a draw."""
        mean, deviation = self._code(nets, x, side)
        kl, distance = self._vae((mean, deviation), nets[f"{side}_decoder"](mean), x)
        return {"kl": kl, "reconstruction": distance}


def _judged(nets: Networks, x: Tensor, side: str) -> tuple[Tensor, Tensor]:
    """The side's critic on images: how real `(b, 1)`, and of which class `(b, k)`."""
    scores = nets[f"{side}_critic"](x)
    return scores[:, :1], scores[:, 1:]


def _judged_together(nets: Networks, real: Tensor, fake: Tensor, side: Side) -> tuple[Tensor, Tensor, Tensor]:
    """How real a critic finds either, `(b, 1)` each, and the classes of real ones `(b, k)`.

    One pass costs less than two, and gives the same: no layer of a critic mixes the examples of a batch.
    """
    scores, classes = _judged(nets, torch.cat([real, fake]), side)
    return scores[: len(real)], scores[len(real) :], classes[: len(real)]
