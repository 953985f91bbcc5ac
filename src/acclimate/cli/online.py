"""Options of commands that let a model adapt while it answers, and what is done and told where they are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acclimate.errors import RequestError, UnknownNameError

if TYPE_CHECKING:
    import numpy as np

    from acclimate.data.domain import Domain
    from acclimate.reports.answers import Answers
    from acclimate.reports.told import Verdict
    from acclimate.training.fitted import Fitted
    from acclimate.training.online import Adapting

Flags = Mapping[str, Any]
_OF_STREAMS = ("batch_size", "order", "reset", "guard")


def adapting(
    adapt: Annotated[
        str | None, typer.Option(help="Adapt while answering, by bn, tent, eta or lame. The run stays as it is.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="With --adapt: examples answered together, then learnt from. [64]")
    ] = None,
    order: Annotated[
        str | None,
        typer.Option(
            help="With --adapt: given, or shuffled, where files are sorted as no stream is. [predict: given; "
            "evaluate: shuffled]"
        ),
    ] = None,
    reset: Annotated[int | None, typer.Option(help="With --adapt: begin anew after so many batches. [never]")] = None,
    guard: Annotated[
        float | None,
        typer.Option(
            help="With --adapt: share of its right answers that the model as it is may lose, as far as it can tell; "
            "beyond it adaptation begins anew, and at the third time ends. 1 lets everything pass. [0.35]"
        ),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="With --adapt: an option of it, such as --set lr=0.0001.")
    ] = None,
) -> None:
    """The options of adapting while answering."""


def check(flags: Flags) -> None:
    """Refuse what is wrong with these options before anything slow is imported.

    Raises:
        UnknownNameError: if no method or option has such a name.
        RequestError: if a value breaks its rule, or options have nothing to be about.
    """
    from acclimate.discovery import find, online_methods
    from acclimate.runs.options import check_declared

    if flags["adapt"] is None:
        for name in (*_OF_STREAMS, "settings"):
            if flags[name] not in (None, []):
                fix = "Add --adapt, for example --adapt tent, or leave it out."
                raise RequestError("set" if name == "settings" else name, "must come with --adapt", "it alone", fix)
        return
    component = find("adapt", flags["adapt"], online_methods())
    own = _own(flags)
    for name in own:
        if name not in component.options:
            raise UnknownNameError(f"option of {component.name}", name, component.options)
    check_declared(component, own)


def check_none(flags: Flags) -> None:
    """Refuse to adapt while answering with numbers.

    Raises:
        RequestError: if that was asked for.
    """
    if flags["adapt"] is not None:
        fix = "Leave --adapt out."
        raise RequestError("adapt", "must be left out for a run that predicts numbers", flags["adapt"], fix)


def _own(flags: Flags) -> dict[str, Any]:
    """The method's own options."""
    from acclimate.cli.request import parse_settings

    return parse_settings(flags["settings"] or [])


def begun(fitted: Fitted, flags: Flags, order: str) -> Adapting:
    """The model, ready to adapt.

    Args:
        fitted: the run's model.
        flags: checked, with a method.
        order: where none is given.
    """
    from acclimate.training.online import Adapting, adapted_by

    given = {name: flags[name] for name in _OF_STREAMS if flags[name] is not None}
    return Adapting(fitted, *adapted_by(flags["adapt"], {**_own(flags), "order": order, **given}))


def answered(fitted: Fitted, domain: Domain, flags: Flags) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
    """Answers given while adapting: logits, the columns `batch` and `adapted`, and what there is to tell."""
    import polars as pl

    from acclimate.reports.adapting import answered, reasons

    model = begun(fitted, flags, "given")
    found = model.answers(domain)
    facts = model.facts(found)
    columns = {"batch": pl.Series(found.batch), "adapted": pl.Series(found.adapted)}
    return found.logits, columns, {"headline": answered(facts), "notes": reasons(facts), "adapt": facts}


def judged(
    fitted: Fitted, domain: Domain, labels: np.ndarray, flags: Flags
) -> tuple[Answers, Verdict, tuple[str, ...], dict[str, Any]]:
    """Answers given while adapting beside those of the model as it is; the rest as `cli.use` tells it."""
    from acclimate.data.class_names import together
    from acclimate.reports.adapting import reasons, scored
    from acclimate.reports.answers import Answers, Model
    from acclimate.training.fitted import softmax

    model = begun(fitted, flags, "shuffled")
    found = model.answers(domain)
    after, before = (
        Model(p.argmax(axis=1), p.max(axis=1))
        for p in map(softmax, (found.logits, fitted.outputs(domain, keep_features=False).logits))
    )
    answers = Answers(
        "data", together(fitted.plan.classes, domain.classes), labels, after, before, "the run as it is"
    )
    facts = model.facts(found)
    told = {"notes": reasons(facts), "adapt": facts}
    return answers, scored(facts, answers, before), ("as it is", facts["title"]), told
