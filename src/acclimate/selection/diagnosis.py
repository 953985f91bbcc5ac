"""`Diagnosis`: what two sides tell before any training, told: to programs and, as text, to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from acclimate.selection import diagnosis_words as words
from acclimate.selection.diagnosed import Diagnosed
from acclimate.selection.diagnosis_page import page
from acclimate.selection.families import Families
from acclimate.selection.proportions import ILL, Proportions
from acclimate.selection.shift import Found, FourTests, Remedy

_IN_FULL = 100


@dataclass(frozen=True, eq=False)
class Diagnosis(Diagnosed):
    """What a source and a target without labels tell of the shift between them.

    `str()` of it is a page for people, whose first line is the verdict; `to_dict()` is for programs.
    """

    @property
    def verdict(self) -> str:
        """The diagnosis in one sentence."""
        return words.verdict(self)

    def __str__(self) -> str:
        return page(self)

    def to_dict(self) -> dict[str, Any]:
        """All of it as numbers, strings, lists and dicts, as `acclimate diagnose --json` prints it.

        Of the columns that differ, the first 100.
        """
        found, model = self.found, self.found.model
        return {
            "verdict": self.verdict,
            "shift": self.shift,
            "p": self.p,
            "causes": list(self.causes),
            "outlook": self.outlook,
            "family": self.family,
            "families": _of_families(found.families),
            "advice": words.advice(self),
            "unseen": words.UNSEEN,
            "next": self.command,
            "kind": self.kind,
            "looked_at_as": self.seen.what,
            "examples": {"source": self.sizes[0], "target": self.sizes[1]},
            "looked_at": {"source": self.looked_at[0], "target": self.looked_at[1]},
            "tests": _of_test(found.test),
            "remedies": [_of_remedy(remedy) for remedy in found.remedies],
            "columns": [asdict(c) for c in self.differing[:_IN_FULL]],
            "columns_differing": len(self.differing),
            "columns_tested": len(self.seen.columns),
            "only_source": list(self.seen.only_source),
            "only_target": list(self.seen.only_target),
            "constant_in_source": list(self.seen.constant_source),
            "constant_in_target": list(self.seen.constant_target),
            "outside": {"share": found.outside.share, "p": found.outside.p},
            "source_accuracy": model.accuracy if model else None,
            "proportions_believed": found.proportions_believed,
            "proportions": _of_proportions(found, self.classes),
            "absent_classes": list(self.absent),
            "least_like_the_other_side": {"source": list(self.examples.source), "target": list(self.examples.target)},
            "notes": [*self.notes, *self.seen.notes],
        }


def _of_test(test: FourTests) -> dict[str, Any]:
    return {
        "accuracy": test.apart.accuracy,
        "visible_from": test.apart.visible,
        "classifier_p": test.apart.p,
        "mmd2": test.distance,
        "mmd_p": test.kernel_p,
        "columns_p": test.columns_p,
        "answers_p": test.answers_p,
        "p": test.p,
    }


def _of_families(families: Families | None) -> dict[str, Any] | None:
    """What each leaves; None where that was not asked."""
    if families is None:
        return None
    undone = [
        {
            "undone": u.family,
            "explains": u.explains,
            "left": u.left,
            "mmd_p": u.p,
            "log_density": None if u.fit is None else float(u.fit.mean()),
        }
        for u in families.undone
    ]
    return {"best": families.name, "about_as_good": families.rival, "undone": undone}


def _of_remedy(remedy: Remedy) -> dict[str, Any]:
    source, target = remedy.sizes
    about = {
        "made_equal": remedy.name,
        "explains": remedy.explains,
        "left": remedy.left,
        "source": source,
        "target": target,
    }
    return about | _of_test(remedy.test)


def _of_proportions(found: Found, classes: Sequence[str]) -> dict[str, Any] | None:
    """By class; None without a model of the source."""
    mix, model = found.proportions, found.model
    if mix is None or model is None:
        return None
    names = [classes[c] for c in model.classes]
    return {
        "differ": mix.differ,
        "distance": mix.distance,
        "condition": mix.condition,
        "well_conditioned": mix.condition <= ILL,
        "classes": [{"class": name, **row} for name, row in zip(names, _by_class(mix), strict=True)],
    }


def _by_class(mix: Proportions) -> list[dict[str, Any]]:
    columns = {
        "source": mix.source,
        "mlls": mix.likely,
        "mlls_low": mix.low,
        "mlls_high": mix.high,
        "bbse": mix.confusion,
        "bbse_low": mix.confusion_low,
        "bbse_high": mix.confusion_high,
    }
    return [{name: float(values[c]) for name, values in columns.items()} for c in range(len(mix.source))]
