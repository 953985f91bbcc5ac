"""`gallery.json`: of which folder an index holds the photos, and the digests of files that have not changed since.

    <index>/gallery.json    root, and for every photo its stamp and the digest of its content

What it says of files only saves reading them again. What is indexed, and under which content, the index itself knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from acclimate.errors import DataError, RequestError
from acclimate.runs.files import write_text
from acclimate.serving.index_files import HEADER
from acclimate.serving.photos import Stamp

NAME = "gallery.json"
LOCK = ".gallery.lock"
FORMAT = 1


class Ledger(BaseModel):
    """The content of `gallery.json`.

    Attributes:
        format: of this file.
        root: the folder of photos, absolute and without links.
        photos: path → size, times of change and digest.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    format: int
    root: str
    photos: dict[str, tuple[int, int, int, str]]

    @classmethod
    def of(cls, root: Path, stamps: Mapping[str, Stamp], hashes: Mapping[str, str]) -> Ledger:
        """What is known, without the files that changed a moment ago."""
        settled = {name: (*stamps[name], content) for name, content in hashes.items() if stamps[name].settled}
        return cls(format=FORMAT, root=str(root), photos=settled)

    def recall(self, stamps: Mapping[str, Stamp]) -> dict[str, str]:
        """Digests of the files that are as they were."""
        known = ((name, stamp, self.photos.get(name)) for name, stamp in stamps.items())
        return {name: entry[3] for name, stamp, entry in known if entry and entry[:3] == tuple(stamp)}

    def write(self, folder: Path) -> None:
        """Put it in the index's folder, in place of an older one.

        Raises:
            WorkError: if the disk cannot be written.
        """
        write_text(folder / NAME, self.model_dump_json())

    @classmethod
    def read(cls, folder: Path) -> Ledger:
        """What an index's folder holds.

        Raises:
            RequestError: if it is in another format.
            DataError: if it is damaged or missing.
        """
        try:
            found = cls.model_validate_json((folder / NAME).read_bytes())
        except (ValidationError, ValueError, RecursionError, OSError) as error:
            what = "is missing" if isinstance(error, FileNotFoundError) else "is not as acclimate writes it"
            raise DataError(
                f"the index in {folder}",
                "must be whole",
                f"a damaged one: {NAME}, which {what}",
                "Build it again: acclimate index … --rebuild",
            ) from None
        if found.format != FORMAT:
            raise RequestError(
                f"the index in {folder}",
                f"must be in format {FORMAT}, which this version reads",
                f"format {found.format}",
                "Build it again: acclimate index … --rebuild",
            )
        return found


def has_index(folder: Path) -> bool:
    """Whether photos have been indexed there."""
    return (folder / HEADER).is_file()


def refuse_used(folder: Path) -> None:
    """Let pass a folder that is new, empty but for hidden files, or in which photos have been indexed.

    Raises:
        RequestError: if it holds anything else, or cannot be looked into.
    """
    try:
        ours = (folder / NAME).is_file() or not folder.exists()
        free = ours or (folder.is_dir() and all(path.name.startswith(".") for path in folder.iterdir()))
    except OSError:
        free = False
    if not free:
        raise RequestError(
            "index",
            "must be a new or empty folder, or one where photos have been indexed",
            repr(str(folder)),
            "Choose another with --index.",
        )
