"""Unsupervised image-to-image translation for digits (Liu, Breuel & Kautz, NIPS 2017)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from acclimate.methods.base import Networks, class_loss, label_loss
from acclimate.methods.facts import Reads
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.unit import Unit
from acclimate.objectives.gan import critic_loss, feature_matching, generator_loss
from acclimate.objectives.variational import kl_to_standard_normal, reconstruction_loss, sampled
from acclimate.types import Batch, Side, Update

_GENERATORS = (
    "source_features",
    "target_features",
    "shared_features",
    "latent",
    "shared_decoder",
    "source_decoder",
    "target_decoder",
)
_CRITICS = ("source_critic", "target_critic", "shared_critic", "verdict", "classifier")


class UNIT(Stepwise[Batch]):
    """Two auto-encoders that share their codes, and two critics that share what they know, classes among it.

    With z ~ E(x_s, x_t) drawn once for both sides, G_s and G_t the decoders, x_ss = G_s(z_s) and x_tt = G_t(z_t)
    reconstructions, x_st = G_t(z_s) and x_ts = G_s(z_t) translations, D how real and C of what class the critic takes
    an image to be, and h the critic's features without dropout, for every batch:

        critic      min over D, C of   λ₀ [BCE(D(x), 1) + ½ BCE(D(translations), 0) + ½ BCE(D(reconstructions), 0)]
                                       + λ_c CE(C(x_s), y_s) + λ_h (‖h(x_ss) − h(x_st)‖² + ‖h(x_tt) − h(x_ts)‖²)
        generators  min over E, G of   λ₀ [BCE(D(translations), 1) + BCE(D(reconstructions), 1)]
                                       + λ₁ KL + λ₂ (‖x_ss − x_s‖² + ‖x_tt − x_t‖²)

    Each BCE is a mean over the images of both sides. All layers but those next to the pixels are the same for both
    sides, in the encoder, the decoder and the critic: that is what carries C over to the target, whose images it
    reads as they are, with no translation. Both sides pass the shared layers as one batch. Given target labels add
    their own λ_c CE.

    Where this differs from the authors' code: one draw of z serves both steps, and one dropout mask both heads,
    which spares a pass of the generators and one of the critic; no gradient of the critic's step reaches the
    generators, where it was computed and thrown away; the critic has one logit for "real" where it had two; both
    sides' own layers begin with the same weights, where theirs are drawn one by one. Their KL
    term, 2·10⁻⁴ Σ (μ² + σ² − ln σ²) / 2b, is λ₁ KL and a constant. They trained up to 200,000 steps and kept the step
    that was best by the target's test labels; here the last of 20,000 counts. The cycle terms are the paper's; the
    authors' code for domain adaptation has none.

    Source: Liu, Breuel & Kautz, "Unsupervised Image-to-Image Translation Networks", NIPS 2017, section 4, and the
    authors' released code for domain adaptation.
    """

    name: ClassVar[str] = "unit"
    title: ClassVar[str] = "UNIT"
    paper: ClassVar[str] = "Liu, Breuel & Kautz, NIPS 2017"
    problem: ClassVar[str] = "translation"
    reads: ClassVar[Reads] = {"images": {"network": "unit"}}
    recipe: ClassVar[Mapping[str, Any]] = {
        "steps": 20_000,
        "batch_size": 64,
        "optimizer": "adam",
        "lr": 2e-4,
        "momentum": 0.5,
        "weight_decay": 5e-4,
    }

    adversarial: float = Field(1.0, ge=0, description="λ₀, weight of the game, for both players.")
    classification: float = Field(10.0, ge=0, description="λ_c, weight of the class loss of labelled images.")
    matching: float = Field(1e-4, ge=0, description="λ_h, weight of the distance of the critic's features.")
    kl: float = Field(4e-4, ge=0, description="λ₁, weight of the divergence of codes, a mean over both sides.")
    reconstruction: float = Field(1e-3, ge=0, description="λ₂, weight of the distance of reconstructions.")
    cycle_kl: float = Field(
        0.0, ge=0, description="Weight of the divergence of translations' codes; 0 leaves it out."
    )
    cycle_reconstruction: float = Field(
        0.0, ge=0, description="Weight of the distance of images translated there and back; 0 leaves it out."
    )
    coordinates: bool = Field(False, description="Tell encoders where each pixel is, as for SVHN to MNIST.")
    maps: int = Field(96, ge=1, le=1024, description="Feature maps of the first convolution; codes have 8 times it.")
    critic_maps: int = Field(64, ge=1, le=1024, description="Feature maps of the critic's first convolution.")

    def networks(self, architecture: Unit, num_classes: int) -> dict[str, nn.Module]:
        """E, G and the critic, each as the layers of one side, of the other and of both; D and C as heads.

        Both sides' own layers begin with the same weights: nothing but the game and the matching moves the target's
        first stage towards what C can read, and from another start they take far longer than a short training has.
        """
        built = replace(architecture, maps=self.maps, critic_maps=self.critic_maps, coordinates=self.coordinates)
        own = {
            "features": built.encoder_input(),
            "decoder": built.decoder_output(),
            "critic": built.critic_input(),
        }
        return {
            **{f"source_{name}": net for name, net in own.items()},
            **{f"target_{name}": deepcopy(net) for name, net in own.items()},
            "shared_features": built.encoder(),
            "latent": built.latent(),
            "shared_decoder": built.decoder(),
            "shared_critic": built.critic_trunk(),
            "verdict": built.verdict(),
            "classifier": built.classifier(num_classes),
        }

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """The critic, then the generators."""
        source, target = batch.source.x, batch.target.x
        mean, deviation = _codes(nets, source, target)
        shared = nets["shared_decoder"](sampled(mean, deviation))
        as_source, as_target = nets["source_decoder"](shared), nets["target_decoder"](shared)
        yield self._critic(nets, batch, as_source.detach(), as_target.detach())

        # No weight of the pictures' graph has moved: the critic alone was trained.
        fooling, logs = self._fooling(nets, batch, as_source, as_target)
        (x_ss, x_ts), (x_st, x_tt) = (_by_origin(made, batch) for made in (as_source, as_target))
        kl = kl_to_standard_normal(mean, deviation)
        distance_s, distance_t = _distance(x_ss, source), _distance(x_tt, target)
        loss = self.adversarial * fooling + self.kl * kl + self.reconstruction * (distance_s + distance_t)
        if self.cycle_kl or self.cycle_reconstruction:
            loss = loss + self._cycle(nets, batch, x_ts, x_st)
        logs |= {
            "kl": kl.detach(),
            "reconstruction/source": distance_s.detach(),
            "reconstruction/target": distance_t.detach(),
        }
        yield Update(loss, trains=_GENERATORS, logs=logs)

    def _critic(self, nets: Networks, batch: Batch, as_source: Tensor, as_target: Tensor) -> Update:
        real = nets["shared_critic"](_first_stage(nets, batch.source.x, batch.target.x))
        made = _first_stage(nets, as_source, as_target)
        # There are as many translations as reconstructions: a mean over all of them counts either half.
        game = critic_loss(nets["verdict"](real), nets["verdict"](nets["shared_critic"](made)))
        by_class = class_loss(nets["classifier"](real[: len(batch.source)]), batch.source)
        by_class = by_class + label_loss(lambda x: _read(nets, x, "target"), *batch.labelled[1:])
        loss = self.adversarial * game + self.classification * by_class
        logs: dict[str, Tensor | float] = {"critic": game.detach(), "class": by_class.detach()}
        if self.matching:
            of_source, of_target = nets["shared_critic"](made, True).chunk(2)
            (h_ss, h_ts), (h_st, h_tt) = (_by_origin(h, batch) for h in (of_source, of_target))
            matched = feature_matching(h_ss, h_st) + feature_matching(h_tt, h_ts)
            loss = loss + self.matching * matched
            logs["matching"] = matched.detach()
        return Update(loss, trains=_CRITICS, logs=logs)

    def _fooling(
        self, nets: Networks, batch: Batch, as_source: Tensor, as_target: Tensor
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        """How well the critic sees through translations and through reconstructions."""
        scores = nets["verdict"](nets["shared_critic"](_first_stage(nets, as_source, as_target)))
        (d_ss, d_ts), (d_st, d_tt) = (_by_origin(d, batch) for d in scores.chunk(2))
        translated, reconstructed = (generator_loss(torch.cat(pair)) for pair in ((d_ts, d_st), (d_ss, d_tt)))
        logs: dict[str, Tensor | float] = {
            "generator/translations": translated.detach(),
            "generator/reconstructions": reconstructed.detach(),
        }
        return translated + reconstructed, logs

    def _cycle(self, nets: Networks, batch: Batch, x_ts: Tensor, x_st: Tensor) -> Tensor:
        """There and back again: the translations' divergence, and the distance of what comes back."""
        mean, deviation = _codes(nets, x_ts, x_st)
        shared = nets["shared_decoder"](sampled(mean, deviation))
        of_target, of_source = shared[: len(x_ts)], shared[len(x_ts) :]
        distance = _distance(nets["source_decoder"](of_source), batch.source.x)
        distance = distance + _distance(nets["target_decoder"](of_target), batch.target.x)
        return self.cycle_kl * kl_to_standard_normal(mean, deviation) + self.cycle_reconstruction * distance

    def embed(self, nets: Networks, x: Tensor, side: Side = "target") -> Tensor:
        """The mean of the shared code, `(b, d)`."""
        return _code(nets, x, side)[0]

    def decode(self, nets: Networks, features: Tensor, to: Side) -> Tensor:
        """Images of the side `to`, `(b, c, 32, 32)`, from codes `(b, d)`."""
        return nets[f"{to}_decoder"](nets["shared_decoder"](features))  # type: ignore[no-any-return]

    def classify(self, nets: Networks, features: Tensor) -> Tensor:
        """C on the code's translation to the source."""
        return _read(nets, self.decode(nets, features, "source"), "source")

    def answer(self, nets: Networks, x: Tensor, features: Tensor, side: Side = "target") -> Tensor:
        """C on the image itself, through its side's own first stage."""
        return _read(nets, x, side)

    def monitor(self, nets: Networks, x: Tensor, side: Side) -> dict[str, Tensor]:
        """The auto-encoder's two terms, with the code's mean in place of a draw."""
        mean, deviation = _code(nets, x, side)
        distance = _distance(self.decode(nets, mean, side), x)
        return {"kl": kl_to_standard_normal(mean, deviation), "reconstruction": distance}


