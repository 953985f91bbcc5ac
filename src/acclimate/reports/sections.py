"""The parts of a run's page: each figure beside the sentence that says what it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from acclimate.reports import embedding, figures, maps
from acclimate.reports.answers import Answers, Model, class_shares, crossed, row_shares
from acclimate.reports.curves import ROLES, Curves, Line, domain_remark, smoothed
from acclimate.reports.drawing import svg
from acclimate.reports.wording import capital, percent, points
from acclimate.runs.findings import CHECKS, SILENCE, checks_made
from acclimate.runs.record import Run
from acclimate.types import UNLABELLED

Sample = Mapping[str, np.ndarray]

# A fall in source accuracy worth a sentence.
_MUCH = 0.1


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as inline SVG and its caption."""

    svg: Markup
    caption: str = ""


def accuracy_section(curves: Curves) -> Shown:
    """Accuracies over epochs."""
    ends = [f"{ROLES[role]} {percent(line.last)}" for role, line in curves.accuracy.items()]
    if curves.baseline is not None:
        ends.append(f"target without adaptation {percent(curves.baseline.last)}")
    if curves.at_once:
        return Shown(
            Markup(), f"Computed at once, so there is no course to draw. Reached: {'; '.join(ends) or 'no points'}."
        )
    finding = _course(curves) + _lost_source(curves)
    description = f"Accuracy over epochs. At the end: {'; '.join(ends) or 'no points'}. {finding}"
    return Shown(svg(figures.accuracy_figure(curves), description), finding)


def _course(curves: Curves) -> str:
    role = curves.target_role
    if role is None:
        return (
            "No curve for the target: nobody knows its labels. Accuracy on the source says little about the target."
        )
    line = curves.accuracy[role]
    if len(line.x) == 1:
        return f"A single evaluation: {percent(line.last)} on the {ROLES[role]}."
    best = int(line.y.argmax())
    finding = f"On the {ROLES[role]} accuracy went from {percent(float(line.y[0]))} to {percent(line.last)}"
    if curves.taken is not None:
        finding += f" with the weights of epoch {curves.taken:.3g}, which were taken (dots)"
    if percent(float(line.y[best])) == percent(line.last):
        return f"{finding}, its highest point."
    highest = f"{percent(float(line.y[best]))} at epoch {line.x[best]:.3g}"
    return f"{finding}. Only the hidden labels reveal its highest point, {highest}."


def _lost_source(curves: Curves) -> str:
    """A sentence if the model has unlearnt the source, which a score on the target alone would hide."""
    line = curves.accuracy.get("source_test", curves.accuracy.get("source"))
    if line is None or float(line.y.max()) - line.last < _MUCH:
        return ""
    return (
        f" On the source itself it fell from {percent(float(line.y.max()))} to {percent(line.last)}: these weights "
        "are for the target alone."
    )


def loss_sections(curves: Curves) -> list[Shown]:
    """One panel for each logged number."""
    return [
        Shown(svg(figures.loss_figure(name, line), _loss_finding(name, line))) for name, line in curves.losses.items()
    ]


def _loss_finding(name: str, line: Line) -> str:
    average = smoothed(line.y)
    course = f"{figures.spoken(name)} went from {average[0]:.3g} to {average[-1]:.3g} by step {line.x[-1]:,.0f}."
    broken = ~np.isfinite(line.y)
    if broken.any():
        course += f" It stopped being a finite number at step {line.x[broken][0]:,.0f}."
    return course


def monitored_sections(curves: Curves) -> list[Shown]:
    """One panel for each of a method's own losses, on training and on unseen examples of both sides."""
    shown = []
    for name, lines in curves.monitored.items():
        ends = "; ".join(f"{ROLES[role]} {line.last:.3g}" for role, line in lines.items())
        description = f"{figures.spoken(name)} over steps. At the end: {ends}."
        shown.append(Shown(svg(figures.monitored_figure(name, lines), description), _unseen(lines)))
    return shown


def _unseen(lines: Mapping[str, Line]) -> str:
    """How much worse a loss is on examples that no training saw."""
    parts = []
    for side in ("source", "target"):
        seen, unseen = lines.get(side), lines.get(f"{side}_test")
        if seen is not None and unseen is not None and seen.last > 0 and np.isfinite(unseen.last):
            more = round(100 * (unseen.last / seen.last - 1))
            change = f"{abs(more)}\u00a0% {'higher' if more > 0 else 'lower'}" if more else "the same"
            parts.append(f"{change} on the {side}")
    return f"At the end, on unseen examples against those trained on: {', '.join(parts)}." if parts else ""


def domain_section(curves: Curves) -> Shown | None:
    """The domain discriminator's accuracy and what it means; None for methods without one."""
    line = curves.domain_accuracy
    if line is None:
        return None
    remark = domain_remark(line)
    return Shown(
        svg(figures.domain_accuracy_figure(line), f"Domain discriminator's accuracy over steps. {remark}"), remark
    )


def pseudo_section(curves: Curves) -> Shown | None:
    """How many pseudo-labels were kept, and how many are right where that is known; None for methods without any."""
    pseudo = curves.pseudo_labels
    if pseudo is None:
        return None
    remark = f"Towards the end {percent(float(smoothed(pseudo.kept.y)[-1]))} of pseudo-labels were kept. "
    if pseudo.right is None:
        remark += "How many of them are right only labels could tell."
    elif pseudo.right_of_kept is None or np.isnan(pseudo.right_of_kept.last):
        remark += (
            f"At the last step {percent(pseudo.right.last)} of all are right, which only the hidden labels tell."
        )
    else:
        right, kept = percent(pseudo.right.last), percent(pseudo.right_of_kept.last)
        remark += (
            f"At the last step {kept} of those kept are right, {right} of all, which only the hidden labels tell."
        )
    return Shown(svg(figures.pseudo_label_figure(pseudo), f"Pseudo-labels over steps. {remark}"), remark)


