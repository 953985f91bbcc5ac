"""Methods without training: the networks are computed from the data, at once."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from acclimate.methods.base import Method, Networks
from acclimate.methods.facts import WHOLE
from acclimate.types import Passes


class ClosedForm(Method):
    """A method whose one step is its solution.

    Subclass it directly, state the facts of `Method`, and define `solve`.
    """

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.recipe = {"steps": 1, **cls.recipe}
        cls.learns_from = (*cls.learns_from, WHOLE)

    @abstractmethod
    def solve(self, nets: Networks, passes: Passes) -> None:
        """Compute the networks from both sides, in eval mode, without gradients, in place."""

    def after_training(self, nets: Networks, passes: Passes) -> None:
        """The solution."""
        self.solve(nets, passes)
