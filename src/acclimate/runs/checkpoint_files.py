"""The checkpoints of a run as files: which there are, which is good, and how many classes its weights tell apart.

`training.checkpoints` writes them and knows the rest of what is in them; nothing here needs torch.
"""

from __future__ import annotations

import re
from pathlib import Path

from safetensors import SafetensorError, safe_open

from acclimate.errors import WorkError
from acclimate.runs.manifest import Manifest

SUFFIX = ".safetensors"
# Networks whose last layer has an output for each class, and how many further ones: a critic of vae-gan's tells true
# images from translated ones with one more, and a classifier of known classes has one less than there are answers.
_HEADS = {
    "classifier": 0,
    "classifier_1": 0,
    "classifiers": 0,
    "cosine_classifier": 0,
    "regressor": 0,
    "target_critic": 1,
    "known_classifier": -1,
}


def checkpoints(folder: Path) -> list[Path]:
    """All checkpoint files, oldest first."""
    return sorted(folder.glob(f"step-*{SUFFIX}"))


def prune(folder: Path, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints."""
    for old in checkpoints(folder)[:-keep]:
        old.unlink()


def latest(folder: Path) -> Path:
    """The newest checkpoint.

    Raises:
        WorkError: if there is none, or it is damaged.
    """
    found = checkpoints(folder)
    if not found:
        raise WorkError(f"no checkpoint in {folder}: the run stopped before it saved one. Start it again.")
    if (fault := Manifest(folder).fault(found[-1])) is not None:
        raise WorkError(f"the checkpoint {found[-1]} {fault}. Restore it from a copy, or train again.")
    return found[-1]


def latest_good(folder: Path) -> tuple[Path | None, tuple[str, ...]]:
    """The newest checkpoint that is undamaged, and what is wrong with those after it.

    Returns:
        (its path, sentences), or (None, ()) if there is no checkpoint at all.

    Raises:
        WorkError: if there are checkpoints and all are damaged.
    """
    faults: list[str] = []
    manifest = Manifest(folder)
    for path in reversed(checkpoints(folder)):
        if (fault := manifest.fault(path)) is None:
            return path, tuple(faults)
        faults.append(f"The checkpoint {path} {fault}.")
    if faults:
        raise WorkError(f"{' '.join(faults)} No other is left. Restore one from a copy, or start a new run.")
    return None, ()


def classes_told_apart(folder: Path) -> int | None:
    """How many classes the networks of the newest checkpoint tell apart, by its header alone.

    None where there is no checkpoint, or it cannot be read, which whoever loads it will say; and where no network of
    it is known to have an output for each class.
    """
    found = checkpoints(folder)
    try:
        return _outputs(_shapes(found[-1])) if found else None
    except (SafetensorError, OSError):
        return None


def _shapes(path: Path) -> dict[str, list[int]]:
    """The shape of every tensor of the networks; no tensor is read."""
    with safe_open(path, framework="np") as file:
        names = [name for name in file.keys() if name.startswith("nets/")]  # noqa: SIM118
        return {name.removeprefix("nets/"): file.get_slice(name).get_shape() for name in names}


def _outputs(shapes: dict[str, list[int]]) -> int | None:
    for network, further in _HEADS.items():
        own = sorted((name for name in shapes if name.startswith(f"{network}/")), key=_in_order)
        if own and (shape := shapes[own[-1]]):
            # The targets of label propagation lie in rows, of which each is a distribution.
            classes = shapes[f"{network}/distributions"][-1] if f"{network}/distributions" in shapes else shape[0]
            return classes - further
    return None


def _in_order(name: str) -> list[tuple[int, str]]:
    """Layers by number: the tenth comes after the ninth."""
    return [(int(part or 0), text) for text, part in re.findall(r"(\D*)(\d*)", name)]
