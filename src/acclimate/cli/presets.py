"""`acclimate adapt --preset`: a few options by what the result is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acclimate.cli.request import parse_settings
from acclimate.errors import RequestError, UnknownNameError

# What each stands for, by the names of options; docs/auto.md has the same in words. Whatever else is given overrides
# it, but for the method of those that choose one.
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "quick": {"epochs": 5},
    "good": {"method": "auto"},
    "deploy": {"method": "auto", "deploy": True},
}
_LENGTHS = ("epochs", "steps")


def expand(
    flags: Mapping[str, Any], recipe: Mapping[str, Any], settings: list[str]
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Flags, recipe and `--set` with what a preset among them stands for, in place of its name.

    Args:
        flags: of the command, `preset` among them.
        recipe: options of a file.
        settings: `--set` arguments.

    Returns:
        All three without `preset`; what it stands for joins the recipe, which flags and settings override.

    Raises:
        RequestError: if there is no such preset, or it chooses the method and another is named.
    """
    asked = {**recipe, **{name: value for name, value in flags.items() if value is not None}}
    asked |= parse_settings(settings)
    training = recipe.get("training")
    asked = {**training, **asked} if isinstance(training, dict) else asked  # what it is otherwise is refused later
    plain = {name: value for name, value in flags.items() if name != "preset"}
    rest = {name: value for name, value in recipe.items() if name != "preset"}
    kept = [text for text in settings if text.partition("=")[0].strip() != "preset"]
    if (name := asked.get("preset")) is None:
        return plain, rest, kept
    if name not in PRESETS:
        raise UnknownNameError("preset", str(name), PRESETS)
    meant = dict(PRESETS[name])
    if "method" in meant and (other := asked.get("method", meant["method"])) != meant["method"]:
        fix = f"Leave --method out, or the preset: --preset {name} is --method {meant['method']}."
        raise RequestError(
            "method", f"must be left open for the preset {name!r}, which chooses one", repr(other), fix
        )
    if any(asked.get(length) is not None for length in _LENGTHS):
        meant.pop("epochs", None)
    return plain, {**meant, **rest}, kept
