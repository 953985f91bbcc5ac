"""Known and unknown parted by the model's own doubt, more of the target in each round."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from acclimate.methods.base import Networks, both_sides, class_loss, label_loss
from acclimate.methods.stepwise import Stepwise
from acclimate.networks.architecture import Architecture
from acclimate.networks.marks import Marks
from acclimate.types import Batch, Passes, PseudoLabels, Update

# Shares of either side of the mean doubt that are believed, in the first round and in the last.
_FIRST, _LAST = 0.5, 0.9


class ProgressiveSeparation(Stepwise[Batch]):
    """The source alone at first; then also the target examples that the model doubts least and, as unknown, most.

        u(x) = 1 − max_{c known} p_c(x);   on either side of the target's mean u, the outer share s_r is believed
        L = CE(source) + w (1/b) Σ_{believed target x} CE(x, ŷ(x)),   ŷ = unknown above the mean u, else the answer

    u and ŷ are those of the last of `rounds` rounds, over which s_r grows from 0.5 to 0.9. Parting at the mean is
    Bucci et al.'s, whose doubt is of rotations, which only pictures have; taking in more by and by is Luo et al.'s,
    whose classifier is a graph's. Batch norm sees both sides as one batch.

    Source: Bucci, Loghmani & Tommasi, "On the Effectiveness of Image Rotation for Open Set Domain Adaptation", ECCV
    2020; Luo, Wang, Huang & Baktashmotlagh, "Progressive Graph Learning for Open-Set Domain Adaptation", ICML 2020.
    """

    name: ClassVar[str] = "progressive-separation"
    title: ClassVar[str] = "Progressive separation"
    paper: ClassVar[str] = "after Bucci et al., ECCV 2020, and Luo et al., ICML 2020"
    problem: ClassVar[str] = "open-set"
    learns_from: ClassVar[tuple[str, ...]] = ("source", "target", "all at once")
    recipe: ClassVar = {
        "optimizer": "sgd",
        "lr": 0.01,
        "momentum": 0.9,
        "lr_schedule": "annealing",
        "batch_size": 64,
    }

    start: float = Field(0.3, ge=0, lt=1, description="Share of the training that is on the source alone.")
    rounds: int = Field(10, ge=1, le=10_000, description="How often the target is parted, evenly over the rest.")
    weight: float = Field(4.0, ge=0, description="w, weight of what is believed of the target.")

    def networks(self, architecture: Architecture, num_classes: int) -> dict[str, nn.Module]:
        """Two networks, both again as they were in the last round, and that round's marks."""
        still = {"features": architecture.features(), "classifier": architecture.classifier(num_classes)}
        return {
            **super().networks(architecture, num_classes),
            **{f"still_{name}": net.requires_grad_(requires_grad=False) for name, net in still.items()},
            "marks": Marks(),
        }

    @property
    def between_steps_at(self) -> tuple[float, ...]:
        """Evenly spaced over what is left after `start`."""
        return tuple(self.start + (1 - self.start) * i / self.rounds for i in range(self.rounds))

    def between_steps(self, nets: Networks, passes: Passes) -> None:
        """Keep the networks of this moment, and part the target by what they doubt."""
        for name in ("features", "classifier"):
            nets[f"still_{name}"].load_state_dict(nets[name].state_dict())
        doubts = torch.cat([_doubts(self.logits(nets, examples.x)) for examples in passes.target()])
        marks, last = _marks(nets), max(1, self.rounds - 1)
        share = _FIRST + (_LAST - _FIRST) * min(int(marks.rounds), last) / last
        marks.set(doubts.cpu().numpy(), share)

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on the labels there are and those believed."""
        logits = self.logits(nets, both_sides(batch))
        source, target = logits[: len(batch.source)], logits[len(batch.source) :]
        labels_loss = class_loss(source, batch.source)
        labels_loss = labels_loss + label_loss(lambda x: self.logits(nets, x), *batch.labelled[1:])
        own = torch.zeros((), device=labels_loss.device)
        if _marks(nets).rounds > 0:
            labels, kept = self._believed(nets, batch.target.x)
            own = (F.cross_entropy(target, labels, reduction="none") * kept).mean()
        yield Update(
            labels_loss + self.weight * own,
            trains=("features", "classifier"),
            logs={"label_loss": labels_loss.detach(), "pseudo_label_loss": own.detach()},
        )

    @torch.no_grad()
    def _believed(self, nets: Networks, x: Tensor) -> tuple[Tensor, Tensor]:
        """Labels `(b,)` of the last round, and which of them are believed."""
        features, classifier, marks = nets["still_features"].eval(), nets["still_classifier"].eval(), _marks(nets)
        logits = classifier(features(x))
        doubts = _doubts(logits)
        unknown = doubts >= marks.unknown
        labels = torch.where(unknown, logits.shape[1] - 1, logits[:, :-1].argmax(dim=1))
        return labels, unknown | (doubts <= marks.known)

    def pseudo_labels(self, nets: Networks, passes: Passes) -> PseudoLabels | None:
        """What steps believe of the target; nothing before the first round."""
        if _marks(nets).rounds == 0:
            return None
        parts = [self._believed(nets, examples.x) for examples in passes.target()]
        labels, kept = (torch.cat(part).cpu().numpy() for part in zip(*parts, strict=True))
        return PseudoLabels(labels, kept)


def _doubts(logits: Tensor) -> Tensor:
    """1 less the probability of the likeliest known class, `(b,)`."""
    return 1 - logits.float().softmax(dim=1)[:, :-1].max(dim=1).values


def _marks(nets: Networks) -> Marks:
    found = nets["marks"]
    assert isinstance(found, Marks)
    return found
