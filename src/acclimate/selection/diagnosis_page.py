"""A diagnosis as a page of text: the verdict first, then what speaks for it, then what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from acclimate.selection.columns import ColumnShift
from acclimate.selection.diagnosed import Diagnosed
from acclimate.selection.diagnosis_words import (
    UNSEEN,
    advice,
    counted,
    p_value,
    percent,
    quoted,
    times,
    verdict,
)
from acclimate.selection.proportions import ILL
from acclimate.selection.shift import ALPHA

# Columns, classes and examples that are told.
_COLUMNS, _CLASSES, _EXAMPLES = 8, 10, 5
_NAME, _GAP = 40, 0.01
# Digits that numbers have, until two are told apart; larger ones are told by powers of ten.
_DIGITS, _LONGEST = range(4, 16), 1e15
_REMEDIES = {
    "scale": "columns in another unit left out",
    "missing": "columns with other gaps left out too",
    "outside": "examples beyond the source left out",
    "proportions": "source drawn in the estimated proportions",
    "outside+proportions": "both",
}
_UNDONE = {
    "label": "other proportions (label shift)",
    "linear": "moved and stretched (linear map)",
    "covariate": "other examples (covariate shift)",
    "subspace": "directions that differ (subspace)",
}


@dataclass(frozen=True)
class Rows:
    """A table: headings, rows of as many cells, and which columns are numbers."""

    heads: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    numbers: tuple[int, ...] = ()

    def lines(self) -> list[str]:
        """As aligned plain text."""
        widths = [max(len(row[i]) for row in (self.heads, *self.rows)) for i in range(len(self.heads))]

        def line(row: Sequence[str]) -> str:
            cells = enumerate(zip(row, widths, strict=True))
            return "  ".join(c.rjust(w) if i in self.numbers else c.ljust(w) for i, (c, w) in cells).rstrip()

        return [line(row) for row in (self.heads, *self.rows)]


Block = list[str | Rows]


def page(d: Diagnosed) -> str:
    """All that is worth a reader's time, as text."""
    blocks: list[Block] = [
        [verdict(d)],
        *evidence(d).values(),
        examples(d),
        meaning(d),
        [f"Note: {note}" for note in (*d.notes, *d.seen.notes)],
        ["Next:", f"  {d.command}"] if d.command else [],
    ]
    told = [[line for part in block for line in _lines(part)] for block in blocks]
    return "\n\n".join("\n".join(lines) for lines in told if lines)


def _lines(part: str | Rows) -> list[str]:
    return [part] if isinstance(part, str) else part.lines()


def evidence(d: Diagnosed) -> dict[str, Block]:
    """What speaks for the verdict, by name, empty where there is nothing to tell."""
    return {
        "Can the sides be told apart?": [_looked(d), _apart(d)],
        "What explains it?": _remedies(d),
        "Which change, undone, leaves nothing?": _families(d),
        f"{d.seen.unit.capitalize()}s": _columns(d),
        "Class proportions": _classes(d),
        "Beyond the source": _beyond(d),
    }


def meaning(d: Diagnosed) -> Block:
    """What it means for adaptation, and what is not known."""
    return [*advice(d), UNSEEN]


def _looked(d: Diagnosed) -> str:
    part = " (drawn at random from {:,} and {:,})".format(*d.sizes) if d.looked_at != d.sizes else ""
    return f"Compared: {d.looked_at[0]:,} source and {d.looked_at[1]:,} target examples{part}, as {d.seen.what}."


def _apart(d: Diagnosed) -> str:
    test = d.found.test
    others = [f"kernels (MMD) {p_value(test.kernel_p)}"]
    if test.columns_p is not None:
        others.append(f"{counted(d.seen.columns, d.seen.unit)} one by one {p_value(test.columns_p)}")
    if test.answers_p is not None:
        others.append(f"answers of a source model {p_value(test.answers_p)}")
    return (
        f"A classifier tells the sides apart in {percent(test.apart.accuracy)} of cases, held out (50 % is chance, "
        f"up to {percent(test.apart.visible)} may be; {p_value(test.apart.p)}). Other tests: {', '.join(others)}."
    )


def _remedies(d: Diagnosed) -> Block:
    if not d.found.remedies:
        return []
    rows = [("as they are", percent(d.found.test.apart.accuracy), p_value(d.p), "")]
    for remedy in d.found.remedies:
        explains = remedy.explains and remedy in d.found.standing
        said = "explains it" if explains else "explains most of it" if remedy is d.found.part else ""
        rows.append((_REMEDIES[remedy.name], percent(remedy.test.apart.accuracy), p_value(remedy.test.p), said))
    return [Rows(("sides", "told apart", "", ""), rows, (1,))]


def _families(d: Diagnosed) -> Block:
    """What each family leaves, where that was asked."""
    families = d.found.families
    if families is None or not families.undone:
        return []
    rows = [
        (
            _UNDONE[u.family],
            percent(u.left),
            p_value(u.p),
            "–" if u.fit is None else f"{u.fit.mean():.2f}",
            "explains it best" if u.family == families.name else "explains it" if u.explains else "",
        )
        for u in families.undone
    ]
    return [Rows(("undone", "left of MMD²", "", "log density", ""), rows, (1, 3))]


