"""`acclimate export`: a run's model as a folder of its own, written at once or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from acclimate.data.domain import Domain
from acclimate.data.schema import read_schema
from acclimate.data.temporary import temporary_beside
from acclimate.data.text import TextPreprocess
from acclimate.errors import RequestError, unwritable
from acclimate.export.bundle import write_bundle
from acclimate.export.calibration import Calibration, calibration_of
from acclimate.export.card import in_words, model_card
from acclimate.export.closed import no_closed_form
from acclimate.export.exits import Exit, check_answers_classes, exits
from acclimate.export.facts import characters, inference_facts
from acclimate.export.forms import FORMS
from acclimate.export.names import DEFAULT, PRETRAINED
from acclimate.export.pretrained import WEIGHTS, check_named, public, write_pretrained
from acclimate.reports.outcome import outcome
from acclimate.reports.told import Verdict
from acclimate.running.adaptation import load
from acclimate.running.requests import raw_task_of_run
from acclimate.runs.files import as_json
from acclimate.runs.record import Run
from acclimate.training.fitted import Fitted
from acclimate.types import Side

_IS = {
    "onnx": "the model, for onnxruntime",
    "pt2": "the model, for torch.export.load of PyTorch",
    "arrays": "the model as plain arrays and the steps that NumPy takes with them",
}
_DOES = {
    "logits": "It answers with one of the classes below.",
    "vectors": "It turns queries and items into vectors of one space; the cosine of two says how alike they are. It "
    "names no class.",
}


@dataclass(frozen=True)
class Written:
    """What was exported.

    Attributes:
        folder: where.
        files: what each file is, by name.
        checked: on how many examples each form answers as the run does.
    """

    folder: Path
    files: Mapping[str, str]
    checked: int


def export_run(
    run: Path | str,
    out: Path | str,
    forms: Sequence[str] = DEFAULT,
    *,
    data: Domain | None = None,
    license_: str = "unknown",
) -> Written:
    """Write a run's model into a new or empty folder.

    Every form is held against the run on all of its target, or on `data`, before the folder gets its name.

    Args:
        run: folder of a finished run.
        out: a new or empty folder.
        forms: of `names.NAMES`.
        data: examples of the target to check on; by default the run's own, which are read again.
        license_: under which the model may be used, for the model card.

    Raises:
        RequestError: if the model cannot have a form, or the run's data are gone.
        MissingExtraError: if what writes a form is not installed.
        WorkError: if a form answers otherwise than the run, or the folder cannot be written.
    """
    record = Run(run)
    fitted = load(run)
    check_forms(fitted, forms)
    sides: Mapping[Side, Domain] = {}
    calibration = None
    if set(forms) - {PRETRAINED}:
        sides, aside = _own_data(record, fitted) if data is None else (_given(fitted, data), None)
        calibration = calibration_of(fitted, aside)
    model = Model(fitted, record.config, outcome(record), license_, calibration)
    return export_model(model, out, forms, sides)


@dataclass(frozen=True)
class Model:
    """What is exported, and what the card tells of it.

    Attributes:
        fitted: the networks and what leads to them.
        config: a run's `config.json`, or `pretrained.config_of`.
        said: what is known of how good it is.
        license: under which it may be used.
        calibration: its temperature, if source examples were set aside to find it.
    """

    fitted: Fitted
    config: Mapping[str, Any]
    said: Verdict
    license: str = "unknown"
    calibration: Calibration | None = None


def export_model(model: Model, out: Path | str, forms: Sequence[str], sides: Mapping[Side, Domain]) -> Written:
    """As `export_run`, of any fitted model; `sides` are what it is checked on."""
    out, fitted = Path(out), model.fitted
    leaving = exits(fitted, sides) if sides else []
    written = Written(out, _files(leaving, forms), len(sides["target"]) if leaving else 0)

    def fill(folder: Path) -> None:
        write_forms(folder, leaving, forms)
        if leaving:
            _write_reading(folder, leaving, model)
        if PRETRAINED in forms:
            write_pretrained(folder, fitted, model.config)
        gives = {"does": _DOES[_gives(fitted)], "ask": _ask(fitted, leaving)}
        about = {"license": model.license, "probabilities": in_words(model.calibration), **gives}
        card = model_card(public(model.config), model.said, written.files, about)
        (folder / "README.md").write_text(card, encoding="utf-8")

    write_folder(out, fill)
    return written


def check_forms(fitted: Fitted, forms: Sequence[str]) -> None:
    """Refuse forms that this model cannot have, before its data are read.

    Raises:
        RequestError: naming those it can.
    """
    if set(forms) - {PRETRAINED}:
        check_answers_classes(fitted)
    pictures = any(fitted.plan.preprocess.of(side).kind == "images" for side in ("source", "target"))
    if "arrays" in forms and pictures:
        raise no_closed_form(fitted.plan.method.name, "pictures")
    if PRETRAINED in forms:
        check_named(fitted)


def _given(fitted: Fitted, data: Domain) -> dict[Side, Domain]:
    if _gives(fitted) == "vectors":
        fix = "Leave data out, and put the run's own files back where they were."
        raise RequestError("data", "must be left out for a model that finds things", data.in_words, fix)
    return {"target": data}


def write_forms(folder: Path, leaving: Sequence[Exit], forms: Sequence[str]) -> None:
    """Every form of every program, checked."""
    for one in leaving:
        for name in forms:
            if (form := FORMS.get(name)) is not None:
                path = folder / f"{one.name}{form.suffix}"
                form.write(one.program, path)
                one.check(form.runner(path), name)


def write_folder(out: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write into a temporary folder beside `out`, which gets its name when all of it is on disk.

    Raises:
        WorkError: if the system will not write it; nothing is left then.
    """
    try:
        with temporary_beside(out, Path.mkdir) as temporary:
            fill(temporary)
            for path in sorted(temporary.rglob("*")):
                if path.is_file():
                    with path.open("rb+") as file:
                        os.fsync(file.fileno())
            temporary.replace(out)
    except OSError as error:
        raise unwritable(out, error) from None


