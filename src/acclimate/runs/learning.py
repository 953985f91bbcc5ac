"""How a run's method learns, from its name alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from acclimate.discovery import methods
from acclimate.methods import needs


@dataclass(frozen=True)
class Learning:
    """What to say of a run follows from it; by default what is true of a method that nobody here knows.

    Attributes:
        from_target: whether it looks at any example of the target.
        from_all_labels: whether it cannot do without the target's labels, so that it is an upper bound.
        names: whether its answers are classes, and not groups without a name.
        computed: whether it is solved rather than trained by steps.
    """

    from_target: bool = True
    from_all_labels: bool = False
    names: bool = True
    computed: bool = False

    @property
    def adapts(self) -> bool:
        """False for the two bounds that adaptation lies between."""
        return self.from_target and not self.from_all_labels


def learning(config: Mapping[str, Any]) -> Learning:
    """How the method of that `config.json` learns."""
    method = methods().get(config["method"]["name"])
    if method is None:
        return Learning()
    return Learning(
        needs.takes_target(method),
        needs.takes_target_labels(method),
        needs.names_classes(method, config["task"]["labelled_target"]),
        method.base == "ClosedForm",
    )
