"""The coloured texts, the pivots and the deletion curve: their words, and that nothing from a text gets through."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from acclimate.errors import WorkError
from acclimate.reports import figures
from acclimate.reports.attention import deletion_finding
from acclimate.reports.coloured import coloured
from acclimate.reports.explanation import write_explanation
from acclimate.reports.page import write_report
from acclimate.runs.words import WordsOfText


def read(run) -> tuple[str, str]:
    """The page's source, and its text without tags and figures."""
    source = write_report(run).read_text(encoding="utf-8")
    body = re.sub(r"<svg.*?</svg>|<style>.*?</style>", "", source, flags=re.DOTALL)
    return source, " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).replace("\u00a0", " ").split())


def text(tokens: list[str], weights: list[float], signs: list[float] | None, **parts: Any) -> WordsOfText:
    known = {
        "id": "r1", "predicted": "dog", "confidence": 0.912, "label": "dog", "length": len(tokens),
        "known": [True] * len(tokens), "offset": None if signs is None else 0.1,
    }  # fmt: skip
    return WordsOfText(tokens=tokens, weights=weights, contributions=signs, **{**known, **parts})


GREAT = text(["a", "great", "pan", "broke"], [0.01, 0.6, 0.1, 0.29], [0.0, 2.0, 0.1, -1.0])


def plain(sentence: str) -> str:
    """Without the marks that keep words from right to left in their place."""
    assert sentence.count("\u2068") == sentence.count("\u2069")
    return re.sub("[\u2068\u2069]", "", sentence)


def test_a_word_from_right_to_left_turns_nothing_round() -> None:
    shown = coloured(text(["שלום", "pan"], [0.6, 0.4], None), 100)
    assert shown.carried.startswith("Most weight: “\u2068שלום\u2069” 60.0")


def test_a_word_that_is_not_in_the_vocabulary_looks_so_whatever_its_weight(tmp_path: Path) -> None:
    unknown = text(["odd", "rare", "pan"], [0.95, 0.01, 0.04], None, known=[False, False, True])
    write_explanation(tmp_path / "words.html", "a", "b", {"certain": [unknown]})
    source = (tmp_path / "words.html").read_text(encoding="utf-8")
    assert re.search(r'<span class="w4 either new"[^>]*>odd</span> <i class="new">rare</i> pan', source)


def deletion(attended: list[float], random: list[float], reach: float = 0.01, accuracy: bool = True) -> dict:
    course = lambda values: {"confidence": values, "unchanged": values, "accuracy": values if accuracy else None}  # noqa: E731
    return {
        "name": "target pets", "texts": 500, "draws": 3, "deleted": [0, 1, 5],
        "attended": course(attended), "random": course(random),
        "gap": [r - a for a, r in zip(attended, random, strict=True)], "gap_ci95": [reach] * 3,
    }  # fmt: skip


def content(*texts: WordsOfText, words: list | None = None) -> dict[str, Any]:
    rows = [row.as_json() for row in texts or (GREAT,)]
    pivots = {"name": "pets", "texts": 20, "of": 40, "scored": True, "least": 5,
              "words": words or [[["returned", 9]], [["great", 1200], ["easy", 8]], []]}  # fmt: skip
    other = {**pivots, "words": [[["great", 7]], [["easy", 6]], []]}
    return {
        "classes": ["cat", "dog", "owl"],
        "source": {"name": "source pets", "groups": {"right certain": rows}, "pivots": pivots},
        "target": {
            "name": "target pets",
            "groups": {"wrong uncertain": rows, "wrong certain": rows},
            "pivots": other,
        },
        "deletion": deletion([0.9, 0.7, 0.5], [0.9, 0.9, 0.88]),
    }


def with_words(run, found: dict[str, Any]):
    run.words_path.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    return run


def spans(source: str) -> list[tuple[str, str, str]]:
    return re.findall(r'<span class="(w\d) (\w+)(?: new)?" title="([^"]*)">', source)


def test_words_are_shaded_by_weight_and_told_apart_by_more_than_colour() -> None:
    shown = coloured(GREAT, 100)
    assert [word.level for word in shown.words] == [0, 4, 1, 2]
    assert [word.sign for word in shown.words] == ["for", "for", "for", "against"]
    assert shown.words[3].title == "weight 29.0\u00a0% against the answer"
    assert plain(shown.carried) == (
        "Most weight: “great” 60.0\u00a0%, “broke” 29.0\u00a0% against the answer, “pan” 10.0\u00a0%; 4 words read."
    )
    assert shown.cut == ""


def test_places_of_one_word_are_added_up() -> None:
    shown = coloured(text(["easy", "so", "easy"], [0.4, 0.3, 0.3], [1.0, -0.5, 1.0]), 100)
    assert "“easy” (2 times) 70.0\u00a0%, “so” 30.0\u00a0% against the answer" in plain(shown.carried)


def test_without_contributions_nothing_speaks_for_or_against() -> None:
    shown = coloured(text(["a", "b"], [0.5, 0.5], None), 100)
    assert {word.sign for word in shown.words} == {"either"}
    assert "answer" not in shown.carried + shown.words[0].title


def test_a_text_without_words_or_weights() -> None:
    empty = coloured(text([], [], []), 100)
    assert empty.words == []
    assert "without words" in empty.carried
    assert [word.level for word in coloured(text(["a"], [0.0], [0.0]), 100).words] == [0]


