"""The files of a vector index: what their header says of them, and whether they are as it says.

<folder>/index.json              what is in it, and the checksums of the two other files
<folder>/vectors-<token>.*       the vectors, as their engine keeps them
<folder>/ids-<token>.json        ids, content hashes and keys, in the order of adding
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from acclimate.errors import DataError, RequestError
from acclimate.runs.files import remove_leftovers
from acclimate.runs.manifest import file_hash
from acclimate.serving.engine import DType, Kind

FORMAT = 1
HEADER = "index.json"

_FILE = re.compile(r"(vectors|ids)-[0-9a-f]{16}\.[a-z]+")


class IndexFile(BaseModel):
    """One of the two files that a header names."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: str = Field(pattern=f"^{_FILE.pattern}$")
    bytes: int
    sha256: str


class Header(BaseModel):
    """The content of `index.json`."""

    model_config = ConfigDict(strict=True, extra="forbid")

    format: int
    kind: Kind
    encoder: str
    width: int = Field(ge=1)
    dtype: DType
    count: int = Field(ge=0)
    token: str
    vectors: IndexFile
    ids: IndexFile


class Ids(BaseModel):
    """The content of the file of ids, in the order of adding."""

    model_config = ConfigDict(strict=True, extra="forbid")

    next_key: int
    keys: list[int]
    ids: list[str]
    hashes: list[str]


def described(path: Path) -> IndexFile:
    """A file that was just written, as the header names it."""
    return IndexFile(name=path.name, bytes=path.stat().st_size, sha256=file_hash(path))


def fault(folder: Path, file: IndexFile) -> str | None:
    """What is wrong with a file that a header names; None if it is as it was written."""
    path = folder / file.name
    if not path.is_file():
        return "is missing"
    size = path.stat().st_size
    if size != file.bytes:
        return f"has {size:,} bytes instead of {file.bytes:,}"
    return None if file_hash(path) == file.sha256 else "does not have the content that was written"


def read_header(folder: Path) -> Header:
    """The header of an index.

    Raises:
        RequestError: if there is none, or one of another format.
        DataError: if it is damaged.
    """
    path = folder / HEADER
    if not path.is_file():
        raise RequestError(
            str(folder), "must be the folder of an index", f"no {HEADER} in it", "Build one there, or name another."
        )
    try:
        content = json.loads(path.read_bytes())
        found = content.get("format")
        if isinstance(found, int) and found != FORMAT:
            raise RequestError(
                f"the index in {folder}",
                f"must be in format {FORMAT}, which this version reads",
                f"format {found}",
                "Build it again, or use the version of acclimate that made it.",
            )
        return Header.model_validate_json(path.read_bytes())
    except RequestError:
        raise
    except (ValidationError, ValueError, AttributeError, RecursionError, OSError) as error:
        raise damaged(folder, f"{HEADER} ({type(error).__name__})") from None


def check_listed(listed: Ids, keys: np.ndarray, count: int) -> None:
    """Ids, hashes and keys that belong together.

    Raises:
        ValueError: if they do not.
    """
    if not len(listed.ids) == len(listed.hashes) == len(keys) == count:
        raise ValueError(f"{len(listed.ids):,} ids for {count:,} vectors")
    if len(set(listed.ids)) < count or len(set(listed.hashes)) < count:
        raise ValueError("ids or contents that occur twice")
    if (np.diff(keys) <= 0).any() or (count and not 0 <= keys[0] <= keys[-1] < listed.next_key):
        raise ValueError("keys out of order")


def remove_unnamed(folder: Path) -> None:
    """Remove what earlier saves, killed or replaced, have left; the lock is held."""
    named: set[str] = set()
    with suppress(RequestError):
        header = read_header(folder)
        named = {header.vectors.name, header.ids.name}
    remove_leftovers(folder)
    for path in folder.iterdir():
        if _FILE.fullmatch(path.name) and path.name not in named:
            # Where a file that somebody has mapped cannot be removed, the next save will.
            with suppress(OSError):
                path.unlink()


def damaged(folder: Path, what: str) -> DataError:
    """The error that says so."""
    return DataError(
        f"the index in {folder}", "must be whole", f"a damaged one: {what}", "Restore a copy, or build it again."
    )
