"""What the shell may offer for an option whose values have names."""

from __future__ import annotations


def methods() -> list[str]:
    """Names of methods, and what chooses among them."""
    from acclimate import discovery

    return [*discovery.methods(), "auto"]


def tasks() -> list[str]:
    """Names of public tasks."""
    from acclimate.data.tasks import task_specs

    return [spec.name for spec in task_specs()]


def datasets() -> list[str]:
    """Names of public data sets."""
    from acclimate import discovery

    return [*discovery.datasets()]
