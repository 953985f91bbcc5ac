"""`README.md` of an exported folder: a model card, whose head the Hugging Face Hub reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from acclimate.export.calibration import Calibration
from acclimate.reports.told import Verdict
from acclimate.reports.verdict import what_was_done

_TASKS = {"images": "image-classification", "features": "tabular-classification", "text": "text-classification"}
# What Markdown would act on inside a line, the beginnings of addresses that it links by itself among it.
_SPECIAL = re.compile(r"[\\`*_{}\[\]#!|<>~$@&]|:(?=//)|(?<=www)\.")
_HTML = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_MOST_CLASSES = 50


def model_card(config: Mapping[str, Any], said: Verdict, files: Mapping[str, str], about: Mapping[str, str]) -> str:
    """The text of the card.

    Args:
        config: the run's `config.json`.
        said: the run's verdict: what is known of how good it is, and how.
        files: what each file of the folder is, by name.
        about: `"license"` under which the model may be used, as the Hub calls it; what it tells, `"does"` in words;
            how to `"ask"` for it, as commands; and what its `"probabilities"` are worth.
    """
    method, task = config["method"], config["task"]
    return "\n".join(
        [
            *_head(config, about["license"]),
            f"# {plain(method['title'])}: {plain(task['name'])}",
            "",
            plain(what_was_done(config)),
            "",
            plain(about["does"]),
            *_classes(config),
            "## How good it is",
            "",
            f"**{plain(said.headline)}**",
            "",
            *[plain(sentence) + "\n" for sentence in said.sentences],
            "## Limits",
            "",
            *_limits(config, about["probabilities"]),
            "",
            "## Use",
            "",
            *[f"    {line}" for line in about["ask"].splitlines()],
            "",
            "## Files",
            "",
            *[f"- `{name}`: {what}" for name, what in files.items()],
            "",
            "## Method",
            "",
            f"{plain(method['title'])} ({plain(method['paper'])}), options {code(method['options'])}; "
            f"network {code(config['network'])}.",
            "",
            f"Made by acclimate {plain(config['acclimate'])}.",
            "",
        ]
    )


def in_words(calibration: Calibration | None) -> str:
    """What a model's probabilities are worth."""
    if calibration is None:
        return "Probabilities are the softmax of its scores, and no promise of how often it is right."
    return (
        f"Confidences are the softmax of its scores. Calibrated ones divide these by {calibration.temperature:.3g}, "
        f"which fits {calibration.examples:,} source examples that no training saw. Neither is a promise of how "
        "often it is right on the target."
    )


def plain(text: str) -> str:
    """Any text as Markdown that shows it on one line and does nothing: no link, no picture, no HTML."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return _SPECIAL.sub(lambda sign: _HTML.get(sign[0], rf"\{sign[0]}"), line)


def code(value: Any) -> str:
    """A value as code in a line; backticks in it, which would end that, are apostrophes."""
    return f"`{json.dumps(value, ensure_ascii=True).replace('`', chr(39))}`"


def _head(config: Mapping[str, Any], license_: str) -> list[str]:
    """YAML; JSON's strings are YAML's."""
    tags = ["acclimate", "domain-adaptation", config["method"]["name"]]
    return [
        "---",
        "library_name: acclimate",
        f"license: {json.dumps(license_)}",
        *([f"pipeline_tag: {_TASKS[kind]}"] if (kind := _kind(config)) and config["problem"] != "retrieval" else []),
        f"tags: {json.dumps(tags)}",
        "---",
        "",
    ]


def _kind(config: Mapping[str, Any]) -> str:
    preprocess = config["preprocess"]
    return str(preprocess.get("target", preprocess).get("kind", ""))


def _classes(config: Mapping[str, Any]) -> Sequence[str]:
    task = config["task"]
    names = task["classes"][: task["num_classes"]]
    more = [f"and {len(names) - _MOST_CLASSES:,} more, all in inference.json"] if len(names) > _MOST_CLASSES else []
    return ["", "Classes: " + ", ".join([*map(plain, names[:_MOST_CLASSES]), *more]) + ".", ""]


def _limits(config: Mapping[str, Any], probabilities: str) -> list[str]:
    """What the model does not know, from what is on record of it."""
    task = config["task"]
    known = [
        "It was adapted to one target. On data from elsewhere nothing is known of it; where they differ from that "
        "target, it may be as wrong as a model that was never adapted.",
        "It knows no other classes than these: an example of another kind gets one of their names all the same.",
        probabilities,
    ]
    notes = [f"{plain(note)}" for note in task["notes"]]
    return [f"- {line}" for line in (*known, *notes)]
