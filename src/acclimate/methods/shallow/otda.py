"""Optimal transport with class regularisation (Courty, Flamary, Tuia & Rakotomamonjy, IEEE TPAMI 2017)."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from torch import nn

from acclimate.methods.base import Networks
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.facts import Reads
from acclimate.methods.shallow.common import few_enough, store_nearest, transport, vectors
from acclimate.networks.nearest import Nearest
from acclimate.types import Passes


class OTDA(ClosedForm):
    """The source carried onto the target at least cost, each class apart from the others, and the nearest neighbour.

        min_γ  ⟨γ, C⟩ + ε Σ_ij γ_ij log γ_ij + η Σ_j Σ_c ‖γ(I_c, j)‖₁^½,    C_ij = ‖x_i − y_j‖² / max C

    γ has the uniform distributions over both sides' training examples for margins, and I_c are the source's examples
    of class c: the last term, solved by majorisation (POT's `SinkhornLpl1Transport`), lets each target example get
    what it gets from few classes. Source example i moves to the mean of the target by γ_i (the barycentric map). A
    target example, whether training saw it or not, stays where it is and is answered by the class of the nearest
    moved source example, or labelled target example. Source examples without a label are left out.

    The paper chooses ε and η by cross-validation between the domains; here they are fixed, relative to the largest
    cost, small enough that a source example does not move to the middle of the target.

    Transductive: the target's training examples are part of the fit. Others are answered later by what it left.

    Source: Courty et al., "Optimal Transport for Domain Adaptation", IEEE TPAMI 2017, sections 4 and 5.
    """

    name: ClassVar[str] = "otda"
    also: ClassVar[tuple[str, ...]] = ("SinkhornLpl1",)
    title: ClassVar[str] = "Optimal transport by classes"
    paper: ClassVar[str] = "Courty, Flamary, Tuia & Rakotomamonjy, IEEE TPAMI 2017"
    reads: ClassVar[Reads] = {"images": {}, "features": {}}
    weighs_classes: ClassVar[bool] = False

    entropy: float = Field(
        0.01, ge=1e-3, description="ε, weight of the plan's entropy, relative to the largest cost."
    )
    classes: float = Field(0.1, ge=0, description="η, weight of the classes' term, relative to the largest cost.")

    def networks(self, architecture: Any, num_classes: int) -> dict[str, nn.Module]:
        """Inputs as they are, and the neighbours."""
        return {"features": nn.Flatten(), "classifier": Nearest(num_classes)}

    def solve(self, nets: Networks, passes: Passes) -> None:
        """Find the plan, and keep the moved source and the labelled target examples."""
        ot, found = transport(), few_enough(self.name, vectors(passes))
        source, labels = found.source[found.source_labels >= 0], found.source_labels[found.source_labels >= 0]
        plan = ot.da.SinkhornLpl1Transport(reg_e=self.entropy, reg_cl=self.classes, norm="max")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # each of its ten rounds ends after 200 steps at most, by design
            plan.fit(Xs=source, ys=labels, Xt=found.target)
        moved = plan.transform(Xs=source)
        rows, known = np.concatenate([moved, found.target]), np.concatenate([labels, found.target_labels])
        store_nearest(nets, rows, known)
