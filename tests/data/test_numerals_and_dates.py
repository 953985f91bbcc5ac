"""Numbers and dates as people write them, by whole columns."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acclimate.data.domain import Domain
from acclimate.data.readers import from_arrays, read_table
from acclimate.data.readers.dates import find_form, read_days
from acclimate.data.readers.numerals import find_style, read_numbers
from acclimate.errors import DataError


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        (["-13,412", "5", "1,234,567.5"], [-13412, 5, 1234567.5]),
        (["1,234", "5,678"], [1234, 5678]),
        (["1,5", "-2"], [1.5, -2]),
        (["0,123", "1,234"], [0.123, 1.234]),
        (["1.234,5", "-7"], [1234.5, -7]),
        (["1 000", "2\u00a0500,5"], [1000, 2500.5]),
        (["1'000.5", "2’000"], [1000.5, 2000]),
        (["12 %", "3.5%"], [0.12, 0.035]),
        (["12,5 %", "1 %"], [0.125, 0.01]),
        (["−5", "+3", "1e3", ".5"], [-5, 3, 1000, 0.5]),
    ],
)
def test_numbers_of_a_whole_column(written: list[str], numbers: list[float]) -> None:
    np.testing.assert_allclose(find_style(pl.Series(written))[1].to_numpy(), numbers, rtol=1e-15)


@pytest.mark.parametrize(
    "written", [["1,234", "x"], ["12", "3%"], ["1,23,4"], ["12kg"], ["1,234.5e3"], ["01,234", "a"]]
)
def test_a_column_has_to_agree(written: list[str]) -> None:
    assert find_style(pl.Series(written))[1].null_count()


def test_of_several_readings_the_sources_is_meant() -> None:
    column = pl.Series(["1,234", "5,678"])
    assert find_style(column, ",")[1].to_list() == [1.234, 5.678]
    assert find_style(column, decimal_comma=True)[1].to_list() == [1.234, 5.678]
    assert find_style(pl.Series(["0.12", "3"]), "%")[1].to_list() == [0.12, 3]


@given(
    st.lists(st.floats(-1e9, 1e9).map(lambda x: round(x, 2)), min_size=1), st.sampled_from([",.", ".,", " .", "'."])
)
def test_grouped_numbers_survive_the_round_trip(numbers: list[float], style: str) -> None:
    group, point = style
    written = [f"{x:,.2f}".replace(",", "\0").replace(".", point).replace("\0", group) for x in numbers]
    assert read_numbers(pl.Series(written), style).to_list() == pytest.approx(numbers)


@pytest.mark.parametrize(
    ("written", "form", "days"),
    [
        (["2024-01-02 06:00", "1970-01-01T12:00:00.5Z"], "year-month-day", [19724.25, 0.5 + 0.5 / 86400]),
        (["2024/1/2"], "year/month/day", [19724]),
        (["1.3.24", "31.12.1999"], "day.month.year", [19783, 10956]),
        (["3/4/2024", "12/11/2024"], "day/month/year", [19816, 20039]),
        (["3/14/2024", "12/11/2024"], "month/day/year", [19796, 20068]),
        (["1 Mar 2024", "2. März 2023", "01-mar-24"], "day month year", [19783, 19418, 19783]),
        (["March 1st, 2024 1:30 pm"], "month day, year", [19783 + 13.5 / 24]),
        (["2024-03"], "year-month", [19783]),
        (["6:00", "12:00 am"], "hour:minute", [0.25, 0]),
    ],
)
def test_dates_of_a_whole_column(written: list[str], form: str, days: list[float]) -> None:
    assert find_form(pl.Series(written)) == form
    assert read_days(pl.Series(written), form).to_list() == pytest.approx(days)


@pytest.mark.parametrize(
    "written", [["2024-02-30"], ["2024-01-01", "soon"], ["25:00"], ["a 1-2"], ["٣/٣/٢٠٢٤"], ["1/2"]]
)
def test_what_is_no_date(written: list[str]) -> None:
    assert find_form(pl.Series(written)) == ""


@given(st.dates(datetime.date(1, 1, 1)), st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d %b %Y"]))
def test_dates_survive_the_round_trip(day: datetime.date, form: str) -> None:
    written = pl.Series([day.strftime(form).replace(str(day.year), f"{day.year:04}", 1)])
    found = find_form(written)
    expected = (day - datetime.date(1970, 1, 1)).days
    assert found
    assert read_days(written, found)[0] == expected


def in_columns(domain: Domain, name: str) -> np.ndarray:
    at = domain.schema.names.index(name)
    start = domain.schema.starts[at]
    return domain.inputs[:, start : start + domain.schema.columns[at].width]


def test_a_date_is_its_age_in_days_its_weekday_and_its_hour() -> None:
    moments = [datetime.datetime(2024, 1, 1, 6), datetime.datetime(2024, 1, 3), datetime.datetime(2024, 1, 7, 12)]
    domain = from_arrays({"at": moments, "x": [1, 2, 3]}, name="t")
    age, day_sin, day_cos, hour_sin, hour_cos = in_columns(domain, "at").T
    np.testing.assert_allclose(age, [-1.75, 0, 4.5])
    np.testing.assert_allclose(day_sin, np.sin(2 * np.pi * np.array([0, 2, 6]) / 7), atol=1e-6)
    np.testing.assert_allclose(day_cos, np.cos(2 * np.pi * np.array([0, 2, 6]) / 7), atol=1e-6)
    np.testing.assert_allclose([hour_sin, hour_cos], [[1, 0, 0], [0, 1, -1]], atol=1e-6)
    assert domain.notes[0].startswith("t: column 'at' holds dates; their features are the age in days")


def test_a_later_table_counts_from_the_sources_day_however_it_writes_dates(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("at,x\n2024-01-01,1\n2024-01-03,2\n2024-01-09,3\n")
    (tmp_path / "b.csv").write_text("at,x\n13.01.2024,1\n,2\n")
    source = read_table(tmp_path / "a.csv")
    target = read_table(tmp_path / "b.csv", like=source)
    np.testing.assert_array_equal(in_columns(target, "at")[:, 0], [10, np.nan])
    assert "b: column 'at' has dates written as day.month.year." in target.notes
    (tmp_path / "c.csv").write_text("at,x\n2024-01-01,1\nsoon,2\n")
    with pytest.raises(
        DataError, match=r"must hold dates \(year-month-day\), as in the source; got 'soon' in line 3"
    ):
        read_table(tmp_path / "c.csv", like=source)
    (tmp_path / "d.csv").write_text("at,x\n12:30,1\n")
    with pytest.raises(DataError, match="must hold dates, or times, as in the source"):
        read_table(tmp_path / "d.csv", like=source)


def test_the_many_texts_of_a_column_are_its_most_frequent_and_zeros() -> None:
    towns = [f"town {i:03}" for i in range(150) for _ in range(1 + (i < 100))] * 2
    domain = from_arrays({"town": towns, "x": list(range(len(towns)))}, name="t")
    assert domain.schema.columns[0].categories == tuple(f"town {i:03}" for i in range(100))
    assert domain.inputs[:, :100].sum() == 400
    assert "150 different texts; the 100 most frequent are told apart" in domain.notes[0]
