"""`Run`: one training as a folder.

config.json            what was asked for, resolved to the last option, and the machine it ran on
metrics.jsonl          one line per logged step or evaluation, in order
checkpoints/           step-00001234.safetensors: weights, optimizers, generators, positions; and their checksums
predictions.parquet    the final answers on the target, one row per example
sample.npz             features and pictures for the report
words.json             which words carried the answers, for models of texts that can tell
translations.npz       images translated from each side to the other, for models that can
searches.npz           what held-out queries find, for models that retrieve
frames/                00001234.png: the same few images translated at that step, for the same models
summary.json           final scores, how the weights were chosen, how long it took
manifest.json          checksums of the files above
report.html            the page to open
audits/                what was asked about some of the answers, and what labels told; see `runs.audits`
baseline/              the run without adaptation that this one is compared with, where there is one
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from acclimate.data.temporary import is_temporary
from acclimate.errors import RequestError, WorkError, unwritable
from acclimate.runs import lock
from acclimate.runs.checkpoint_files import classes_told_apart, prune
from acclimate.runs.configuration import Configuration, Summary
from acclimate.runs.files import as_json, remove_leftovers, write_atomically
from acclimate.runs.journal import Journal
from acclimate.runs.manifest import Manifest
from acclimate.runs.options import complaint

FORMAT = 2
_WORDS_KEYS = frozenset({"classes", "source", "target", "deletion"})
# A vocabulary of a million words takes twenty megabytes.
_MOST_BYTES = 200_000_000
# Folders of what is trained beside a run, to compare with: what it must be better than; where two tables have some
# columns by one name, the source's model on these; where classes may be absent, a method that assumes none is; and
# where a few target labels are given, the source without them, and they without the source.
BASELINE, SHARED_COLUMNS, PLAIN = "baseline", "shared-columns", "plain"
WITHOUT_LABELS, LABELS_ALONE = "without-labels", "labels-alone"
# What a folder begins with that will hold the best of several runs, once these are there; see `runs.chosen`.
AUTO = "auto.json"


def _read_json(path: Path, keys: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The object in a file of a run, which must have these keys."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise WorkError(f"{path} is not as acclimate writes it: more than {_MOST_BYTES / 10**6:g} MB")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise WorkError(f"{path} cannot be read: {error}") from None
    if not isinstance(content, dict) or (missing := sorted(keys - content.keys())):
        what = f"{', '.join(missing)} missing" if isinstance(content, dict) else "no JSON object"
        raise WorkError(f"{path} is not as acclimate writes it: {what}")
    return content


def _read_as(schema: type[BaseModel], path: Path) -> dict[str, Any]:
    """The object in a file of a run, held against its schema; what is missing and has a default gets it."""
    content = _read_json(path)
    try:
        return schema.model_validate(content).model_dump(by_alias=True)
    except ValidationError as error:
        where, rule, got = complaint(error)
        raise _not_ours(path, f"{where or 'it'} {rule}; got {got}") from None


def _not_ours(path: Path, said: str) -> WorkError:
    return WorkError(f"{path} is not as acclimate writes it: {said}. Restore it from a copy.")


class Run:
    """A run folder: paths by name, and reading and appending of its plain files.

    Args:
        folder: an existing run folder; see `create`.

    Raises:
        RequestError: if the folder holds no run.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        try:
            found = self.config_path.is_file()
        except OSError:  # such as a name that is too long for any folder
            found = False
        if not found and is_undecided(self.folder):
            got, fix = (
                f"{str(folder)!r}, where candidates are still trained",
                f"Go on with: acclimate resume {folder}",
            )
            raise RequestError("run", "must be finished", got, fix)
        if not found:
            raise RequestError(
                "run",
                "must be the folder of a run, with a config.json in it",
                repr(str(folder)),
                "`acclimate adapt` prints the folder it writes.",
            )

    @classmethod
    def create(cls, folder: Path | str, config: Mapping[str, Any]) -> Run:
        """Make the folder and write `config.json`.

        Raises:
            RequestError: if the folder is in use, or cannot be made; nothing is ever overwritten.
            WorkError: if the disk is full; the folder, which was new or empty, is then removed.
        """
        cls.refuse_used(folder)
        folder = Path(folder)
        try:
            (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise lock.unusable(folder, error) from None
        remove_leftovers(folder, folder / "checkpoints")
        text = as_json({"format": FORMAT, **config})
        try:
            Manifest(folder).write(folder / "config.json", lambda path: _write_text(path, text))
        except WorkError:
            with contextlib.suppress(OSError):
                for name in (Manifest(folder).path, folder / lock.NAME):
                    name.unlink(missing_ok=True)
                (folder / "checkpoints").rmdir()
                folder.rmdir()
            raise
        return cls(folder)

    @staticmethod
    def refuse_used(folder: Path | str) -> None:
        """Let pass a folder that is new or empty, or in which a run was killed before it wrote its first file.

        Raises:
            RequestError: if it holds anything else.
        """
        folder = Path(folder)
        try:
            if not folder.exists() or (folder.is_dir() and all(_means_nothing(path) for path in folder.iterdir())):
                return
            begun = (folder / "config.json").is_file() and not (folder / "summary.json").is_file()
            begun = begun or is_undecided(folder)
        except OSError as error:
            raise lock.unusable(folder, error) from None
        fix = f"Choose another, or continue it with: acclimate resume {folder}" if begun else "Choose another."
        raise RequestError("out", "must be a new or empty folder", repr(str(folder)), fix)

    @property
    def config_path(self) -> Path:
        """`config.json`."""
        return self.folder / "config.json"

    @property
    def metrics_path(self) -> Path:
        """`metrics.jsonl`."""
        return self.folder / "metrics.jsonl"

    @property
    def journal(self) -> Journal:
        """`metrics.jsonl`, to be written to and gone back in."""
        return Journal(self.metrics_path)

    def metrics(self) -> list[dict[str, Any]]:
        """All rows of `metrics.jsonl`; errors as for `Journal.rows`."""
        return list(self.journal.rows())

    @property
    def checkpoints_path(self) -> Path:
        """The folder of checkpoints."""
        return self.folder / "checkpoints"

    @property
    def predictions_path(self) -> Path:
        """`predictions.parquet`."""
        return self.folder / "predictions.parquet"

    @property
    def sample_path(self) -> Path:
        """`sample.npz`."""
        return self.folder / "sample.npz"

    @property
    def words_path(self) -> Path:
        """`words.json`."""
        return self.folder / "words.json"

    @property
    def searches_path(self) -> Path:
        """`searches.npz`."""
        return self.folder / "searches.npz"

    @property
    def translations_path(self) -> Path:
        """`translations.npz`."""
        return self.folder / "translations.npz"

    @property
    def frames_path(self) -> Path:
        """The folder of frames."""
        return self.folder / "frames"

    @property
    def summary_path(self) -> Path:
        """`summary.json`."""
        return self.folder / "summary.json"

    @property
    def report_path(self) -> Path:
        """`report.html`."""
        return self.folder / "report.html"

    @property
    def baseline(self) -> Run | None:
        """The source-only run it is compared with, if there is one."""
        return self.beside(BASELINE)

    def beside(self, name: str) -> Run | None:
        """A run of that name in this one's folder, if there is one."""
        folder = self.folder / name
        return Run(folder) if (folder / "config.json").is_file() else None

    @property
    def config(self) -> dict[str, Any]:
        """The content of `config.json`.

        Raises:
            WorkError: if the file is damaged, or of a model that tells other classes apart than the weights.
        """
        config = _read_as(Configuration, self.config_path)
        named, told = config["task"]["num_classes"], classes_told_apart(self.checkpoints_path)
        if told not in (None, named):
            raise _not_ours(self.config_path, f"task.num_classes must be {told:,}, as in the weights; got {named:,}")
        return config

    @property
    def has_checksums(self) -> bool:
        """Whether its files can be told from damaged ones; format 1 kept no manifest.

        Raises:
            WorkError: if `config.json` is damaged.
        """
        return Manifest(self.folder).path.exists() or bool(self.config["format"] != 1)

    @property
    def words(self) -> dict[str, Any] | None:
        """The content of `words.json`; None where the model cannot tell which words carried its answers.

        Raises:
            WorkError: if the file is damaged.
        """
        return _read_json(self.words_path, _WORDS_KEYS) if self.words_path.is_file() else None

    @property
    def summary(self) -> dict[str, Any] | None:
        """The content of `summary.json`; None while the run is unfinished.

        Raises:
            WorkError: if the file is damaged.
        """
        return _read_as(Summary, self.summary_path) if self.summary_path.is_file() else None

    @property
    def failed(self) -> dict[str, str]:
        """What could not be written after training, its own and its baseline's: for each piece, the traceback."""
        own = dict((self.summary or {}).get("failed", {}))
        baseline = self.baseline
        return own | ({f"{name} of the baseline": why for name, why in baseline.failed.items()} if baseline else {})

    @property
    def what_failed(self) -> str:
        """The same in plain words, with the next move; empty if nothing failed."""
        if not self.failed:
            return ""
        found = "; ".join(f"{name} ({why.strip().splitlines()[-1]:.200})" for name, why in self.failed.items())
        return (
            f"The model is trained and answers, but this could not be made of it: {found}. The whole story is in "
            f"{self.summary_path.name}; to try again: acclimate resume {self.folder}"
        )

    @property
    def is_unreported(self) -> bool:
        """Whether it has come to its end and no further: its report is not there, or half of one is.

        Raises:
            WorkError: if the summary is damaged.
        """
        return self.summary is not None and (
            not self.report_path.is_file() or any(map(is_temporary, self.folder.iterdir()))
        )

    def write_frame(self, step: int, write: Callable[[Path], None]) -> None:
        """Let `write` fill the PNG of a step in `frames/`, atomically; one that is there is replaced.

        Raises:
            WorkError: if the system will not write it.
        """
        path = self.frames_path / f"{step:08d}.png"
        try:
            self.frames_path.mkdir(exist_ok=True)
        except OSError as error:
            raise unwritable(path, error) from None
        write_atomically(path, write)

    def frames(self) -> list[tuple[int, Path]]:
        """The frames that are there: step and PNG file, in order."""
        found = [path for path in self.frames_path.glob("*.png") if path.stem.isdecimal()]
        return sorted((int(path.stem), path) for path in found)

    def drop_frames(self, after: int = -1) -> None:
        """Remove the frames of later steps, which a resumed run draws again, and what a killed writer left."""
        remove_leftovers(self.frames_path)
        for step, path in self.frames():
            if step > after:
                path.unlink(missing_ok=True)

    def write(self, path: Path, write: Callable[[Path], None]) -> None:
        """Write a file of this folder atomically, with its checksum in `manifest.json`."""
        Manifest(self.folder).write(path, write)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write `summary.json`, which marks the run as finished: whatever else is to be done has been by then.

        The metrics' checksum is recorded, and of the checkpoints the last one is kept.
        """
        prune(self.checkpoints_path, keep=1)
        content = self.metrics_path.read_bytes() if self.metrics_path.exists() else b""
        self.write(self.metrics_path, lambda path: _write_bytes(path, content))
        self.write(self.summary_path, lambda path: _write_text(path, as_json(dict(summary))))

    def check(self, *paths: Path) -> None:
        """Compare files with the checksums they were written with.

        Args:
            paths: which; all that have a checksum if there are none.

        Raises:
            WorkError: if one has changed since.
        """
        manifest = Manifest(self.folder)
        for path in (paths if self.has_checksums else ()) or manifest.listed():
            if (fault := manifest.fault(path)) is not None:
                raise WorkError(f"{path} {fault}. Restore it from a copy, or start a new run.")


def is_undecided(folder: Path) -> bool:
    """Whether candidates were begun there of which none is chosen yet."""
    try:
        return (folder / AUTO).is_file() and not (folder / "config.json").is_file()
    except OSError:
        return False


def _means_nothing(path: Path) -> bool:
    """Whether a run that was killed before its first file may have left this."""
    empty = path.name == "checkpoints" and path.is_dir() and not any(path.iterdir())
    return path.name == lock.NAME or is_temporary(path) or empty


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)
