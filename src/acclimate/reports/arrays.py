"""Arrays of a run's files."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from acclimate.errors import WorkError


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file, by name.

    Raises:
        WorkError: if the file is damaged.
    """
    try:
        # Opened here: NumPy leaves open what it finds to be no archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise WorkError(f"{path} cannot be read: {error}") from None