def _codes(nets: Networks, of_source: Tensor, of_target: Tensor) -> tuple[Tensor, Tensor]:
    """μ and σ, the source's and then the target's, `(b_s + b_t, d)`: one batch for the shared layers' batch norm."""
    first = torch.cat([nets["source_features"](of_source), nets["target_features"](of_target)])
    mean, deviation = nets["latent"](nets["shared_features"](first)).unbind(dim=1)
    return mean, deviation


def _code(nets: Networks, x: Tensor, side: Side) -> tuple[Tensor, Tensor]:
    """μ and σ of one side's images, `(b, d)`."""
    mean, deviation = nets["latent"](nets["shared_features"](nets[f"{side}_features"](x))).unbind(dim=1)
    return mean, deviation


def _by_origin(made: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """What was made of the source's codes, and of the target's."""
    return made[: len(batch.source)], made[len(batch.source) :]


def _distance(made: Tensor, x: Tensor) -> Tensor:
    return reconstruction_loss(made, x, "l2")


def _first_stage(nets: Networks, of_source: Tensor, of_target: Tensor) -> Tensor:
    """What the critic's own stages make of images in each side's manner, one after the other."""
    return torch.cat([nets["source_critic"](of_source), nets["target_critic"](of_target)])


def _read(nets: Networks, x: Tensor, side: Side) -> Tensor:
    """Class logits `(b, k)` of a side's images."""
    return nets["classifier"](nets["shared_critic"](nets[f"{side}_critic"](x)))  # type: ignore[no-any-return]
