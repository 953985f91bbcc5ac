"""A domain of features as a .npz file that `read_arrays` reads back."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.schema import EncodedSchema


def write_arrays(domain: Domain, path: Path) -> None:
    """Write inputs, and labels, class names, ids and the encoder where there are any."""
    arrays = {"X": domain.array}
    if domain.num_labelled:
        arrays |= {"y": domain.labels, "classes": np.array(domain.classes)}
    if domain.ids:
        arrays["ids"] = np.array(domain.ids)
    if isinstance(domain.schema, EncodedSchema):
        arrays["encoder"] = np.array([domain.schema.encoder, domain.schema.weights])
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
