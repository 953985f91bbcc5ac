"""Answers of an exported model: python predict.py DATA [--out answers.csv].

It needs NumPy, Pillow and onnxruntime, no PyTorch and no acclimate. Of a model that finds things,
`python predict.py QUERIES --among ITEMS` tells what each query finds.

    from predict import Model
    model = Model("folder/of/the/model")
    for name, probabilities in model.answers("photos/"):
        ...
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.formulas import guard

Read = Callable[[Path, Mapping[str, Any], int], Iterator[tuple[list[str], np.ndarray]]]
Run = Callable[[np.ndarray], np.ndarray]
_AT_ONCE = 32


class Model:
    """An exported folder.

    Args:
        folder: where `inference.json` is.
        side: `"source"` for the queries of a model that finds things.
    """

    def __init__(self, folder: Path | str, side: str = "target") -> None:
        self.folder = Path(folder)
        facts = json.loads((self.folder / "inference.json").read_text(encoding="utf-8"))
        self.classes: list[str] = facts["classes"]
        self.temperature: float | None = facts.get("calibration", {}).get("temperature")
        self.facts: dict[str, Any] = facts["sides"][side]
        if self.facts["kind"] == "text":
            self.facts["words"] = (self.folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n")
        self.run = _runner(self.folder, "model" if side == "target" else "query")

    def examples(self, path: Path | str, most: int = _AT_ONCE) -> Iterator[tuple[list[str], np.ndarray]]:
        """Names and examples as the model takes them, at most so many at a time.

        Raises:
            ValueError: if there is nothing that can be read.
        """
        return _reader(self.facts["kind"])(Path(path), self.facts, most)

    def answers(self, path: Path | str) -> Iterator[tuple[str, np.ndarray]]:
        """Of each example its name and the probabilities of the classes `(k,)`, in the order of `classes`."""
        for name, logits in self.logits(path):
            yield name, softmax(logits[None])[0]

    def logits(self, path: Path | str) -> Iterator[tuple[str, np.ndarray]]:
        """The same before the softmax: divided by `temperature`, where there is one, they give calibrated ones."""
        for names, examples in self.examples(path):
            yield from zip(names, self.run(examples), strict=True)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities `(n, k)` of logits."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _reader(kind: str) -> Read:
    if kind == "images":
        from acclimate.export.standalone.picture_files import read
    elif kind == "text":
        from acclimate.export.standalone.text_files import read
    else:
        from acclimate.export.standalone.table_files import read
    return read


def _runner(folder: Path, name: str) -> Run:
    """What answers with the first form that is there: ONNX, plain arrays, PyTorch's own."""
    if (path := folder / f"{name}.onnx").is_file():
        return onnx_runner(path)
    if (path := folder / f"{name}.npz").is_file():
        from acclimate.export.standalone.steps import arrays_runner

        return arrays_runner(path)
    if (path := folder / f"{name}.pt2").is_file():
        return torch_runner(path)
    raise FileNotFoundError(f"{folder} must hold {name}.onnx, {name}.npz or {name}.pt2")


def onnx_runner(path: Path) -> Run:
    """Examples `(b, …)` to answers `(b, …)` by onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda examples: session.run(None, {name: examples})[0]


def torch_runner(path: Path) -> Run:
    """The same by PyTorch, for `model.pt2`."""
    import torch

    program = torch.export.load(path).module()

    def run(examples: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(program(torch.from_numpy(examples)))

    return run


def found(queries: np.ndarray, items: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The best items of each query `(q, most)`, best first, and their cosines."""
    unit = [rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12) for rows in (queries, items)]
    cosines = unit[0] @ unit[1].T
    best = np.argsort(-cosines, axis=1, kind="stable")[:, :most]
    return best, np.take_along_axis(cosines, best, axis=1)


def _vectors(model: Model, path: str) -> tuple[list[str], np.ndarray]:
    parts = [(names, model.run(examples)) for names, examples in model.examples(path)]
    return [name for names, _ in parts for name in names], np.concatenate([vectors for _, vectors in parts])


def _rows(arguments: argparse.Namespace) -> Iterator[list[str]]:
    """What is written: a header, then a row for each answer."""
    if arguments.among is not None:
        yield ["query", "rank", "item", "cosine"]
        names, queries = _vectors(Model(arguments.folder, "source"), arguments.data)
        items, vectors = _vectors(Model(arguments.folder), arguments.among)
        for name, best, cosines in zip(names, *found(queries, vectors, arguments.most), strict=True):
            for rank, (place, cosine) in enumerate(zip(best, cosines, strict=True), start=1):
                yield [guard(name), str(rank), guard(items[place]), f"{cosine:.6f}"]
        return
    model = Model(arguments.folder)
    if not model.facts["gives"] == "logits":
        raise ValueError("this model finds things: say among which, --among ITEMS")
    temperatures = [1.0] if model.temperature is None else [1.0, model.temperature]
    yield ["id", "predicted", "confidence", "calibrated"][: 2 + len(temperatures)]
    for name, logits in model.logits(arguments.data):
        sure = [f"{softmax(logits[None] / temperature).max():.6f}" for temperature in temperatures]
        yield [guard(name), guard(model.classes[int(logits.argmax())]), *sure]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="what to answer: a file or a folder, as in training")
    parser.add_argument("--out", help="a new .csv file; by default answers are printed")
    parser.add_argument("--among", help="of a model that finds things: what to search")
    parser.add_argument("--most", type=int, default=5, help="how many of these to tell (default 5)")
    parser.add_argument("--folder", default=Path(__file__).parent, help="of the model, if it is another")
    arguments = parser.parse_args()
    try:
        if arguments.out is None:
            csv.writer(sys.stdout, lineterminator="\n").writerows(_rows(arguments))
            return
        with Path(arguments.out).open("x", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(_rows(arguments))
    except (ValueError, OSError) as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
