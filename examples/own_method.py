"""A method of one's own: one class, and it trains, resumes and predicts like every other."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

import acclimate as ac
from acclimate.data.synthetic import shifted_blobs
from acclimate.methods.base import Networks, label_loss
from acclimate.methods.stepwise import Stepwise
from acclimate.types import Batch, Update


class EntropyMinimisation(Stepwise[Batch]):
    """Target predictions made confident.

        L = CE(source) + w · mean entropy of target predictions

    Source: Grandvalet & Bengio, NIPS 2004.
    """

    name: ClassVar[str] = "entmin"
    title: ClassVar[str] = "Entropy minimisation"
    paper: ClassVar[str] = "Grandvalet & Bengio, NIPS 2004"

    weight: float = Field(0.1, ge=0, description="w, weight of the entropy.")

    def updates(self, nets: Networks, batch: Batch) -> Iterator[Update]:
        """One step on both losses."""
        labels = label_loss(lambda x: self.logits(nets, x), *batch.labelled)
        p = self.logits(nets, batch.target.x).softmax(dim=1)
        entropy = -(p * p.clamp(min=1e-12).log()).sum(dim=1).mean()
        yield Update(
            labels + self.weight * entropy,
            trains=("features", "classifier"),
            logs={"label_loss": labels.detach(), "entropy": entropy.detach()},
        )


task = shifted_blobs(400, shift=1.0)
model = ac.estimator(EntropyMinimisation)(steps=200, batch_size=64, lr=1e-3, weight=0.2)
model.fit(task.source, task.target)
print(f"entropy of target predictions: {model.history_[0]['entropy']:.2f} → {model.history_[-1]['entropy']:.2f}")
