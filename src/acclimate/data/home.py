"""Where public data live on this machine.

<home>/raw/<data set>/              official files, as downloaded
<home>/arrays/<data set>/<split>/   the same examples as memory-mapped arrays
<home>/encoders/                    pretrained weights that came with a pack
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "ACCLIMATE_DATA"


def data_home() -> Path:
    """The folder `$ACCLIMATE_DATA`, or `data` in the user's cache folder for acclimate; it may not exist yet."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    import pooch

    return Path(pooch.os_cache("acclimate")) / "data"


def raw_folder(dataset: str) -> Path:
    """Where the official files of a data set are looked for."""
    return data_home() / "raw" / dataset


def arrays_folder(dataset: str, split: str) -> Path:
    """Where a split's arrays are kept."""
    return data_home() / "arrays" / dataset / split


def encoders_folder() -> Path:
    """Where pretrained encoders are kept."""
    return data_home() / "encoders"
