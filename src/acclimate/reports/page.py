"""One run as one self-contained HTML page."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2

from acclimate.errors import RequestError
from acclimate.reports import sections
from acclimate.reports.answers import Answers, read_answers
from acclimate.reports.attention import words_section
from acclimate.reports.by_class import class_rows, classes_finding
from acclimate.reports.curves import ROLES, Curves, read_curves
from acclimate.reports.figures import NAMED_CLASSES
from acclimate.reports.maps import FEW_CLASSES
from acclimate.reports.outcome import outcome, source_shares
from acclimate.reports.pictures import pictures
from acclimate.reports.sections import Sample
from acclimate.reports.shared_columns import shared_columns_note
from acclimate.reports.trust import trust_section
from acclimate.reports.verdict import how_chosen, what_was_done
from acclimate.reports.views.base import baseline, view_of
from acclimate.reports.wording import capital, counted, duration, percent, points
from acclimate.runs.arrays import read_sample
from acclimate.runs.files import remove_leftovers, write_text
from acclimate.runs.findings import findings
from acclimate.runs.learning import learning
from acclimate.runs.lock import lock
from acclimate.runs.record import Run

_LONGEST_VALUE = 200  # a vocabulary has a hundred thousand characters
_TRAINING = {role: f"{ROLES[role]}, training" for role in ("source", "target")}


def write_report(run: Run) -> Path:
    """Write the run's `report.html`: figures, tables and the verdict, in one file that needs no other.

    Returns:
        Where it is.

    Raises:
        RequestError: if the run is unfinished, one of its files is missing, or another process writes in its folder.
        WorkError: if one of its files has changed since it was written.
    """
    for record in (run, run.baseline):
        if record is not None:
            record.check()
    page = render("page.html.j2", **_content(run))
    with lock(run.folder):
        remove_leftovers(run.folder, run.checkpoints_path)
        write_text(run.report_path, page)
    return run.report_path


def render(template: str, **content: object) -> str:
    """Fill a template of this package; every string is escaped."""
    return _environment().get_template(template).render(**content)


@functools.cache
def _environment() -> jinja2.Environment:
    """Templates are compiled once."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("acclimate", "reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "points": points}
    return environment


def _content(run: Run) -> dict[str, object]:
    """Everything the template shows."""
    summary, view = _finished(run), view_of(run.config)
    if not view.names_classes:
        return _told(run, summary) | _of_training(read_curves(run)) | view.page(run, ())
    answers = read_answers(run)
    drawn = _of_training(read_curves(run)) | _of_answers(run, answers) | _of_examples(run, answers)
    return _told(run, summary) | drawn | view.page(run, answers.classes)


def _told(run: Run, summary: Mapping[str, Any]) -> dict[str, object]:
    """What was done, and what came of it in words."""
    config = run.config
    return {
        "title": f"{config['method']['title']} on {config['task']['name']}",
        "method": config["method"]["title"],
        "facts": _facts(config, summary),
        "trust": trust_section(run),
        "sides": summary.get("diagnosis"),
        "verdict": outcome(run),
        "done": what_was_done(config),
        "chosen": how_chosen(config, summary),
        "findings": findings(run.metrics()),
        "no_findings": sections.health_remark(run),
        "notes": [*[*config["task"]["notes"], *filter(None, [run.what_failed])], *shared_columns_note(run)],
        "translations": None,
        "searches": None,
        "numbers": None,
        "words": words_section(run),
        "data": list(_data(config["task"])),
        "options": list(_options(config)),
        "machine": [(name, _written(value)) for name, value in _circumstances(config).items()],
        "command": replay_command(config["command"]),
    }


def _of_training(curves: Curves) -> dict[str, object]:
    """How the training went."""
    return {
        "accuracy": sections.accuracy_section(curves),
        "losses": sections.loss_sections(curves),
        "monitored": sections.monitored_sections(curves),
        "domain": sections.domain_section(curves),
        "pseudo": sections.pseudo_section(curves),
    }


def _of_answers(run: Run, answers: Answers) -> dict[str, object]:
    """Which classes were answered, rightly or not."""
    title, classes, beside, rows = (
        run.config["method"]["title"],
        answers.classes,
        baseline(run.config),
        class_rows(answers),
    )
    return {
        "scored": answers.num_known > 0,
        "few": len(classes) <= FEW_CLASSES,
        "numbered": len(classes) > NAMED_CLASSES,
        "compared": answers.before is not None,
        "baseline": beside,
        "Baseline": capital(beside),
        "confusion": sections.confusion_sections(answers, title, beside),
        "by_class": rows,
        "classes_finding": classes_finding(rows),
        "shares": sections.shares_section(answers, source_shares(run, len(classes))),
    }


