"""The page as a whole: its words and numbers, recomputed by hand, and that it stands alone."""

from __future__ import annotations

import base64
import html
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from acclimate.errors import RequestError
from acclimate.reports.page import replay_command, write_report
from acclimate.runs.files import write_json
from acclimate.runs.findings import CHECKS, Finding, checked, noticed, over


def read(run):
    """The page's source, and its text with tags, figures and doubled spaces removed."""
    source = write_report(run).read_text(encoding="utf-8")
    body = re.sub(r"<svg.*?</svg>|<style>.*?</style>", "", source, flags=re.DOTALL)
    return source, " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).replace("\u00a0", " ").split())


def test_verdict_of_a_run_that_helped(make_run):
    # 54 of 60 right after, 24 + 12 = 36 before. The six now wrong: rows 54…59, all cat for source-only, of which
    # the two cats were right before. So 2 broken and 54 − 34 = 20 mended.
    _, text = read(make_run())
    low, high = stats.binomtest(54, 60).proportion_ci(method="wilson")
    assert "Adaptation helped: 90.0 % right on the target, 60.0 % without it" in text
    assert f"90.0 % right (95 % interval {100 * low:.1f} to {100 * high:.1f} %)" in text
    assert (
        "Adaptation mended 20 wrong answers and broke 2 right ones, a difference of +30.0 percentage points" in text
    )
    assert stats.binomtest(20, 22).pvalue == pytest.approx(0.00012, abs=1e-5)
    assert "chance alone would hardly give such a split (exact McNemar test, p < 0.001)" in text
    assert "MCD (Saito et al., CVPR 2018) learned from 40 labelled examples of the source (source pets)" in text
    assert "60 held-out examples of the target (target_test pets), which no training saw" in text


def test_verdict_of_a_run_that_hurt(make_run):
    _, text = read(make_run(labels=[0] * 20, after=[1] * 15 + [0] * 5, before=[0] * 18 + [1] * 2))
    assert "Adaptation hurt: 25.0 % right on the target, 90.0 % without it" in text
    assert "mended 2 wrong answers and broke 15 right ones" in text
    assert "−65.0 percentage points" in text


def test_verdict_without_a_clear_difference(make_run):
    _, text = read(make_run(labels=[0] * 20, after=[1] * 4 + [0] * 16, before=[0] * 3 + [1] * 2 + [0] * 15))
    # After: the first 4 wrong; before: rows 3 and 4. Mended row 4, broken rows 0, 1, 2: p = 5/8.
    assert "Adaptation made no clear difference: 80.0 % right" in text
    assert "mended 1 wrong answer and broke 3 right ones" in text
    assert "chance alone could well give such a split (exact McNemar test, p = 0.62)" in text


def test_where_classes_differ_in_size_every_class_is_told(make_run):
    # 8 of 80 are dogs: before, 4 of them were found, after, none; and 72 and 68 of the cats.
    labels, before, after = [1] * 8 + [0] * 72, [1] * 4 + [0] * 72 + [1] * 4, [0] * 80
    _, text = read(make_run(labels=labels, before=before, after=after, classes=("cat", "dog")))
    assert "90.0 % right on the target, 90.0 % without it; of “dog” 0.0 % are found" in text
    assert "Classes differ in size, 72 of “cat” and 8 of “dog”, so accuracy speaks mostly of the larger ones." in text
    # F1 of cats 2 · 72 / (72 + 80); before, with 68 right, 2 · 68 / 144 and 2 · 4 / 16.
    f1, was = 100 * (144 / 152 + 0) / 2, 100 * (136 / 144 + 8 / 16) / 2
    assert (
        f"balanced accuracy 50.0 %, macro F1 {f1:.1f} %; without adaptation balanced accuracy "
        f"{100 * (68 / 72 + 4 / 8) / 2:.1f} %, macro F1 {was:.1f} %" in text
    )
    assert "Balanced accuracy 50.0 % 72.2 % without adaptation" in text


def test_a_handful_of_examples_is_not_worth_the_headline(make_run):
    _, text = read(make_run(labels=[1] * 4 + [0] * 36, before=None, after=[0] * 40, classes=("cat", "dog")))
    assert "Classes differ in size" in text
    assert "are found" not in text


def test_classes_of_about_one_size_need_no_other_score(make_run):
    _, text = read(make_run(labels=[0] * 20 + [1] * 10, after=[0] * 30, before=[0] * 30, classes=("cat", "dog")))
    assert "Balanced accuracy" not in text
    assert "differ in size" not in text
    assert "are found" not in text


