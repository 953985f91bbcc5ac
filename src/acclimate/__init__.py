"""Domain adaptation you can trust: train where labels exist, work where they do not.

    import acclimate as ac

    task = ac.load_task("mnist-usps")
    model = ac.MCD(epochs=20, seed=0).fit(task.source, task.target)
    model.predict(images)

Every method is an estimator here, under its class name (`acclimate methods` lists them); those that adapt while a
model answers are what `predict(…, adapt=ac.TENT())` takes. Nothing heavy is imported
until it is used.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_LAZY = {
    "AcclimateError": "acclimate.errors",
    "Audit": "acclimate.selection.audit",
    "Auto": "acclimate.auto",
    "Domain": "acclimate.data.domain",
    "LabelBudget": "acclimate.data.budget",
    "Method": "acclimate.methods.base",
    "RequestError": "acclimate.errors",
    "Run": "acclimate.runs.record",
    "SampleDomainAdapter": "acclimate.sample_domain",
    "Task": "acclimate.data.task",
    "Update": "acclimate.types",
    "diagnose": "acclimate.running.diagnosing",
    "estimator": "acclimate.estimators",
    "export_run": "acclimate.export.folder",
    "from_pretrained": "acclimate.stored_estimators",
    "join_sources": "acclimate.data.given_sources",
    "load": "acclimate.stored_estimators",
    "load_task": "acclimate.data.tasks",
    "log_to_mlflow": "acclimate.reports.tracking",
    "read": "acclimate.data.readers",
    "read_arrays": "acclimate.data.readers",
    "read_images": "acclimate.data.readers",
    "read_table": "acclimate.data.readers",
    "read_texts": "acclimate.data.readers",
}


def _estimators() -> list[str]:
    discovery = importlib.import_module("acclimate.discovery")
    return [name for component in discovery.methods().values() for name in component.python_names]


def _online() -> dict[str, Any]:
    discovery = importlib.import_module("acclimate.discovery")
    return {name: found for found in discovery.online_methods().values() for name in found.python_names}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    if (
        name[0].isupper() and name in _estimators()
    ):  # modules are lower case, and looked up here before they are loaded
        return getattr(importlib.import_module("acclimate.estimators"), name)
    if name[0].isupper() and name in (online := _online()):
        return online[name].load()
    close = importlib.import_module("difflib").get_close_matches(name, __dir__(), n=1)
    hint = f". Did you mean {close[0]!r}?" if close else ""
    raise AttributeError(f"module 'acclimate' has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    return sorted([*_LAZY, *_estimators(), *_online(), "__version__"])
