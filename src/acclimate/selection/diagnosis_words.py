"""A diagnosis in words: the verdict, what it means for adaptation, and what cannot be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from acclimate.selection.diagnosed import Cause, Diagnosed
from acclimate.selection.families import Family

_MOST = 5
UNSEEN = (
    "What cannot be told without target labels: whether the same inputs mean other classes there, and how often a "
    "model is right. Forty labels tell: acclimate audit."
)
_ALIKE = "make the sides alike as wholes (adabn, coral, dan, dann, mcc, mcd, sa)"
_FAMILY: Mapping[Family, str] = {
    "label": (
        "Label shift, as far as it can be told: with these proportions next to nothing tells the sides apart. mlls "
        f"corrects a source model's answers by them; bbse and rlls learn anew with them. Methods that {_ALIKE} take "
        "the proportions for equal, and are likely to harm."
    ),
    "linear": (
        "The source, moved and stretched as a whole, is like the target, as with another instrument or scale: "
        "linear-monge learns from the source as moved."
    ),
    "covariate": (
        "Source examples, counted as often as the target has their like, are like the target: covariate shift, if "
        "the same inputs mean the same classes. kmm weighs them so (kliep, ulsif and domain-odds in other ways). "
        f"Little is to be gained where a source model is right there already, and methods that {_ALIKE} move what "
        "is in its place."
    ),
    "subspace": (
        "Along some directions the sides are alike, and the classes can be told apart there too; along the others "
        "they differ. stationary-subspace learns from the former alone: what the others say may have changed."
    ),
}
_RIVAL: Mapping[Family, str] = {
    "label": "other class proportions",
    "linear": "a source moved as a whole",
    "covariate": "source examples that count otherwise",
    "subspace": "directions left out",
}
_CAUSES = {
    "missing": "values missing on one side",
    "outside": "examples of a kind that the source lacks",
    "proportions": "other class proportions",
    "inputs": "inputs that look different",
}
_MISSING = (
    "Missing values are filled with the source's median, and where only the target has gaps nothing can be learnt "
    "from them: fill or leave out such columns."
)
_PROPORTIONS = (
    "Adaptation is more likely to harm than to help: methods that make the sides alike as wholes (adabn, coral, dan, "
    "dann, mcc, mcd, sa) take the proportions for equal. Source-only is safer, with --weights balanced if small "
    "classes matter; the checks “proportions” and “class-shares” of a run tell if classes are lost."
)
_OUTSIDE = (
    "Adaptation is more likely to harm than to help: it pulls examples of a class that the source lacks into the "
    "classes that it has. Look at those that are least like the source; label a few."
)


def verdict(d: Diagnosed) -> str:
    """The diagnosis in one sentence."""
    if not d.shift:
        return f"No shift found between source and target ({p_value(d.p)})."
    causes = [_of_scale(d) if cause == "scale" else _CAUSES[cause] for cause in d.causes]
    if d.absent:
        causes.append(f"none of {quoted(d.absent)} seem{'s' * (len(d.absent) == 1)} to be in the target")
    return f"{'A slight shift' if d.slight else 'A shift'}: {listed(causes)} ({p_value(d.p)})."


def advice(d: Diagnosed) -> list[str]:
    """Whether adaptation is likely to help, and what to do."""
    if not d.shift:
        visible = percent(d.found.test.apart.visible)
        return [
            "Nothing that could be seen calls for adaptation: take source-only. A classifier that is right in fewer "
            f"than {visible} of cases would not have been noticed."
        ]
    if d.family and d.found.families:
        rival = d.found.families.rival
        close = f" About as well explained by {_RIVAL[rival]}: compare by an audit." if rival else ""
        return [_FAMILY[d.family] + close]
    said: dict[Cause, str] = {"missing": _MISSING, "outside": _OUTSIDE, "proportions": _PROPORTIONS}
    if "scale" in d.causes:
        said["scale"] = _about_scale(d)
    if d.causes[-1] == "inputs":
        said["inputs"] = _about_inputs(d)
    return [said[cause] for cause in d.causes]


def _about_inputs(d: Diagnosed) -> str:
    if {"outside", "proportions"} & set(d.causes):
        return "That explains most of it, not all: inputs look different too, so that estimates are rough."
    if d.slight:
        said = "Adaptation has little to gain: the sides can hardly be told apart."
    else:
        said = "Adaptation may help: the same classes seem to look different."
    return (
        f"{said} It harms if class proportions differ as well, and while inputs look different that cannot be told. "
        "Compare with source-only, which is trained beside it, by an audit."
    )


def _of_scale(d: Diagnosed) -> str:
    return f"{counted(d.found.scaled, d.seen.unit)} in another unit"


def _about_scale(d: Diagnosed) -> str:
    scaled = [d.seen.columns[i] for i in d.found.scaled]
    named = [f"{quoted([c.name])} is about {times(c.factor or 1)}" for c in scaled[:_MOST]]
    more = f" ({len(scaled) - _MOST:,} more)" if len(scaled) > _MOST else ""
    return (
        f"In the target {listed(named)}{more}. If that is a unit, convert it on one side. Both sides are "
        "standardised together, so that what else such a column says is lost; to standardise each by itself would "
        "mend a unit, and hide a true difference."
    )


def p_value(p: float) -> str:
    """`"p = 0.03"`, `"p < 0.001"`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.01 else f"p = {p:.2f}"


def times(factor: float) -> str:
    """`"1,000 times larger"`, `"12 times smaller"`."""
    return f"{factor:,.0f} times larger" if factor > 1 else f"{1 / factor:,.0f} times smaller"


def percent(share: float) -> str:
    """A fraction as a percentage with one decimal."""
    return f"{100 * share:.1f} %"


def counted(things: Sequence[object], noun: str) -> str:
    """`"1 column"`, `"1,280 columns"`."""
    return f"{len(things):,} {noun}{'s' * (len(things) != 1)}"


def quoted(names: Sequence[str]) -> str:
    """The first five names in quotes, and how many more."""
    more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return ", ".join(f"“{name}”" for name in names[:_MOST]) + more


def listed(parts: Sequence[str]) -> str:
    """`"a"`, `"a and b"`, `"a, b and c"`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
