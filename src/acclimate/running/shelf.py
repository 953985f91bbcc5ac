"""Data that were read for one run of several, kept for the next on the same."""

from __future__ import annotations

from pathlib import Path

from acclimate.data.task import Task
from acclimate.running.own_comparison import way_of
from acclimate.running.requests import task_of
from acclimate.runs.record import Run
from acclimate.runs.request import Request

# What decides what is read, beside the files: the split and the size of pictures.
_OF_READING = ("seed", "image_size")


class Shelf:
    """The task that was read last."""

    def __init__(self) -> None:
        self._of: tuple[object, ...] = ()
        self._task: Task | None = None

    def task(self, request: Request, before: Run | None = None) -> Task:
        """As `task_of`; nothing is read where the same was asked for last, of files that have not been written since.

        Folders are read anew: nothing tells at once whether a file in them has changed, and their pictures are
        decoded once in any case.
        """
        of = _reading_of(request)
        if self._task is None or not of or of != self._of:
            self._task, self._of = None, ()  # never two at a time
            self._task, self._of = task_of(request, before), of
        return self._task


def _reading_of(request: Request) -> tuple[object, ...]:
    """What tells one reading from another; empty where nothing does."""
    if request.model is not None:
        return ()
    paths = [Path(path) for path in (*request.sources, request.target, request.target_test) if path]
    try:
        stamps = [path.stat() for path in paths if path.is_file()]
    except OSError:
        return ()
    if len(stamps) < len(paths):
        return ()
    asked = {name: request.training.get(name) for name in _OF_READING}
    of_method = {"method": "", "method_options": {}, "network": None, "training": asked, "baseline": True}
    written = tuple((stamp.st_mtime_ns, stamp.st_size, stamp.st_ino) for stamp in stamps)
    return way_of(request), request.model_copy(update=of_method).model_dump_json(), written
