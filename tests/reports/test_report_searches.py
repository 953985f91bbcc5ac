"""The page of a run that retrieves: sheets, classes and a verdict, recomputed by hand."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from acclimate.errors import WorkError
from acclimate.reports.page import write_report
from acclimate.reports.searches import SearchesSection, searches_section
from acclimate.runs.files import write_json
from acclimate.runs.record import Run

SCORES = {
    "search_precision_at_1": 0.75,
    "search_precision_at_10": 0.5,
    "search_map": 0.613,
    "search_own_recall_at_1": 0.25,
    "search_own_recall_at_10": 0.625,
    "search_all_precision_at_1": 0.438,
    "search_all_map": 0.313,
    "search_all_map_at_200_envelope": 0.288,
    "search_all_own_recall_at_1": 0.125,
    "untrained_search_map": 0.05,
    "untrained_search_precision_at_1": 0.063,
    "standardised_search_precision_at_1": 0.188,
    "target_test_accuracy": 0.987,
}
CLASSES = ("cat", "dog", "owl", "yak")


def content(q: int = 12, n: int = 20, h: int = 5, *, pictures: bool = True) -> dict[str, np.ndarray]:
    """Query i shows class i mod 3 and was drawn from item i; hits are i, i + 1, …; item j is of class j mod 4."""
    rng = np.random.default_rng(0)
    rows = np.arange(q)
    hits = (rows[:, None] + np.arange(h)) % n
    found = {
        "query_id": np.array([f"sketch {i}" for i in rows]),
        "label": rows % 3,
        "own": np.where(rows % 4 == 3, -1, (rows + rows % 2) % n),
        "hits": hits,
        "similarity": np.linspace(1, 0, h, dtype=np.float32).repeat(q).reshape(h, q).T.copy(),
        "average_precision": (rows + 1) / (q + 1),
        "item_id": np.array([f"photo {j}" for j in range(n)]),
        "item_label": np.arange(n) % 4,
        "class_map": np.array([0.9, 0.2, 0.5, np.nan]),
        "class_queries": np.array([5, 4, 3, 0]),
    }
    if pictures:
        found["query_images"] = rng.integers(0, 256, (q, 30, 30, 1), np.uint8)
        found["hit_images"] = rng.integers(0, 256, (q, h, 20, 20, 3), np.uint8)
    return found


@pytest.fixture
def make_search(make_run: Callable[..., Run]) -> Callable[..., Run]:
    """A run with these searches and scores."""

    def made(found: dict[str, np.ndarray] | None = None, scores: dict[str, float] = SCORES) -> Run:
        run = make_run(
            classes=CLASSES, before=None, method="shared-prototypes", title="Shared prototypes", pictures=0
        )
        config = run.config
        config["task"]["sizes"] = {"source": 300, "target": 1500, "source_test": 80, "target_test": 60}
        config["task"]["names"] = {role: role for role in config["task"]["sizes"]}
        config["task"]["classes"], config["task"]["num_classes"] = list(CLASSES), 3
        run.write(run.config_path, lambda path: write_json(path, config))
        summary = {**run.summary, "scores": scores, "selection": "validation-map", "chosen_step": 2}
        write_json(run.summary_path, summary)
        np.savez_compressed(run.searches_path, allow_pickle=False, **(found or content()))
        return Run(run.folder)

    return made


def read(run: Run) -> tuple[str, str]:
    source = write_report(run).read_text(encoding="utf-8")
    body = re.sub(r"<svg.*?</svg>|<style>.*?</style>", "", source, flags=re.DOTALL)
    return source, " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).replace("\u00a0", " ").split())


def test_the_verdict_is_the_summarys_numbers(make_search: Callable[..., Run]) -> None:
    _, text = read(make_search())
    low, high = stats.binomtest(60, 80).proportion_ci(method="wilson")
    assert "75.0 % of sketches find a photo of their class first" in text
    assert "80 held-out sketches searched 60 held-out photos; no step had seen either" in text
    assert f"for 75.0 % (95 % interval {100 * low:.1f} to {100 * high:.1f} %)" in text
    assert "those of the training included, it is 43.8 %; mean average precision is 61.3 % and 31.3 %." in text
    assert "Without any training, by the cosine of the encoder's features, it would be 6.3 %" in text
    assert "with each side standardised, 18.8 %" in text
    assert "is among the first ten for 62.5 %" in text
    assert "learned from 300 sketches and 1,500 photos of 3 classes" in text
    assert "The weights of step 2 of 3 were taken, with the best mean average precision on photos" in text
    assert "The held-out test chose nothing." in text


def test_each_measure_has_its_row_for_both_galleries(make_search: Callable[..., Run]) -> None:
    _, text = read(make_search())
    assert "First hit of the right class (P@1) 75.0 % 43.8 %" in text
    assert "Right ones among the first 10 (P@10) 50.0 % –" in text
    assert "mAP@200 over min(200, R), monotone envelope – 28.8 %" in text
    assert "Own photo first (R@1) 25.0 % 12.5 %" in text
    assert "mAP@200 over those retrieved" not in text  # neither gallery is large enough


def test_there_is_nothing_of_a_classifier(make_search: Callable[..., Run]) -> None:
    source, text = read(make_search())
    assert "98.7 %" not in text
    for heading in ("Accuracy over training", "Confusion", "Accuracy by class"):
        assert heading not in text
    assert "upper bound" not in text
    assert not re.search(r'(src|href|srcset)="(?!data:|#)[^"]', source)


def test_sheets_say_in_words_what_they_show(make_search: Callable[..., Run]) -> None:
    source, text = read(make_search())
    sheets = re.findall(r'<img src="data:image/png;base64,[^"]+" alt="([^"]+)">', source)
    # Eight as drawn, then the four best and the four worst of the twelve.
    order = [*range(8), 11, 10, 9, 8, 0, 1, 2, 3]
    expected = []
    for i in order:
        told = ", ".join(f"{CLASSES[j % 4]} ({'right' if j % 4 == i % 3 else 'wrong'})" for j in range(i, i + 5))
        expected.append(f"A sketch of {CLASSES[i % 3]}, and what it found: {told}.")
    assert sheets == expected
    # Drawn from item i, or for odd i from i + 1: at rank 1 or 2, and unknown for every fourth.
    for i in range(8):
        rank = "" if i % 4 == 3 else f"; own photo at rank {1 + i % 2}"
        assert f"{CLASSES[i % 3]} : average precision {100 * (i + 1) / 13:.1f} %{rank}." in text


def strip(section: SearchesSection | None, row: int) -> np.ndarray:
    assert section is not None
    url = section.drawn[row].url.removeprefix("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url))).convert("RGBA"))


def test_frames_tell_right_ones_and_the_very_own(make_search: Callable[..., Run]) -> None:
    found = content()
    section = searches_section(make_search(found))
    pixels = strip(section, 5)  # a sketch of an owl; hits 5…9 of classes 1 2 3 0 1; its own is item 6
    assert pixels.shape == (72, 6 * 74 + 6, 4)
    corners = [tuple(pixels[1, place * 74 + (6 if place else 0) + 1].tolist()) for place in range(6)]
    green, nothing = (0, 158, 115, 255), (0, 0, 0, 0)
    assert corners == [(127, 127, 127, 255), nothing, green, nothing, nothing, nothing]
    pixels = strip(section, 3)  # a cat; hits 3…7 of classes 3 0 1 2 3; whose it is nobody knows
    assert tuple(pixels[1, 74 * 2 + 6 + 1].tolist()) == (0, 114, 178, 255)
    shown = Image.fromarray(found["hit_images"][3, 0]).resize((64, 64), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(pixels[4:68, 74 + 6 + 4 : 74 + 6 + 68, :3], np.asarray(shown))


def test_best_and_worst_classes(make_search: Callable[..., Run]) -> None:
    section = searches_section(make_search())
    assert section is not None
    assert section.classes == 3  # the yaks have no sketch
    assert [(c.name, c.queries, c.value) for c in section.best_classes] == [("cat", 5, 0.9)]
    assert [c.name for c in section.worst_classes] == ["dog"]


def test_without_pictures_the_hits_are_named(make_search: Callable[..., Run]) -> None:
    source, text = read(make_search(content(pictures=False)))
    assert "data:image/png" not in source.split("What held-out sketches find")[1].split("</section>")[0]
    assert "cat : average precision 7.7 %; own photo at rank 1. Found: cat ✓, dog, owl, yak, cat ✓." in text


def test_what_nobody_knows_is_neither_best_nor_worst(make_search: Callable[..., Run]) -> None:
    found = content()
    found["label"][:3], found["average_precision"][:3], found["item_label"][1] = -1, np.nan, -1
    run = make_search(found)
    section = searches_section(run)
    assert section is not None
    assert [sheet.average_precision for sheet in section.worst] == pytest.approx([(i + 1) / 13 for i in range(3, 7)])
    assert section.best[0].average_precision == pytest.approx(12 / 13)
    assert (section.drawn[0].query, section.drawn[0].average_precision) == ("unknown", None)
    assert not any(right for _, right in section.drawn[0].hits)
    assert section.drawn[0].hits[1][0] == "unknown"
    _, text = read(run)
    assert "nan" not in text


def test_one_query_has_no_best_and_worst(make_search: Callable[..., Run]) -> None:
    _, text = read(make_search(content(1)))
    assert "Drawn at random" in text
    assert "The best and the worst" not in text


def test_without_searches_there_is_no_section(make_run: Callable[..., Run]) -> None:
    assert searches_section(make_run()) is None


def test_damage_is_said(make_search: Callable[..., Run]) -> None:
    run = make_search()
    for name in ("hits", "item_label", "class_map"):
        found = content()
        del found[name]
        np.savez_compressed(run.searches_path, allow_pickle=False, **found)
        with pytest.raises(WorkError, match=r"searches\.npz is not as acclimate writes it: KeyError"):
            searches_section(run)
    found = content()
    found["hits"] = found["hits"] + 1000
    np.savez_compressed(run.searches_path, allow_pickle=False, **found)
    with pytest.raises(WorkError, match="is not as acclimate writes it: IndexError"):
        searches_section(run)
    whole = run.searches_path.read_bytes()
    for damaged in (b"no archive", whole[: len(whole) // 2], b""):
        run.searches_path.write_bytes(damaged)
        with pytest.raises(WorkError, match=r"searches\.npz cannot be read"):
            searches_section(run)
