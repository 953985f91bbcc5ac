"""Whether a table's labels are numbers to be predicted as such, where nobody said so."""

from __future__ import annotations

import numpy as np

from acclimate.data.class_names import measured, numeric
from acclimate.data.places import place
from acclimate.data.readers.cells import SUFFIXES, open_cells
from acclimate.data.readers.csvs import Dialect
from acclimate.data.readers.labels import labels_of_values
from acclimate.data.readers.tables import label_cells
from acclimate.errors import AcclimateError
from acclimate.runs.request import Request

_LARGE = 2**27  # bytes that are not read just to guess what is asked


def asks_number(request: Request) -> bool:
    """Whether the source is a table whose named label column holds measurements with fractions.

    Whole numbers are never taken for numbers to predict: they may be codes of classes.
    """
    column = request.reading("source")["label_column"]
    if request.source is None or column is None or request.bins is not None or request.label_budget != "0":
        return False
    try:
        path = place(request.source, "source")
        if path.suffix.lower() not in SUFFIXES or not path.is_file() or path.stat().st_size > _LARGE:
            return False
        cells = open_cells(path, Dialect(request.delimiter, request.quoting))
        if column not in cells.frame.columns:
            return False
        found = labels_of_values(label_cells(cells, column, None).to_list(), cells.what(column), cells.where)
    except AcclimateError:  # told where the data are read
        return False
    values = numeric(found.classes)
    return values is not None and bool((values % 1 != 0).any()) and measured(found.classes, int(np.sum(found.known)))
