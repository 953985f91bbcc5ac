"""The program that an exported folder answers with: acclimate's own readers, copied with their imports made local."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import acclimate

FOLDER = "reading"
_PACKAGE = Path(acclimate.__file__).parent
_PICTURES = ("export/standalone/picture_files.py", "data/readers/pictures.py", "data/images.py", "data/ink.py")
_TABLES = ("export/standalone/table_files.py", "data/readers/encodings.py")
_TEXTS = ("export/standalone/text_files.py", "data/words.py", "export/standalone/properties.py", *_TABLES)
_OF_KIND = {"images": _PICTURES, "features": _TABLES, "text": _TEXTS}
_ALWAYS = ("data/formulas.py", "export/standalone/steps.py")


def write_bundle(folder: Path, kinds: Iterable[str]) -> None:
    """Write `predict.py`, and the readers of these kinds of input into a folder beside it."""
    (folder / FOLDER).mkdir()
    (folder / FOLDER / "__init__.py").write_text('"""What predict.py reads with."""\n', encoding="utf-8")
    for name in dict.fromkeys((*_ALWAYS, *(part for kind in kinds for part in _OF_KIND[kind]))):
        (folder / FOLDER / Path(name).name).write_text(_made_local(name), encoding="utf-8")
    (folder / "predict.py").write_text(_made_local("export/standalone/predict.py"), encoding="utf-8")


def _made_local(name: str) -> str:
    """A file of acclimate's whose imports of other such files lead to the copies."""
    text = (_PACKAGE / name).read_text(encoding="utf-8")
    text = re.sub(r"(?m)^( *)from acclimate(?:\.\w+)*\.(\w+) import ", rf"\1from {FOLDER}.\2 import ", text)
    return re.sub(r"(?m)^import regex$", f"from {FOLDER} import properties as regex", text)
