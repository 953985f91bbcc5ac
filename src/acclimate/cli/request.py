"""From flags, `--set` and a TOML file to one `Request`: every option has one name everywhere."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acclimate.data.specs import DEFAULT_METHOD_FOR_NUMBERS
from acclimate.errors import RequestError
from acclimate.networks.backbone_names import allow, named

if TYPE_CHECKING:
    from acclimate.runs.request import Request

_REQUEST_KEYS = (
    "task",
    "model",
    "source",
    "more_sources",
    "target",
    "target_test",
    "text_column",
    "label_column",
    "bins",
    "id_column",
    "source_text_column",
    "source_label_column",
    "source_id_column",
    "target_text_column",
    "target_label_column",
    "target_id_column",
    "columns",
    "leave_out",
    "delimiter",
    "quoting",
    "label_budget",
    "method",
    "network",
    "memory",
    "baseline",
    "problem",
)


def read_config(path: Path | None) -> dict[str, Any]:
    """The options in a TOML file; empty without one.

    Raises:
        RequestError: if the file is missing or is not TOML.
    """
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        fix = "Check the spelling and the current folder."
        raise RequestError("config", "must be a file that can be read", f"{path} ({error.strerror})", fix) from None
    # Numbers of thousands of digits are a ValueError of int's own, nesting of thousands of levels a RecursionError.
    except (ValueError, RecursionError) as error:
        fix = "Write one name = value a line, with quotes round text."
        raise RequestError("config", "must be TOML", f"{path}: {error}", fix) from None


def one_or_all(sources: list[str] | None) -> str | list[str] | None:
    """What `--source` was given: the path, or all of them where there are several; None without one."""
    return sources[0] if sources and len(sources) == 1 else sources or None


def check_length(flags: Mapping[str, Any]) -> None:
    """Refuse a length of training in two units.

    Raises:
        RequestError: if epochs and steps are both given.
    """
    epochs, steps = flags.get("epochs"), flags.get("steps")
    if epochs is not None and steps is not None:
        fix = "Give one of them."
        raise RequestError("epochs and steps", "must not both be given", f"{epochs} and {steps}", fix)


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """`["epochs=20", "flip=true"]` as a dict; values are read as JSON where they are JSON, else as text.

    Raises:
        RequestError: if one has no `=`.
    """
    parsed: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name.strip():
            raise RequestError("set", "must have the form name=value", repr(setting), "For example: --set epochs=20")
        parsed[name.strip().replace("-", "_")] = _value(value.strip())
    return parsed


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or numbers and nesting beyond all use
        return text


def make_request(config: dict[str, Any], flags: dict[str, Any], settings: list[str]) -> Request:
    """Merge the three: flags override the file, `--set` overrides both.

    Args:
        config: from `read_config`; options may stand at the top level or under `[training]`.
        flags: command-line flags; None means "not given".
        settings: `--set` arguments.

    Raises:
        UnknownNameError: for an option that neither the request, the method nor training knows.
        RequestError: if a value has the wrong type.
    """
    from acclimate.data.tasks import find_task
    from acclimate.runs.continued import continued, with_options
    from acclimate.runs.options import in_brief, validated
    from acclimate.runs.request import Request, method_for, method_name, split_options

    training = config.get("training", {})
    if not isinstance(training, dict):
        raise RequestError(
            "training", "must be a table of options in a recipe", in_brief(training), "Write [training]."
        )
    flat = {k: v for k, v in config.items() if k != "training"} | training
    merged: dict[str, Any] = {**flat, **{k: v for k, v in flags.items() if v is not None}, **parse_settings(settings)}
    until = merged.pop("freeze_until", None)
    about = {k: merged.pop(k) for k in _REQUEST_KEYS if k in merged}
    given = about.get("network")
    if until is not None or (given and isinstance(given, str)):  # of another type it is refused with the rest
        about["network"] = named(str(given or ""), until)
        allow(about["network"])
    if isinstance(budget := about.get("label_budget"), int | float):
        about["label_budget"] = str(budget)
    if isinstance(sources := about.get("source"), list):
        about |= {"source": sources[0], "more_sources": sources[1:]} if sources else {"source": None}
    problem = about.pop("problem", None)
    if problem is not None:
        about["method"] = method_for(str(problem), about.get("method"))
    request = validated(Request, about, "option")
    # What is misspelt is told before anything is imported that takes seconds.
    method = method_name(request.method) if "method" in about else None
    split_options(method, merged)
    if request.task is not None:
        find_task(request.task)
    if request.model is not None:
        request = continued(request, about)
        _check_paths(request)
    else:
        _check_paths(request)
        request = request.model_copy(update={"method": method or _default_method(request, merged)})
    return with_options(request, *split_options(request.method, merged))


def guessed_number(request: Request, config: Mapping[str, Any], flags: Mapping[str, Any], settings: list[str]) -> str:
    """What to say first where nobody named a method or problem and the number itself is predicted; else empty."""
    asked = {**config, **{k: v for k, v in flags.items() if v is not None}, **parse_settings(settings)}
    if {"method", "problem", "task", "model"} & asked.keys() or request.method != DEFAULT_METHOD_FOR_NUMBERS:
        return ""
    label = request.source_label_column or request.label_column
    return (
        f"“{label}” holds numbers with fractions, so the number itself is predicted (problem regression, method "
        f"{request.method}). To predict ranges of it: --bins 3."
    )


def _check_paths(request: Request) -> None:
    """Refuse sides that are not there, where both are named; what is missing altogether is told by their problem."""
    from acclimate.data.places import check_there, place

    if request.task is None and request.source is not None and request.target is not None:
        for side, path in (*(("source", path) for path in request.sources), ("target", request.target)):
            found = place(path, side)
            if found.exists() or not _is_pattern_of_tables(path):
                check_there(found, side)


def _is_pattern_of_tables(path: str) -> bool:
    if not has_magic(path):
        return False
    from acclimate.data.readers.cell_parts import table_files

    return bool(table_files(path))


def _default_method(request: Request, options: Mapping[str, Any]) -> str:
    from acclimate.running.requests import default_method

    return default_method(request, options)
