"""`acclimate export`: a run's model as a folder that does without acclimate."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from acclimate.cli.console import out as console
from acclimate.cli.console import print_json
from acclimate.cli.paths import check_new_folder
from acclimate.cli.use import JsonFlag, RunArgument, check_run, read_like
from acclimate.errors import UnknownNameError
from acclimate.export.names import DEFAULT, NAMES


def export(
    run: RunArgument,
    out: Annotated[Path, typer.Argument(help="New or empty folder to write.")],
    form: Annotated[
        list[str] | None,
        typer.Option(
            "--form",
            help="onnx; pt2, which PyTorch reads; arrays, for closed forms; or safetensors, which "
            "acclimate reads and the Hugging Face Hub shows. May be given several times. [onnx]",
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Target examples to check the model on, if the run's own are gone.")
    ] = None,
    license_: Annotated[
        str, typer.Option("--license", help="Under which the model may be used, as the Hub names it.")
    ] = "unknown",
    as_json: JsonFlag = False,
) -> None:
    """Write a run's model, checked, as a folder that answers without acclimate and without PyTorch.

    The folder has the model with its preprocessing, a model card, and predict.py, which needs NumPy, Pillow and
    onnxruntime. The model is held against the run on all of the target before the folder gets its name.
    """
    check_run(run)
    forms = tuple(dict.fromkeys(form or DEFAULT))
    for name in forms:
        if name not in NAMES:
            raise UnknownNameError("form", name, NAMES)
    check_new_folder("out", out)
    from acclimate.export.folder import export_run
    from acclimate.runs.record import Run

    examples = None if data is None else read_like(Run(run), data)
    written = export_run(run, out, forms, data=examples, license_=license_)
    if as_json:
        print_json({"out": str(out), "forms": list(forms), "files": dict(written.files), "checked": written.checked})
        return
    checked = f", checked on {written.checked:,} examples: it answers as the run does" if written.checked else ""
    console.print(f"Wrote {', '.join(forms)} to {out}{checked}.", soft_wrap=True, markup=False)
    if written.checked:
        again = shlex.join(["acclimate", "benchmark", str(out), "--run", str(run)])
        console.print(f"Size and speed beside the run: {again}", soft_wrap=True, markup=False)
        told = shlex.join(["python", str(out / "predict.py")])
        console.print(f"Answers without acclimate: {told} DATA", soft_wrap=True, markup=False)
