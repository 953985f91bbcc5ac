"""Downloading official files: mirrors in turn, resumed where a transfer stopped, checked before they count."""

from __future__ import annotations

import http.client
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pooch
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from acclimate.data.catalog.base import Dataset, RemoteFile
from acclimate.data.domain import Domain
from acclimate.data.home import raw_folder
from acclimate.errors import WorkError

_ATTEMPTS = 5
_CHUNK = 2**17
_TIMEOUT = 30.0  # seconds without a byte


def get(dataset: Dataset, splits: Iterable[str] | None = None, progress: bool = True) -> dict[str, Domain]:
    """Download what is missing, read it and store it as arrays, in place of arrays from elsewhere.

    Args:
        dataset: the public data set.
        splits: which of its splits; by default all but the optional ones.
        progress: show a bar for each file, if standard error is a terminal.

    Returns:
        The splits, memory-mapped.

    Raises:
        UnknownNameError: if there is no such split.
        RequestError: if its authors give no address it could be had from; says what to do instead.
        WorkError: if a file can be had from none of its mirrors.
        DataError: if the files, though complete, are not what they should be.
    """
    chosen = _chosen(dataset, splits)
    fetch(dataset, chosen, progress)
    return {split: dataset.store_official(split) for split in chosen}


def fetch(dataset: Dataset, splits: Iterable[str] | None = None, progress: bool = True) -> list[Path]:
    """Download the official files that are missing or damaged, into the data set's raw folder.

    A transfer that was cut off is resumed, by the next mirror or by the next call.

    Args:
        dataset: the public data set.
        splits: which of its splits; by default all but the optional ones.
        progress: show a bar for each file, if standard error is a terminal.

    Returns:
        The files, all of them present and checked.

    Raises:
        UnknownNameError: as `get` does.
        RequestError: as `get` does.
        WorkError: as `get` does.
    """
    # pooch announces every attempt; what the user needs to know is said by the bar and by the errors.
    pooch.get_logger().setLevel("WARNING")
    folder = raw_folder(dataset.name)
    return [_fetch_file(file, folder, progress) for file in _files(dataset, splits)]


def size_left(dataset: Dataset, splits: Iterable[str] | None = None) -> int:
    """Bytes of the files that `fetch` would have to download, as far as their sizes are known.

    Raises:
        UnknownNameError: as `get` does.
        RequestError: as `get` does.
    """
    folder = raw_folder(dataset.name)
    return sum(file.size for file in _files(dataset, splits) if not (folder / file.name).exists())


def _files(dataset: Dataset, splits: Iterable[str] | None) -> list[RemoteFile]:
    return list(dict.fromkeys(file for split in _chosen(dataset, splits) for file in dataset.files_of(split)))


def _chosen(dataset: Dataset, splits: Iterable[str] | None) -> tuple[str, ...]:
    chosen = tuple(splits) if splits else tuple(s for s in dataset.splits if s not in dataset.optional)
    for split in chosen:
        dataset.check_split(split)
    return chosen


def _fetch_file(file: RemoteFile, folder: Path, progress: bool) -> Path:
    _make_room(file, folder)
    problems = []
    for url in file.urls:
        problem = _fetch_from(url, file, folder, progress)
        if not problem:
            return folder / file.name
        problems.append(f"  {url}: {problem}")
    raise WorkError(
        f"Could not download {file.name}:\n"
        + "\n".join(problems)
        + f"\nTry again later (what has arrived is kept), or put the file into {folder} yourself."
    )


def _make_room(file: RemoteFile, folder: Path) -> None:
    """Make the folder and see that the file will fit."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise WorkError(f"Cannot write to {folder}: {error}. Set ACCLIMATE_DATA to a folder of yours.") from None
    if free < file.size and not (folder / file.name).is_file():
        raise WorkError(
            f"{file.name} has {file.size:,} bytes, but {folder} has room for {free:,} only. Free some space or set"
            " ACCLIMATE_DATA to a folder on another disk."
        )


def _fetch_from(url: str, file: RemoteFile, folder: Path, progress: bool) -> str:
    """Download from one address, going on after interruptions as long as bytes arrive.

    Returns:
        What went wrong, empty if nothing did.
    """
    part = _part(file, folder)
    downloader = _Resuming(file, part, progress)
    problem = ""
    for _ in range(_ATTEMPTS):
        before = _size(part)
        try:
            pooch.retrieve(url, file.checksum, fname=file.name, path=folder, downloader=downloader)
            return ""
        except ValueError:
            problem = "it sent a file with another checksum"
            # What an earlier transfer left may have been to blame; a whole file with a wrong checksum stays wrong.
            if before == 0:
                return problem
        except (OSError, http.client.HTTPException) as error:
            problem = str(error) or type(error).__name__
            if _size(part) <= before:
                return problem
    return problem


class _Resuming:
    """A downloader for pooch that goes on where an earlier transfer stopped.

    Args:
        file: what is being downloaded.
        part: where bytes are kept until the file is complete.
        progress: show a bar, if standard error is a terminal.
    """

    def __init__(self, file: RemoteFile, part: Path, progress: bool) -> None:
        self.file, self.part, self.progress = file, part, progress

    def __call__(self, url: str, output_file: str, _: Any) -> None:
        """Bring the file to `output_file`.

        Raises:
            OSError: if the address cannot be reached or the transfer stops early.
            http.client.HTTPException: if the server does not speak HTTP.
        """
        with _open(url, _size(self.part)) as response:
            start = _size(self.part) if response.status == http.HTTPStatus.PARTIAL_CONTENT else 0
            announced = response.headers.get("Content-Length")
            expected = start + int(announced) if announced else self.file.size
            self._receive(response, start, expected)
        if _size(self.part) < expected:
            raise ConnectionError(f"the transfer stopped after {_size(self.part):,} of {expected:,} bytes")
        self.part.replace(output_file)

    def _receive(self, response: http.client.HTTPResponse, start: int, expected: int) -> None:
        """Append to the part from byte `start` on; `expected` is the size of the whole, 0 if not known."""
        with _bar(self.progress) as bar, self.part.open("ab" if start else "wb") as out:
            task = bar.add_task(self.file.name, total=expected or self.file.size or None, completed=start)
            while chunk := response.read(_CHUNK):
                out.write(chunk)
                bar.advance(task, len(chunk))
                if 0 < self.file.size < out.tell():
                    out.truncate(0)
                    raise ConnectionError(f"it sends more than the {self.file.size:,} bytes of the official file")


def _bar(show: bool) -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not (show and console.is_terminal),
    )


def _open(url: str, start: int) -> http.client.HTTPResponse:
    """Ask for a file from byte `start` on; a server may answer with the whole file instead."""
    headers = {"User-Agent": "acclimate"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=_TIMEOUT
        )
    except urllib.error.HTTPError as error:
        # The part is as long as the file or longer: begin anew.
        if start and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _open(url, 0)
        raise
    if response.status == http.HTTPStatus.PARTIAL_CONTENT and not _continues(response, start):
        response.close()
        raise ConnectionError("it sends another part of the file than was asked for")
    return response


def _continues(response: http.client.HTTPResponse, start: int) -> bool:
    return (response.headers.get("Content-Range") or "").startswith(f"bytes {start}-")


def _part(file: RemoteFile, folder: Path) -> Path:
    return folder / f".{file.name}.part"


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