def test_groups_that_nothing_names_are_scored_as_groups(make_run):
    labels = [0] * 20 + [1] * 20
    run = make_run(labels=labels, after=[1] * 20 + [0] * 20, before=labels, method="mutual-views")
    _, text = read(run)
    assert "Groups without names: Fowlkes-Mallows score 1.00" in text
    assert "which group is which class cannot be known" in text
    assert "--label-budget 1" in text
    assert "Adaptation hurt" not in text


def test_without_any_label_the_accuracy_is_unknown(make_run):
    labels, after, before = [-1] * 40, [0] * 30 + [1] * 10, [0] * 20 + [1] * 20
    source, text = read(
        make_run(labels=labels, after=after, before=before, evaluations={"source_accuracy": [0.2, 0.99]}, per_side=30)
    )
    assert "Target accuracy is unknown" in text
    assert "nothing here proves that the model is good" in text
    assert "25.0 % of the 40 answers changed" in text
    assert "mean confidence is 90.0 %" in text
    assert "The most frequent answer is “cat” with 75.0 % of all answers (about 33.3 % of the source)" in text
    assert "1 of the 3 classes is never predicted" in text
    assert "nobody knows its labels" in text
    assert "Accuracy by class" not in text
    assert "75.0 % of answers are the same with and without adaptation" in text
    assert not re.search(r"helped|hurt|wrong, it is|✗", source.replace("none of it can tell right from wrong", ""))


def test_without_a_baseline_nothing_is_claimed(make_run):
    source, text = read(make_run(before=None))
    assert "90.0 % of answers on the target are right" in text
    assert "it cannot say whether adaptation helped" in text
    assert "Change, points" not in text
    assert source.count("Confusion matrix.") == 1


@pytest.mark.parametrize(
    ("method", "words"), [("source-only", "Nothing was adapted"), ("train-on-target", "an upper bound")]
)
def test_bounds_are_not_called_adaptation(make_run, method, words):
    _, text = read(make_run(method=method, title="A bound", labelled_target=30))
    assert words in text
    assert "Adaptation helped" not in text
    assert "cannot say" not in text


def test_granted_labels_are_said(make_run):
    _, text = read(make_run(split="target", labelled_target=6))
    assert "6 of them with a label" in text
    assert "6 of those labels were given to training, so the score flatters" in text
    assert "trained on the source and the labelled target examples only" in text


def test_accuracy_by_class(make_run):
    # Of 20 cats 18 right after and 20 before; owls 18 and 8.
    _, text = read(make_run())
    assert "cat 20 100.0 90.0 −10.0" in text
    assert "owl 20 40.0 90.0 +50.0" in text
    assert "gained most: “owl” (+50.0), “dog” (+50.0); lost most: “cat” (−10.0)" in text


def test_most_frequent_mistakes(make_run):
    source, text = read(make_run())
    assert "Source only, most frequent mistakes: “dog” called “cat” (60.0 % of 20)" in text
    assert 'aria-label="Confusion matrix. MCD, most frequent mistakes:' in source


def test_curves_are_described(make_run):
    source, text = read(make_run())
    assert (
        "On the target test accuracy went from 30.0 % to 90.0 %. Only the hidden labels reveal its highest point"
        in text
    )
    assert "source 95.0\u00a0%; source test 93.0\u00a0%; target test 90.0\u00a0%" in source
    assert "Label loss went from 1 to 0.25 by step 3" in source


def test_a_course_whose_earlier_weights_were_taken(make_run):
    run = make_run()
    write_json(run.summary_path, {**run.summary, "selection": "source-validation", "chosen_step": 1, "steps": 2})
    _, text = read(run)
    assert "went from 30.0 % to 90.0 % with the weights of epoch 0.5, which were taken (dots)" in text


def test_what_is_computed_at_once_has_no_course(make_run):
    evaluations = {"source_accuracy": [0.5, 1.0], "target_test_accuracy": [0.3, 0.9]}
    run = make_run(method="tca", evaluations=evaluations)
    write_json(run.summary_path, {**run.summary, "chosen_step": 1, "steps": 1})
    source, text = read(run)
    assert "Computed at once, so there is no course to draw. Reached: source 100.0 %; target test 90.0 %" in text
    assert "Accuracy over epochs" not in source
    assert "computed at once, in" in text
    assert "The weights are a solution, computed at once" in text
    assert "network" not in text[: text.index("seed")]
    assert "last step" not in text


def test_domain_accuracy_has_a_remark(make_run):
    _, text = read(make_run(losses={"domain_accuracy": [0.9, 0.8, 0.6]}))
    assert "right on 60 % of examples; 50 % is chance, and the aim" in text


