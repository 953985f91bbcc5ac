"""The data that a comparison was begun with, told by their digests in the `comparison.json` of its folder.

A cell knows the digests of its own data only, so finished ones would otherwise stand beside others of other data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from acclimate.data.task import TARGET_ROLES, Task
from acclimate.errors import DataError, WorkError
from acclimate.runs.files import write_json
from acclimate.runs.lock import unusable

STATE = "comparison.json"


def check_same_data(folder: Path, tasks: Mapping[str, Task]) -> None:
    """Refuse to go on in a folder whose cells were begun with other data; a new one gets its record of these.

    Args:
        folder: of the cells; made if it is missing.
        tasks: the data of the first seed, by the way in which methods see them.

    Raises:
        DataError: naming what has changed.
        RequestError: if the folder cannot be used.
        WorkError: if its record is damaged, or cannot be written.
    """
    path, now = folder / STATE, {way: _digests(task) for way, task in tasks.items()}
    before = _recorded(path)
    known = {way: digests for way, digests in now.items() if way in before}
    changed = [role for way, found in known.items() for role in found if before[way].get(role) != found[role]]
    if changed:
        what, fix = " and ".join(dict.fromkeys(changed)), "Restore the data, or choose another folder with --out."
        raise DataError(what, "must be the same as when the comparison began", "other content", fix)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(folder, error) from None
    write_json(path, {"format": 1, "data": before | now})


def _digests(task: Task) -> dict[str, str]:
    """Of every domain, and of the hidden labels that scores are counted with."""
    found = {role: domain.content_hash for role, domain in task.domains().items()}
    answers = {role: getattr(task.hidden, role) for role in TARGET_ROLES}
    return found | {
        f"labels of {role}": hashlib.sha256(labels.tobytes()).hexdigest()
        for role, labels in answers.items()
        if labels is not None
    }


def _recorded(path: Path) -> dict[str, dict[str, str]]:
    """The digests in a `comparison.json`; none if there is no such file."""
    if not path.exists():
        return {}
    try:
        return {way: dict(digests) for way, digests in json.loads(path.read_text(encoding="utf-8"))["data"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"{type(error).__name__}: {error}"
        raise WorkError(f"{path} is not as acclimate writes it ({what}). Choose another folder with --out.") from None
