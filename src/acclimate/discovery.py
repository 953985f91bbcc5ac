"""Finds methods and data sets by the file they live in, without importing them.

A component is a class that derives directly from a known base, or from one `[of]` something, and states its `name` as
a plain string. Reading
the source instead of importing keeps `acclimate methods`, typo suggestions and tab completion free of torch.
"""

from __future__ import annotations

import ast
import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from acclimate.errors import UnknownNameError

_PACKAGE = Path(__file__).parent
_NONE = object()  # no literal
KINDS_OF_METHODS = ("Stepwise", "ClosedForm")


@dataclass(frozen=True, slots=True)
class Declared:
    """A field as a class body declares it: its name, its type as written, and those arguments that are literals."""

    name: str
    type: str
    arguments: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Component:
    """A discovered class: its public `name`, where it lives, what its docstring's first line says, and its base."""

    name: str
    module: str
    class_name: str
    summary: str
    base: str
    facts: tuple[tuple[str, Any], ...] = ()
    declared: tuple[Declared, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """Names of its fields."""
        return tuple(field.name for field in self.declared)

    def load(self) -> Any:
        """Import the module and return the class."""
        return getattr(importlib.import_module(self.module), self.class_name)

    def fact(self, key: str, default: Any = None) -> Any:
        """Return a class-level constant stated in the class body, such as `title`."""
        return dict(self.facts).get(key, default)

    @property
    def python_names(self) -> tuple[str, ...]:
        """What it is called in Python: the class, and the names under `also` that stand for it."""
        return (self.class_name, *self.fact("also", ()))

    def is_called(self, name: str) -> bool:
        """Whether that is one of its names; case and hyphens do not count, so that nobody has to know them."""
        return _plain(name) in map(_plain, (self.name, *self.python_names))


def _plain(name: str) -> str:
    return name.casefold().replace("-", "").replace("_", "")


def _declared(node: ast.ClassDef) -> tuple[Declared, ...]:
    """What a class body declares with a type and not for the class alone: the fields of its instances."""
    fields = [s for s in node.body if isinstance(s, ast.AnnAssign) and "ClassVar" not in ast.unparse(s.annotation)]
    return tuple(Declared(ast.unparse(s.target), ast.unparse(s.annotation), _arguments(s.value)) for s in fields)


def _arguments(value: ast.expr | None) -> tuple[tuple[str, Any], ...]:
    """The literal arguments of a call; the first without a name is the default."""
    if not isinstance(value, ast.Call):
        return ()
    given = [("default", first) for first in value.args[:1]] + [(k.arg, k.value) for k in value.keywords if k.arg]
    return tuple((name, found) for name, node in given if (found := _literal(node)) is not _NONE)


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return _NONE


def _constants(node: ast.ClassDef) -> dict[str, Any]:
    """Class-level names bound to literals in the class body."""
    found: dict[str, Any] = {}
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name, value = statement.targets[0].id, statement.value
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            name, value = statement.target.id, statement.value
        else:
            continue
        if (literal := _literal(value)) is not _NONE:
            found[name] = literal
    return found


def _base_of(node: ast.ClassDef, known: tuple[str, ...]) -> str | None:
    """Which of the known classes it derives from, as `Base` or `Base[…]`."""
    named = (b.value if isinstance(b, ast.Subscript) else b for b in node.bases)
    return next((b.id for b in named if isinstance(b, ast.Name) and b.id in known), None)


def _in_file(path: Path, bases: tuple[str, ...]) -> list[Component]:
    module = ".".join(("acclimate", *path.relative_to(_PACKAGE).with_suffix("").parts))
    components = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        base = _base_of(node, bases) if isinstance(node, ast.ClassDef) else None
        if base is None or not isinstance(node, ast.ClassDef) or "name" not in (facts := _constants(node)):
            continue  # without a name it is itself a base
        summary = (ast.get_docstring(node) or "").partition("\n")[0]
        own = tuple(facts.items()), _declared(node)
        components.append(Component(facts["name"], module, node.name, summary, base, *own))
    return components


@cache
def components(folder: str, *bases: str) -> dict[str, Component]:
    """All classes under `acclimate/<folder>` that derive directly from one of `bases`, by their `name`, sorted."""
    found = [c for path in sorted((_PACKAGE / folder).rglob("*.py")) for c in _in_file(path, bases)]
    return {c.name: c for c in sorted(found, key=lambda c: c.name)}


def methods() -> dict[str, Component]:
    """Every adaptation method, by name."""
    return components("methods", *KINDS_OF_METHODS)


def online_methods() -> dict[str, Component]:
    """Every method that adapts while a model answers, by name."""
    return components("methods", "Online")


def datasets() -> dict[str, Component]:
    """Every public data set of the catalog, by name."""
    return components("data/catalog", "Dataset")


def problems() -> dict[str, Component]:
    """Every problem that a method may be for, by name."""
    return components("problems", "Problem")


def find(kind: str, name: str, known: dict[str, Component]) -> Component:
    """Look `name` up: what a component is called here or in Python, with close matches in the error.

    Raises:
        UnknownNameError: if no component has that name.
    """
    if name in known:
        return known[name]
    found = next((component for component in known.values() if component.is_called(name)), None)
    if found is None:
        raise UnknownNameError(kind, name, known)
    return found
