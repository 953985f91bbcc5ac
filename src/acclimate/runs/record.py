"""`Run`: one training as a folder.

config.json            what was asked for, resolved to the last option, and the machine it ran on
metrics.jsonl          one line per logged step or evaluation, in order
checkpoints/           step-00001234.safetensors: weights, optimizers, generators, positions
predictions.parquet    the final answers on the target, one row per example
sample.npz             features and pictures for the report
summary.json           final scores, how the weights were chosen, how long it took
report.html            the page to open
baseline/              the source-only run this one is compared with, where there is one
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from acclimate.errors import RequestError, WorkError
from acclimate.runs.files import unwritable, write_json, write_text

FORMAT = 1
_CONFIG_KEYS = {"request", "task", "method", "network", "preprocess", "training", "steps"}
_SUMMARY_KEYS = {"scores", "selection", "steps", "wall_s", "finished"}


def _read_json(path: Path, keys: set[str]) -> dict[str, Any]:
    """The object in a file of a run, which must have these keys."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise WorkError(f"{path} cannot be read: {error}") from None
    if not isinstance(content, dict) or (missing := sorted(keys - content.keys())):
        what = f"{', '.join(missing)} missing" if isinstance(content, dict) else "no JSON object"
        raise WorkError(f"{path} is not as acclimate writes it: {what}")
    return content


class Run:
    """A run folder: paths by name, and reading and appending of its plain files.

    Args:
        folder: an existing run folder; see `create`.

    Raises:
        RequestError: if the folder holds no run.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        if not self.config_path.is_file():
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
            RequestError: if the folder exists and is not empty, or cannot be made; nothing is ever overwritten.
            WorkError: if the disk is full; the folder, which was new or empty, is then removed.
        """
        folder = Path(folder)
        try:
            taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
            if not taken:
                (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"{str(folder)!r:.120} ({error.strerror})"
            fix = "Choose another with --out."
            raise RequestError("out", "must be a folder that can be written", reason, fix) from None
        if taken:
            begun = (folder / "config.json").is_file() and not (folder / "summary.json").is_file()
            fix = f"Choose another, or continue it with: acclimate resume {folder}" if begun else "Choose another."
            raise RequestError("out", "must be a new or empty folder", repr(str(folder)), fix)
        try:
            write_json(folder / "config.json", {"format": FORMAT, **config})
        except WorkError:
            with contextlib.suppress(OSError):
                (folder / "checkpoints").rmdir()
                folder.rmdir()
            raise
        return cls(folder)

    @property
    def config_path(self) -> Path:
        """`config.json`."""
        return self.folder / "config.json"

    @property
    def metrics_path(self) -> Path:
        """`metrics.jsonl`."""
        return self.folder / "metrics.jsonl"

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
        folder = self.folder / "baseline"
        return Run(folder) if (folder / "config.json").is_file() else None

    @property
    def config(self) -> dict[str, Any]:
        """The content of `config.json`.

        Raises:
            WorkError: if the file is damaged.
        """
        return _read_json(self.config_path, _CONFIG_KEYS)

    @property
    def summary(self) -> dict[str, Any] | None:
        """The content of `summary.json`; None while the run is unfinished.

        Raises:
            WorkError: if the file is damaged.
        """
        return _read_json(self.summary_path, _SUMMARY_KEYS) if self.summary_path.is_file() else None

    def append(self, row: Mapping[str, Any]) -> None:
        """Add one line to `metrics.jsonl`."""
        try:
            with self.metrics_path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        except OSError as error:
            raise unwritable(self.metrics_path, error) from None

    def metrics(self) -> list[dict[str, Any]]:
        """All rows of `metrics.jsonl`; a last line cut short by a crash is left out."""
        return list(self._rows())

    def _rows(self) -> Iterator[dict[str, Any]]:
        if not self.metrics_path.is_file():
            return
        for line in self.metrics_path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                return
            if not isinstance(row, dict) or not {"kind", "step"} <= row.keys():
                return
            yield row

    def forget_after(self, step: int) -> None:
        """Drop metrics rows of steps beyond `step`, so that a resumed run writes them once; −1 drops all."""
        if not self.metrics_path.exists():
            return
        kept = [row for row in self.metrics() if row["step"] <= step]
        text = "".join(json.dumps(row) + "\n" for row in kept)
        write_text(self.metrics_path, text)