def health_remark(run: Run) -> str:
    """What a training without findings can say for itself."""
    made = checks_made(run.metrics())
    if made is None:
        return "This run has no record of health checks."
    checks = "; ".join(CHECKS[kind] for kind in made if kind in CHECKS)
    return f"{SILENCE} The checks: {checks}."


def confusion_sections(answers: Answers, title: str, baseline: str) -> list[Shown]:
    """Matrices before and after; without any label, how the answers moved."""
    if answers.num_known == 0:
        return [] if answers.before is None else [_moves(answers, answers.before, title, baseline)]
    models = [(capital(baseline), answers.before), (title, answers.after)]
    return [_confusion(answers, model, name) for name, model in models if model is not None]


def _confusion(answers: Answers, model: Model, name: str) -> Shown:
    counts = answers.confusion(model)
    mistakes = [
        f"“{a}” called “{b}” ({percent(share)} of {n:,})" for a, b, share, n in mistakes_of(counts, answers.classes)
    ]
    finding = f"{name}, most frequent mistakes: {'; '.join(mistakes)}." if mistakes else f"{name}: no mistakes."
    figure = figures.confusion_figure(counts, answers.classes, name, "true class", "answer")
    return Shown(svg(figure, f"Confusion matrix. {finding}"), finding)


def _moves(answers: Answers, before: Model, title: str, baseline: str) -> Shown:
    counts = crossed(before.predicted, answers.after.predicted, len(answers.classes))
    kept = counts.trace() / counts.sum()
    finding = f"{percent(kept)} of answers are the same with and without adaptation (the diagonal)."
    figure = figures.confusion_figure(
        counts, answers.classes, "How answers moved", f"answer of {baseline}", f"answer of {title}"
    )
    return Shown(svg(figure, finding), finding)


def mistakes_of(counts: np.ndarray, classes: Sequence[str], most: int = 3) -> list[tuple[str, str, float, int]]:
    """The most frequent confusions: true class, answer, share of the class's examples, number of its examples."""
    shares = np.nan_to_num(row_shares(counts))
    np.fill_diagonal(shares, 0)
    order = np.argsort(-shares, axis=None, kind="stable")[:most]
    cells = [(int(i), int(j)) for i, j in zip(*np.unravel_index(order, shares.shape), strict=True)]
    return [(classes[i], classes[j], float(shares[i, j]), int(counts[i].sum())) for i, j in cells if shares[i, j] > 0]


def embedding_sections(
    before: Sample | None, after: Sample, classes: Sequence[str], title: str, baseline: str
) -> list[Shown]:
    """t-SNE of the same examples before and after, by domain and by class; empty where there is nothing to draw."""
    drawn = [
        (name, sample, embedding.tsne(sample["features"]))
        for name, sample in ((capital(baseline), before), (title, after))
        if sample is not None and embedding.can_embed(sample["features"])
    ]
    return [*_by_domain(drawn), *_by_class(drawn, classes)]


def same_examples(before: Sample, after: Sample) -> bool:
    """Whether two samples show the same examples, so that their pictures can be compared."""
    return all(np.array_equal(before[name], after[name]) for name in ("is_target", "label"))


def _by_domain(drawn: Sequence[tuple[str, Sample, np.ndarray]]) -> Iterator[Shown]:
    for name, sample, plane in drawn:
        if sample["is_target"].all():
            continue  # there is no source to lie among
        mixed, by_chance = embedding.mixing(sample["features"], sample["is_target"])
        finding = (
            f"{name}: {percent(mixed)} of a target example’s ten nearest neighbours are source examples; domains "
            f"that cannot be told apart would give {percent(by_chance)}."
        )
        figure = maps.domains_figure(plane, sample["is_target"], f"{name}, by domain")
        yield Shown(svg(figure, f"t-SNE of features by domain. {finding}"), finding)


def _by_class(drawn: Sequence[tuple[str, Sample, np.ndarray]], classes: Sequence[str]) -> Iterator[Shown]:
    for name, sample, plane in drawn:
        labels = np.where(sample["label"] == UNLABELLED, sample["predicted"], sample["label"])
        figure = maps.classes_figure(plane, labels, sample["is_target"], classes, f"{name}, by class")
        shown = maps.shown_classes(labels, len(classes))
        yield Shown(
            svg(figure, f"t-SNE of features by class, {name}; {len(shown)} of {len(classes)} classes coloured.")
        )


def shares_section(answers: Answers, source: np.ndarray | None) -> Shown | None:
    """Predicted class shares beside the source's."""
    if source is None:
        return None
    k = len(answers.classes)
    shares = figures.Shares(
        source,
        class_shares(answers.after.predicted, k),
        None if answers.before is None else class_shares(answers.before.predicted, k),
        class_shares(answers.labels, k) if answers.known.all() else None,
    )
    apart = shares.after - source
    shown = np.arange(k) if k <= maps.FEW_CLASSES else np.sort(np.argsort(-np.abs(apart))[: maps.FEW_CLASSES])
    most = int(np.abs(apart).argmax())
    finding = (
        f"The largest gap is at “{answers.classes[most]}”: {percent(shares.after[most])} of answers, "
        f"{percent(source[most])} of the source ({points(apart[most])} points)."
    )
    if len(shown) < k:
        finding += f" Of {k} classes the {len(shown)} with the largest gaps are drawn."
    figure = figures.shares_figure(shares, answers.classes, [int(c) for c in shown])
    return Shown(svg(figure, f"Class shares. {finding}"), finding)
