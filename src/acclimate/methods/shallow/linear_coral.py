"""Correlation alignment in closed form (Sun, Feng & Saenko, AAAI 2016)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from torch import nn

from acclimate.methods.base import Networks
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.methods.shallow.common import fit_svm, labelled, narrow_enough, vectors, z_scores
from acclimate.networks.one_against_one import OneAgainstOne
from acclimate.networks.projection import Scaled
from acclimate.objectives.covariances import recoloured
from acclimate.types import Passes


class LinearCORAL(ClosedForm):
    """Source examples recoloured with the target's covariance, and a linear SVM that compares them with what is new.

        A = (C_s + λ I)^−½ (C_t + λ I)^½,    K(x_i, x) = (x_i A) · x

    Both sides are z-scored, each by its own mean and deviation. As in the released code, the SVM's kernel takes moved
    source examples x_i A against examples as they are, in training too: it answers x by linear functions of x, whose
    weights are sums of moved examples. Labelled target examples are not moved. With several classes, those of each
    pair decide between the two, and vote.

    The paper's λ is 1; its C is cross-validated on the source, here 1.

    `coral` is the deep one: a loss on the covariances of a network's outputs.

    Transductive: the target's training examples are part of the fit. Others are answered later by what it left.

    Source: Sun, Feng & Saenko, "Return of Frustratingly Easy Domain Adaptation", AAAI 2016.
    """

    name: ClassVar[str] = "linear-coral"
    title: ClassVar[str] = "CORAL in closed form"
    paper: ClassVar[str] = "Sun, Feng & Saenko, AAAI 2016"
    reads: ClassVar[Reads] = {"images": {}, "features": {}}
    weighs_classes: ClassVar[bool] = False

    penalty: float = Field(1.0, gt=0, description="λ, added to both covariances' diagonals.")
    svm_penalty: float = Field(1.0, gt=0, description="C, weight of the examples' losses against the margin.")

    def networks(self, architecture: Any, num_classes: int) -> dict[str, nn.Module]:
        """Each side's scale, and the SVM."""
        return {
            "source_features": Scaled(),
            "target_features": Scaled(),
            "classifier": OneAgainstOne(num_classes),
        }

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Find the scales and the map, and fit the SVM."""
        found = narrow_enough(self.name, vectors(passes))
        scaled = {"source": z_scores(found.source), "target": z_scores(found.target)}
        for side, (_, mean, std) in scaled.items():
            net = nets[f"{side}_features"]
            assert isinstance(net, Scaled)
            net.adopt(mean=mean, std=std)
        source, target = (z for z, _, _ in scaled.values())
        moved = source @ recoloured(source, target, self.penalty)
        rows, labels = labelled(found, np.concatenate([source, target]))
        supports, _ = labelled(found, np.concatenate([moved, target]))
        fit_svm(nets, supports @ rows.T, supports, labels, self.svm_penalty)