def _of_examples(run: Run, answers: Answers) -> dict[str, object]:
    """Single examples, and where they lie in the feature space."""
    config, classes = run.config, answers.classes
    sample, before = _samples(run)
    target = sample["is_target"]
    moved = _before(run, sample)
    return {
        "embedding": sections.embedding_sections(before, sample, classes, config["method"]["title"], moved),
        "sourced": not target.all(),
        "by_label": bool((sample["label"][target] >= 0).all()),
        "examples": {end: pictures(sample, end, classes) for end in ("uncertain", "certain")},
        "shares_of": {"n": _counted_source(config, sample), "truth": bool(answers.known.all())},
    }


def _data(task: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """The role, the name and the size of each domain."""
    for role, size in task["sizes"].items():
        yield _TRAINING.get(role, ROLES[role]), task["names"][role], size


def _counted_source(config: Mapping[str, Any], sample: Sample) -> int:
    """Of how many source examples the class shares are."""
    counts = config["task"].get("source_counts")
    return int((~sample["is_target"]).sum()) if counts is None else sum(counts)


def _circumstances(config: Mapping[str, Any]) -> dict[str, Any]:
    """Machine, threads and version, as far as the run recorded them."""
    about = {"threads": config.get("threads"), "acclimate": config.get("acclimate"), "commit": config.get("commit")}
    return {**config["machine"], **{name: value for name, value in about.items() if value is not None}}


def _finished(run: Run) -> Mapping[str, Any]:
    summary = run.summary
    if summary is None:
        raise RequestError(
            "run",
            "must be finished before it can be reported on",
            f"an unfinished one in {str(run.folder)!r}",
            f"Go on with: acclimate resume {run.folder}",
        )
    for path in (run.predictions_path, run.sample_path):
        if not path.is_file():
            raise RequestError(
                "run",
                f"must have its {path.name}",
                f"{str(run.folder)!r}, where it is missing",
                run.what_failed or "Train it again with acclimate adapt, or restore the file.",
            )
    return summary


def _before(run: Run, sample: Sample) -> str:
    """What the picture before this training is called."""
    return "the encoder’s features" if "untrained" in sample else baseline(run.config)


def _samples(run: Run) -> tuple[Sample, Sample | None]:
    """The sample after adaptation, and the one before if it shows the same examples."""
    classes = len(run.config["task"]["classes"])
    after = read_sample(run.sample_path, classes)
    if "untrained" in after:
        return after, {**after, "features": after["untrained"]}
    if run.baseline is None or not run.baseline.sample_path.is_file():
        return after, None
    before = read_sample(run.baseline.sample_path, classes)
    return after, before if sections.same_examples(before, after) else None


def replay_command(command: str) -> str:
    """The command without the folder it wrote, which is taken now; the next run gets a free one."""
    words, kept = shlex.split(command), []
    while words:
        word = words.pop(0)
        if word in ("--out", "-o"):
            words = words[1:]
        elif not word.startswith("--out="):
            kept.append(word)
    return shlex.join(kept)


def _facts(config: Mapping[str, Any], summary: Mapping[str, Any]) -> list[str]:
    """The line under the title."""
    finished, wall = datetime.fromisoformat(summary["finished"]), duration(summary["wall_s"])
    trained = (f"{config['network']} network", f"{counted(summary['steps'], 'step')} in {wall}")
    return [
        f"{finished.day} {finished:%B %Y}",
        *((f"computed at once, in {wall}",) if learning(config).computed else trained),
        f"seed {config['training']['seed']}",
        f"acclimate {config['acclimate']}",
    ]


def _options(config: Mapping[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """Every resolved option: what it belongs to, its name, its value, and whether the user set it."""
    request = config["request"]
    yield "network", "network", config["network"], request["network"] is not None
    if "label_budget" in request:
        yield "data", "label_budget", str(request["label_budget"]), request["label_budget"] != "0"
    groups: tuple[tuple[str, Mapping[str, Any], Mapping[str, Any]], ...] = (
        ("method", config["method"]["options"], request["method_options"]),
        ("training", config["training"], request["training"]),
        ("input", config["preprocess"], {}),
    )
    for group, options, chosen in groups:
        for name, value in options.items():
            yield group, name, _written(value), chosen.get(name) is not None


def _written(value: object) -> str:
    """An option's value for people."""
    if isinstance(value, str) and len(value) > _LONGEST_VALUE:
        return f"{value[:_LONGEST_VALUE]} … ({len(value):,} characters in all, in config.json)"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(_written(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