def _own_data(run: Run, fitted: Fitted) -> tuple[dict[Side, Domain], Domain | None]:
    """What the run itself was trained on, as it was read, and what it set aside of the source."""
    try:
        task = raw_task_of_run(run)
    except RequestError as error:
        fix = f"{error.fix} Or say on what the exported model is to be checked: --data PATH."
        raise type(error)(error.argument, error.rule, error.got, fix) from None
    sides: dict[Side, Domain] = {"target": task.target}
    return sides | {"source": task.source} if _gives(fitted) == "vectors" else sides, task.source_test


def _gives(fitted: Fitted) -> str:
    return "vectors" if fitted.plan.method.problem == "retrieval" else "logits"


def _write_reading(folder: Path, leaving: Sequence[Exit], model: Model) -> None:
    """How examples reach the model, and the program that does so."""
    task, request = model.config["task"], model.config["request"]
    target = task.get("schema")
    found: dict[Side, Any] = {"target": target, "source": task.get("source_schema", target)}
    schemas = {side: read_schema(facts) if facts else None for side, facts in found.items()}
    facts = inference_facts(leaving, model.fitted.plan.classes, schemas, request.get("delimiter"))
    if model.calibration is not None:
        facts["calibration"] = asdict(model.calibration)
    (folder / "inference.json").write_text(as_json(facts), encoding="utf-8")
    for one in leaving:
        if isinstance(preprocess := one.program.preprocess, TextPreprocess):
            (folder / "vocabulary.txt").write_text("\n".join(preprocess.words), encoding="utf-8")
            (folder / "characters.json").write_text(as_json(characters()), encoding="utf-8")
    write_bundle(folder, [one.program.kind for one in leaving])


def _files(leaving: Sequence[Exit], forms: Sequence[str]) -> dict[str, str]:
    """What each file is, by name."""
    files = {"README.md": "this card"}
    for one in leaving:
        of = "" if one.name == "model" else ", of the queries"
        files |= {f"{one.name}{FORMS[form].suffix}": _IS[form] + of for form in forms if form in FORMS}
    if leaving:
        files["inference.json"] = "what goes in and what comes out: classes, sizes, columns"
        if any(one.program.kind == "text" for one in leaving):
            files["vocabulary.txt"] = "the words, one a line; the first has the number 2"
            files["characters.json"] = "which characters make words"
        files["predict.py"] = "answers, by NumPy, Pillow and onnxruntime; it reads with what is in `reading/`"
    if PRETRAINED in forms:
        files[WEIGHTS] = "the weights, without anything that training needed"
        files["config.json"] = "all there is to build the networks anew"
    return files


def _ask(fitted: Fitted, leaving: Sequence[Exit]) -> str:
    """How to ask the model."""
    if not leaving:
        return 'import acclimate as ac\nmodel = ac.from_pretrained("FOLDER")\nmodel.predict(DATA)'
    if _gives(fitted) == "vectors":
        return "python predict.py QUERIES --among ITEMS"
    return "python predict.py DATA --out answers.csv"