def test_what_is_cut_is_said() -> None:
    long = text(["word"] * 500, [0.002] * 500, None, length=100_000)
    shown = coloured(long, 100)
    assert len(shown.words) == 100
    assert shown.cut == "The first 100 words of 100,000; 400 more were read and 99,500 more were not read."
    endless = coloured(text(["x" * 10_000], [1.0], None), 100)
    assert len(endless.words[0].text) <= 40
    assert len(endless.carried) < 110


def test_the_section_of_a_run(make_run) -> None:
    source, words = read(with_words(make_run(), content()))
    assert "Which words carried the decision" in words
    assert (
        "The answers rest on the words that are attended: deleting the 5 most attended words of a text lowers the "
        "confidence in its answer by 40.0 points, deleting 5 random ones lowers it by 2.0 (mean of 500 texts"
    ) in words
    assert "Accuracy goes from 90.0 % to 50.0 %, with random words to 88.0 %." in words
    assert "label: dog · predicted: dog (91.2 %) ✓ right" in words
    assert "Source: source pets" in words
    assert "20 of 40 texts of the source and 20 of 40 of the target" in words
    assert "dog great 1,200 , easy 8 easy 6" in words
    assert "owl none none" in words
    assert "<b><bdi>easy</bdi></b>" in source  # for the same answer on both sides
    assert "<b><bdi>great</bdi></b>" not in source
    assert ("w2", "against", "weight 29.0\u00a0% against the answer") in spans(source)
    assert source.index("Wrong and most certain") < source.index("Wrong and least certain")
    assert "most attended" in source
    assert "dashed" in source


def test_reports_of_other_runs_have_none_of_it(make_run) -> None:
    source, words = read(make_run())
    assert "carried" not in words
    assert ".texts" not in source


def test_attention_that_did_not_matter_is_called_that() -> None:
    same = deletion([0.9, 0.89, 0.88], [0.9, 0.9, 0.885])
    assert deletion_finding(same).startswith("Attention did not matter more than chance: deleting the 5 most")
    worse = deletion_finding(deletion([0.5, 0.5, 0.6], [0.5, 0.5, 0.49]))
    assert worse.startswith("Attention did not matter more than chance")
    assert "raises the confidence in its answer by 10.0 points, deleting 5 random ones lowers it by 1.0" in worse
    assert "difference −11.0 ± 1.0" in worse


def test_without_labels_the_curve_has_confidence_alone(make_run) -> None:
    found = {**content(), "deletion": deletion([0.9, 0.7, 0.5], [0.9, 0.9, 0.88], accuracy=False)}
    source, words = read(with_words(make_run(), found))
    assert "Accuracy goes from" not in words
    assert source.count("Confidence in the first answer, % over") == 1
    assert "Accuracy, % over the number" not in source


def test_the_figure_names_both_ways_at_their_ends() -> None:
    figure = figures.deletion_figure([0, 1, 5], [0.9, 0.7, 0.5], [0.9, 0.9, 0.88], "Confidence, %")
    (axes,) = figure.axes
    assert [t.get_text() for t in axes.texts] == ["most attended 50.0", "random 88.0"]
    assert len({line.get_linestyle() for line in axes.lines}) == 2
    assert [line.get_marker() for line in axes.lines] == ["o", "s"]


HOSTILE = ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "🙂", "שלום", "‮evil", "{{ 7*7 }}", "]]>"]


class Tags(HTMLParser):
    """Every tag and every attribute that stands outside a title."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}


def hostile() -> WordsOfText:
    n = len(HOSTILE)
    name = HOSTILE[0]
    return text(HOSTILE, [1 / n] * n, [-1.0] * n, id=name, predicted=HOSTILE[1], label=name, known=[False] * n)


def check_harmless(source: str) -> None:
    tags = Tags()
    tags.feed(source)
    assert not tags.tags & {"script", "img", "iframe", "link", "object", "base", "form"}
    assert not {name for name in tags.names if name.startswith("on")} | tags.names & {"src", "srcset"}
    assert ">{{ 7*7 }}<" in source
    assert "&lt;script&gt;" in source
    assert not re.search(r"https?://(?!www\.w3\.org)", source)


def test_everything_from_a_text_is_escaped_in_the_report(make_run) -> None:
    words = [[[HOSTILE[0], 9]], [[HOSTILE[1], 8]], []]
    found = content(hostile(), words=words)
    found["source"]["name"] = HOSTILE[1]
    source = write_report(with_words(make_run(pictures=0), found)).read_text(encoding="utf-8")
    check_harmless(source)
    assert 'dir="auto"' in source


def test_the_page_beside_predictions(tmp_path: Path) -> None:
    path = tmp_path / "words.html"
    groups = {"wrong certain": [hostile()], "uncertain": [GREAT]}
    write_explanation(path, "AMN trained on <pets>", "3 texts & more.", groups)
    source = path.read_text(encoding="utf-8")
    check_harmless(source)
    assert "AMN trained on &lt;pets&gt;" in source
    assert "Wrong and most certain" in source
    assert "prefers-color-scheme: dark" in source
    assert 'name="viewport"' in source
    assert "speaks against it" in source
    write_explanation(path, "a", "b", {"certain": [text(["a"], [1.0], None)]})
    assert "speaks against it" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("damage", ["deletion", "source", "classes"])
def test_a_file_of_another_form_is_told(make_run, damage: str) -> None:
    found = content()
    found[damage] = {"what": 3} if damage != "classes" else [1, 2, 3, 4, 5]
    with pytest.raises(WorkError, match=r"words\.json is not as acclimate writes it"):
        write_report(with_words(make_run(), found))