def _columns(d: Diagnosed) -> Block:
    lines, differing = Block(), d.differing
    if differing:
        rows = [_row(c) for c in differing[:_COLUMNS]]
        heads = (f"{d.seen.unit} that differs", "distance", "source", "target", "what", "")
        lines.append(Rows(heads, rows, (1, 2, 3)))
    if len(differing) > _COLUMNS:
        lines.append(f"… and {len(differing) - _COLUMNS:,} more of {counted(d.seen.columns, d.seen.unit)}.")
    for what, names in (
        ("only the source has", d.seen.only_source),
        ("only the target has", d.seen.only_target),
        ("constant in the source alone", d.seen.constant_source),
        ("constant in the target alone", d.seen.constant_target),
    ):
        if names:
            lines.append(f"{counted(names, d.seen.unit).capitalize()} {what}: {quoted(names)}.")
    return lines


def _row(c: ColumnShift) -> tuple[str, ...]:
    said = [f"about {times(c.factor)}"] if c.factor else []
    if abs(c.missing_target - c.missing_source) >= _GAP:
        said.append(f"missing in {percent(c.missing_source)} and {percent(c.missing_target)}")
    name = c.name if len(c.name) <= _NAME else c.name[: _NAME - 1] + "…"
    return name, f"{c.distance:.2f}", *_values(c), c.told, "; ".join(said)


def _values(c: ColumnShift) -> tuple[str, ...]:
    """Both sides' values: numbers with four digits, or as many more as tell them apart."""
    sides = c.source, c.target
    if c.kind != "numbers":
        return tuple("–" if value is None else percent(value) for value in sides)
    told: tuple[str, ...] = ()
    for digits in _DIGITS:
        told = tuple("–" if value is None else number(value, digits) for value in sides)
        if c.source == c.target or told[0] != told[1]:
            break
    return told


def number(value: float, digits: int) -> str:
    """A number with so many digits, and all of those before its point.

    Example:
        >>> [number(value, 4) for value in (0.314159, 31_415.9, 1e-7, 3e20)]
        ['0.3142', '31,416', '1e-07', '3e+20']
    """
    return f"{value:,.0f}" if 10**digits <= abs(value) < _LONGEST else f"{value:,.{digits}g}"


def _classes(d: Diagnosed) -> Block:
    """What is known of class proportions, or why nothing is."""
    found, unknown = d.found, "Class proportions of the target: cannot be told."
    mix, model = found.proportions, found.model
    if mix is None or model is None:
        return [f"{unknown} The source needs five labelled examples of two classes."]
    accuracy = percent(model.accuracy)
    if not found.classes_told:
        return [
            f"{unknown} A plain model of the source is right in {accuracy} of source examples that it was not shown; "
            f"the largest class alone is {percent(float(mix.source.max()))} of them."
        ]
    if "proportions" in d.causes:
        return _shares(d)
    if found.proportions_believed:
        return ["Class proportions of the target: no sign that they are others than the source's."]
    better = found.families is not None and found.families.name not in (None, "label")
    here = "another change explains the shift better" if better else "no proportions would make the sides alike"
    return [
        f"{unknown} Estimates take it that each class looks as in the source, and here {here}. (A plain model of the "
        f"source: {accuracy} right, held out.)"
    ]


def _shares(d: Diagnosed) -> Block:
    """A table of the classes whose shares change most."""
    mix, model = d.found.proportions, d.found.model
    assert mix is not None
    assert model is not None
    change = abs(mix.likely - mix.source)
    shown = sorted(sorted(range(len(change)), key=lambda c: -change[c])[:_CLASSES])
    rows = [
        (
            d.classes[model.classes[c]],
            percent(mix.source[c]),
            percent(mix.likely[c]),
            _range(mix.low[c], mix.high[c]),
            percent(mix.confusion[c]),
            _range(mix.confusion_low[c], mix.confusion_high[c]),
        )
        for c in shown
    ]
    rough = "Roughly, class proportions" if "inputs" in d.causes else "Class proportions"
    lines: Block = [
        f"{rough}, if the target's classes look as the source's do (target: by maximum likelihood):",
        Rows(("class", "source", "target", "95 %", "by BBSE", "95 %"), rows, (1, 2, 3, 4, 5)),
    ]
    if len(shown) < len(change):
        lines.append(f"… and {len(change) - len(shown):,} more classes.")
    if mix.condition > ILL:
        lines.append(
            f"The source model confuses some classes so often (condition number {mix.condition:,.0f}) that their "
            "shares can hardly be told from each other."
        )
    return lines


def _beyond(d: Diagnosed) -> Block:
    beyond = d.found.outside
    if beyond.p > ALPHA:
        return []
    if "outside" in d.causes:
        why = "The others look like the source's, so that these may well be a class which the source lacks."
    else:
        why = "New classes, and known ones that look different, cannot be told from each other."
    share = percent(beyond.share)
    return [f"{share} of the target lie farther from the source than 99 % of its own examples, held out. {why}"]


def examples(d: Diagnosed) -> Block:
    """Those by which the sides differ most."""
    if not d.shift:
        return []
    sides = ("target", d.examples.source), ("source", d.examples.target)
    if not d.examples.texts:
        return [f"Least like the {other}: {', '.join(names[:_EXAMPLES])}" for other, names in sides]
    lines = Block()
    for other, names in sides:
        lines.append(f"Least like the {other}:")
        lines += [f"  {name}: {d.examples.texts[other][i]}" for i, name in enumerate(names[:_EXAMPLES])]
    return lines


def _range(low: float, high: float) -> str:
    return f"{100 * low:.0f} to {100 * high:.0f}"