def test_pseudo_labels_are_told_and_how_right_they_were_where_it_is_known(make_run):
    scores = {"pseudo_label_accuracy": [0.7], "pseudo_label_accuracy/kept": [0.9]}
    source, text = read(make_run(losses={"pseudo_labels_kept": [0.5]}, evaluations=scores))
    assert (
        "Towards the end 50.0 % of pseudo-labels were kept. At the last step 90.0 % of those kept are right" in text
    )
    assert "are right, 70.0 % of all, which only the hidden labels tell." in text
    assert 'aria-label="Pseudo-labels over steps. Towards the end' in source


def test_pseudo_labels_that_none_was_kept_of(make_run):
    _, text = read(make_run(losses={"pseudo_labels_kept": [0.0]}, evaluations={"pseudo_label_accuracy": [0.7]}))
    assert "Towards the end 0.0 % of pseudo-labels were kept. At the last step 70.0 % of all are right" in text


def test_without_labels_pseudo_labels_are_counted_and_not_judged(make_run):
    source, text = read(make_run(losses={"pseudo_labels_kept": [0.5]}))
    assert "50.0 % of pseudo-labels were kept. How many of them are right only labels could tell." in text
    assert "right of" not in source


def test_findings_are_told_with_advice(make_run):
    run = make_run()
    seen = Finding("class-collapse", 1200, "warning", "The answers <have> collapsed.", "Lower lr.")
    passed = Finding("exploding-loss", 100, "warning", "coral has exploded.", "Set clip_norm=1.")
    for row in (noticed(passed), over("exploding-loss", 300), noticed(seen), checked(list(CHECKS), 3)):
        run.journal.append(row)
    source, text = read(run)
    assert "Class collapse, step 1,200. The answers <have> collapsed. Lower lr." in text
    assert "&lt;have&gt;" in source
    assert "Exploding loss, step 100. coral has exploded. It was over by step 300. Set clip_norm=1." in text
    assert "No check noticed anything" not in text


def test_silence_is_said_and_not_oversold(make_run):
    run = make_run()
    run.journal.append(checked(["diverged", "class-collapse"], 3))
    _, text = read(run)
    assert (
        "No check noticed anything. None of them sees a label of the target, so that is no praise: the answers may "
        "be wrong all the same. The checks: losses and weights that are no finite numbers; classes that vanish from "
        "the answers on the target."
    ) in text


def test_a_run_that_was_never_checked_does_not_claim_health(make_run):
    _, text = read(make_run())
    assert "This run has no record of health checks." in text
    assert "No check noticed anything" not in text


def test_a_loss_that_broke_is_said(make_run):
    source, _ = read(make_run(losses={"label_loss": [1.0, float("nan"), float("nan")]}))
    assert "It stopped being a finite number at step 2" in source


def test_everything_else_that_was_asked_for(make_run):
    source, text = read(make_run(notes=["Only the source has the class 'owl'."]))
    assert "The weights of the last step were taken (step 3)" in text
    assert "Only the source has the class 'owl'." in text
    assert "<code>acclimate adapt --task pets --method mcd</code>" in source
    assert "training lr 0.0002" in text
    assert "cpu A processor" in text
    assert re.search(r'class="chosen"><td[^>]*>training</td><th[^>]*><code>epochs</code>', source)
    assert not re.search(r'class="chosen"><td[^>]*>training</td><th[^>]*><code>lr</code>', source)


def test_an_unknown_rule_of_selection_is_named(make_run):
    run = make_run()
    write_json(run.summary_path, {**run.summary, "selection": "entropy of the target's answers"})
    assert "The weights were chosen by entropy of the target's answers." in read(run)[1]


def test_pictures_say_what_they_are(make_run):
    source, text = read(make_run(labels=[0, 1, 2, -1], after=[0, 2, 2, 1], before=None))
    alts = re.findall(r'alt="(Target example[^"]*)"', source)
    assert [alt.replace("\u00a0", " ") for alt in alts[:4]] == [
        "Target example, answered cat with 40.0 % confidence; right",
        "Target example, answered owl with 40.0 % confidence; wrong, it is dog",
        "Target example, answered owl with 40.0 % confidence; right",
        "Target example, answered dog with 40.0 % confidence",
    ]
    assert source.count('<li class="wrong">') == 2  # the same example at both ends
    assert "✗ is dog" in text


def test_small_pictures_lose_nothing(make_run):
    run = make_run()
    source, _ = read(run)
    first = re.search(r'<img src="data:image/png;base64,([^"]+)"', source)[1]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(first))))
    with np.load(run.sample_path) as sample:
        np.testing.assert_array_equal(pixels, sample["uncertain_images"][0, ..., 0])


def test_tables_of_features_have_no_pictures(make_run):
    source, text = read(make_run(pictures=0))
    assert "<img" not in source
    assert "Least certain" not in text


