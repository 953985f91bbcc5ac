"""`acclimate doctor`: what is installed, where it runs, and what is missing for what."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from typing import Annotated, Any

import typer

import acclimate
from acclimate.cli.console import out as console
from acclimate.cli.console import print_json, table

_REQUIRED = ("torch", "numpy", "scikit-learn", "polars", "pillow", "pydantic")
# Each extra by the packages that it brings, and what it is for.
EXTRAS = {
    "dask": (("distributed",), "comparisons on several machines"),
    "export": (("onnx", "onnxruntime", "onnxscript"), "models without acclimate: acclimate export"),
    "index": (("usearch",), "searching more than a million photos"),
    "mlflow": (("mlflow-skinny",), "runs in MLflow: acclimate report --mlflow"),
    "ot": (("POT",), "methods of optimal transport: otda, otda-emd, jdot"),
    "qdrant": (("qdrant-client",), "photos in a Qdrant server"),
    "ray": (("ray",), "comparisons on a Ray cluster"),
    "serve": (("fastapi", "python-multipart", "uvicorn"), "the page: acclimate serve"),
    "text": (("gensim",), "word vectors trained on your texts"),
    "timm": (("timm",), "networks of timm's"),
    "transformers": (("transformers",), "networks and encoders of the Hugging Face Hub's"),
}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Tell versions, device, free memory, extras and public data: to look at first, and to send with a question."""
    found = {"acclimate": acclimate.__version__, **_system(), **_surroundings()}
    extras = {name: all(map(_version, packages)) for name, (packages, _) in EXTRAS.items()}
    if as_json:
        print_json({**found, "extras": extras})
        return
    rows = table("", "here")
    for name, value in found.items():
        rows.add_row(name.replace("_", " "), _shown(value))
    console.print(rows)
    for name, here in extras.items():
        if not here:
            fix = f"pip install 'acclimate[{name}]'"
            console.print(f"Not here: {EXTRAS[name][1]} ({fix})", markup=False, soft_wrap=True)


def _system() -> dict[str, Any]:
    versions = {name: _version(name) or "not installed" for name in _REQUIRED}
    return {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}", **versions}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _surroundings() -> dict[str, Any]:
    """What takes PyTorch to tell, or files to look at."""
    from acclimate.data.cache import cache_folder
    from acclimate.data.free_memory import free_memory
    from acclimate.data.home import data_home
    from acclimate.networks.mobilenet import weights_are_here
    from acclimate.training.processes import Processes

    device = Processes("auto").device
    raw = data_home() / "raw"
    return {
        "device": str(device),
        "free_memory_bytes": free_memory(device),
        "data": str(data_home()),
        "data_sets": sorted(path.name for path in raw.iterdir() if path.is_dir()) if raw.is_dir() else [],
        "imagenet_weights": weights_are_here(),
        "cache": str(cache_folder()),
        "command": sys.argv[0],
    }


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return f"{value / 1e9:.1f} GB" if isinstance(value, int) else str(value)
