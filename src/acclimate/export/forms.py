"""The forms in which a program can leave: ONNX, PyTorch's own, and plain arrays."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from acclimate.errors import MissingExtraError
from acclimate.export.closed import write_arrays
from acclimate.export.inputs import LEAST_WORDS
from acclimate.export.program import Program
from acclimate.export.standalone.predict import Run, onnx_runner, torch_runner
from acclimate.export.standalone.steps import arrays_runner

_MOST_WORDS = 2**20


@dataclass(frozen=True)
class Form:
    """One way to write a program down.

    Attributes:
        suffix: of its file.
        write: a program into a file.
        runner: what answers with that file: raw examples to answers.
        needs: what it takes to answer, in words.
    """

    suffix: str
    write: Callable[[Program, Path], None]
    runner: Callable[[Path], Run]
    needs: str


def write_onnx(program: Program, path: Path) -> None:
    """Write ONNX; the number of examples, and of words, stays open.

    Raises:
        MissingExtraError: if what writes or checks it is not installed.
    """
    check_onnx()
    # One file, which may have two gigabytes; the exporter puts larger weights beside it by itself.
    with _quiet():
        made = torch.onnx.export(
            exported(program), dynamo=True, verbose=False, input_names=["examples"], output_names=[program.gives]
        )
        assert made is not None
        made.save(str(path))


def write_pt2(program: Program, path: Path) -> None:
    """Write what `torch.export.load` reads."""
    with _quiet(), path.open("wb") as file:
        torch.export.save(exported(program), file)


def exported(program: Program) -> torch.export.ExportedProgram:
    """The program as a graph in which the number of examples, and of words, is open."""
    example = program.example
    dims = {0: torch.export.Dim.DYNAMIC}
    if example.dtype == torch.int64:
        dims[1] = torch.export.Dim("words", min=LEAST_WORDS, max=_MOST_WORDS)
    with torch.no_grad(), _quiet():
        return torch.export.export(program, (example,), dynamic_shapes=(dims,))


def check_onnx() -> None:
    """Refuse to go on where what writes and runs ONNX is not installed.

    Raises:
        MissingExtraError: which names the extra that brings it.
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        try:
            __import__(package)
        except ImportError:
            raise MissingExtraError(package, "export") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what exporters tell of themselves; what goes wrong is raised or shows in the answers."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


FORMS: Mapping[str, Form] = {
    "onnx": Form(".onnx", write_onnx, onnx_runner, "onnxruntime"),
    "pt2": Form(".pt2", write_pt2, torch_runner, "PyTorch"),
    "arrays": Form(".npz", write_arrays, arrays_runner, "NumPy alone"),
}
