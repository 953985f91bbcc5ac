"""`acclimate diagnose`: is there a shift, of what kind, and is adaptation likely to help? Before any training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from acclimate.cli.adapt import JsonFlag, adapt
from acclimate.cli.auto import OPTIONS as OF_A_CHOICE
from acclimate.cli.console import err, out, print_json
from acclimate.cli.options import with_options_of
from acclimate.cli.paths import check_new_file
from acclimate.cli.request import make_request, read_config
from acclimate.errors import RequestError

# Options of adapt that say how to train, or what becomes of a run.
_OF_TRAINING = (
    *(
        "target_test",
        "missing",
        "model",
        "method",
        "preset",
        "network",
        "label_budget",
        "epochs",
        "steps",
        "batch_size",
        "lr",
    ),
    *(
        "freeze_until",
        "text_features",
        "image_size",
        "weights",
        "precision",
        "device",
        "config",
        "set_",
        "baseline",
        "output",
        "dry_run",
        "as_json",
    ),
)


@with_options_of(adapt, without=(*_OF_TRAINING, *OF_A_CHOICE))
def diagnose(
    flags: Mapping[str, Any],
    source_path: Annotated[
        str | None, typer.Argument(metavar="SOURCE", help="In place of --source.", show_default=False)
    ] = None,
    target_path: Annotated[
        str | None, typer.Argument(metavar="TARGET", help="In place of --target.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--out", "-o", help="Also write it as a page, with pictures: a new .html file.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with any options of adapt.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Tell whether there is a shift between source and target, of what kind, and whether to adapt. Trains nothing.

    acclimate diagnose labelled/ photos/

    Tests with p-values, class proportions estimated without target labels, the columns, words or examples that
    differ most, and the command to run next. Options are those of adapt; target labels play no part.
    """
    if output is not None:
        check_new_file("out", output, ".html")
    request = make_request(read_config(config), {**flags, **_named(source_path, target_path, flags)}, [])
    if not as_json:
        err.print("Comparing both sides …")
    from acclimate.running.diagnosing import diagnose_request

    found = diagnose_request(request)
    if output is not None:
        from acclimate.reports.diagnosis import write_diagnosis

        write_diagnosis(output, found)
    if as_json:
        print_json({**found.to_dict(), "page": None if output is None else str(output)})
        return
    if err.quiet:
        found = replace(found, notes=(), seen=replace(found.seen, notes=()))
    verdict, rest = str(found).split("\n", 1)
    out.print(verdict, markup=False, style="bold", soft_wrap=True)
    out.print(rest, markup=False, soft_wrap=True)
    if output is not None:
        out.print(f"\nPage: {output}", markup=False, soft_wrap=True)


def _named(source: str | None, target: str | None, flags: Mapping[str, Any]) -> dict[str, str]:
    """Two arguments as the two options."""
    if source is None:
        return {}
    if target is None:
        fix = "For example: acclimate diagnose labelled/ photos/"
        raise RequestError("source and target", "must be two paths", repr(source), fix)
    if given := [name for name in ("source", "target", "task") if flags.get(name)]:
        fix = "Leave one of the two out."
        raise RequestError(f"--{given[0]}", "must not stand beside the two paths", f"{flags[given[0]]!r}", fix)
    return {"source": source, "target": target}