def test_many_classes_stay_legible(make_run):
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(400) % 65)
    wrong = rng.integers(0, 65, 400)
    after = np.where(rng.random(400) < 0.7, labels, wrong)
    source, text = read(
        make_run(
            classes=[f"thing number {i}" for i in range(65)], labels=labels, after=after, before=wrong, per_side=130
        )
    )
    assert "<summary>65 classes of the target</summary>" in source
    assert "<details open>" not in source
    assert "Class numbers are those of the table below" in text
    assert "8 of 65 classes coloured" in source
    assert "Of 65 classes the 12 with the largest gaps are drawn" in text
    assert len(source) < 1_000_000


def test_a_single_evaluation(make_run):
    _, text = read(make_run(evaluations={"source_accuracy": [0.8], "target_test_accuracy": [0.9]}))
    assert "A single evaluation: 90.0 % on the target test." in text


def test_the_map_says_how_far_the_domains_mix(make_run):
    # The baseline's target features are moved far away; the adapted ones are not.
    source, text = read(make_run(per_side=30))
    assert "Source only: 0.0 % of a target example’s ten nearest neighbours are source examples" in text
    assert "cannot be told apart would give 50.8 %" in text  # 30 of 59
    assert source.count("t-SNE of features by class") == 2
    mixed = float(re.search(r"MCD: ([\d.]+) % of a target", text)[1])
    assert 30 < mixed < 70


def test_too_few_examples_for_a_map(make_run):
    _, text = read(make_run(per_side=3))
    assert "Where the examples lie" not in text


def test_samples_of_other_examples_are_not_shown_side_by_side(make_run):
    run = make_run(per_side=12)
    with np.load(run.baseline.sample_path) as stored:
        sample = dict(stored)
    np.savez(run.baseline.sample_path, **{**sample, "label": sample["label"][::-1]})
    source, _ = read(run)
    assert source.count("t-SNE of features by domain") == 1


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x>', "a & b", "$\\frac"])
def test_class_names_cannot_break_the_page(make_run, name):
    source, text = read(make_run(classes=[name, "dog", "owl"], notes=[f"About {name}"], title=name))
    assert (name in source) == (html.escape(name) == name)
    assert f"About {name}" in text
    assert "<script" not in source


class Tags(HTMLParser):
    """Every start tag, and whether all that must be closed are."""

    VOID = frozenset({"meta", "img", "br", "link"})

    def __init__(self):
        super().__init__()
        self.open, self.links, self.names = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.links += [v for k, v in attrs if k in ("src", "href", "xlink:href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, _, attrs):
        self.links += [v for k, v in attrs if k in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_it_stands_alone_and_is_well_formed(make_run):
    source, _ = read(make_run(per_side=12))
    tags = Tags()
    tags.feed(source)
    assert tags.open == []
    assert {"header", "main", "section", "figure", "figcaption", "table", "th", "h1", "h2"} <= tags.names
    assert "script" not in tags.names
    assert tags.links
    assert all(link.strip().startswith(("data:", "#")) for link in tags.links)
    assert not re.search(r"https?://|@import|url\((?!#)", source)
    ids = re.findall(r'\bid="([^"]+)"', source)
    assert len(ids) == len(set(ids))


def test_every_variable_of_the_figures_is_defined_in_both_themes(make_run):
    source, _ = read(make_run(per_side=12))
    light, dark = (
        set(re.findall(r"(--[\w-]+):", block)) for block in re.findall(r":root \{(.*?)\}", source, re.DOTALL)[:2]
    )
    used = set(re.findall(r"var\((--[\w-]+)\)", source)) - {"--width"}
    assert used <= light
    assert used <= dark


def test_it_suits_dark_screens_print_and_phones(make_run):
    source, _ = read(make_run())
    assert "prefers-color-scheme: dark" in source
    assert "@media print" in source
    assert 'name="viewport"' in source


def test_an_unfinished_run_is_refused_and_nothing_is_written(make_run):
    run = make_run(finished=False)
    with pytest.raises(RequestError, match=r"run must be finished.*acclimate resume"):
        write_report(run)
    assert not run.report_path.exists()


def test_a_lost_file_is_named(make_run):
    run = make_run()
    run.predictions_path.unlink()
    with pytest.raises(RequestError, match=r"predictions\.parquet"):
        write_report(run)


def test_written_twice_it_is_the_same(make_run):
    run = make_run(per_side=12)
    assert read(run) == read(run)
    assert write_report(run) == run.report_path


def test_the_replayed_command_leaves_out_the_folder_that_is_taken() -> None:
    command = "acclimate adapt --source 'my photos' --out runs/a -m mcd -o b --out=c"
    assert replay_command(command) == "acclimate adapt --source 'my photos' -m mcd"
