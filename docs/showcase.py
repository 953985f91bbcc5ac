"""The README's picture and the screenshots of the docs, from a run of `acclimate demo`, as files beside them.

    acclimate demo
    python docs/showcase.py runs/demo/mcc

The screenshots take Playwright and a chromium on the PATH. Like the pictures of `pictures.py` they are not checked
against the run: another version of the drawing library or of the browser draws other bytes.
"""

from __future__ import annotations

import io
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pictures import PICTURES
from PIL import Image

from acclimate.data.tasks import load_task
from acclimate.reports.drawing import FAINT, INK, VERMILLION
from acclimate.runs.record import Run

_COLUMNS, _ROWS, _SEED = 5, 4, 0
# Of a digit, and of the line below it that says what it is.
_CELL, _LINE = 1.0, 0.42
_WINDOW = {"width": 1100, "height": 660}


def main(folder: str) -> int:
    """Write them all."""
    run = Run(folder)
    save(before_and_after(run), "before-after")
    for name, shot in screenshots(run):
        save(Image.open(io.BytesIO(shot)), name)
    return 0


def save(picture: Image.Image, name: str) -> None:
    """As a PNG of 128 colours."""
    path = PICTURES / f"{name}.png"
    picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB, {picture.width} × {picture.height}")


def before_and_after(run: Run) -> Image.Image:
    """Some of the source and of the target, drawn at random, and what is answered to these before and after."""
    assert run.baseline is not None, f"{run.folder} was made without a baseline"
    task = load_task("demo")
    assert task.target_test is not None
    rng, n = np.random.default_rng(_SEED), _COLUMNS * _ROWS
    source = task.source.take(np.sort(rng.permutation(len(task.source))[:n]))
    asked = np.sort(rng.permutation(len(task.target_test))[:n])
    target = task.target_test.take(asked)
    labels = [source.classes[label] for label in source.labels]
    figure = Figure(figsize=(12.2, 3.55), facecolor="white", layout="constrained")
    panels = figure.subplots(1, 4)
    figure.get_layout_engine().set(rect=(0, 0, 1, 0.97))  # type: ignore[union-attr]
    digits(panels[0], np.asarray(source.array), labels, "Source: rendered, with labels")
    digits(panels[1], np.asarray(target.array), [""] * n, "Target: handwritten, without")
    for axes, when, of in ((panels[2], "Before", run.baseline), (panels[3], "After", run)):
        answers = pl.read_parquet(of.folder / "predictions.parquet").filter(pl.col("split") == "target_test")
        right = (answers["predicted"] == answers["label"]).to_numpy()
        words = f"{when}: {100 * right.mean():.1f} % of {len(right)} right"
        digits(axes, np.asarray(target.array), answers["predicted"].gather(asked).to_list(), words, right[asked])
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=130)
    return Image.open(buffer)


def digits(axes: Axes, images: np.ndarray, words: Sequence[str], title: str, right: np.ndarray | None = None) -> None:
    """Images `(n, h, w, 1)` in rows, a word below each; what is not right stands in red."""
    for i, (image, word) in enumerate(zip(images, words, strict=True)):
        row, column = divmod(i, _COLUMNS)
        left, bottom = column * _CELL * 1.06, -row * (_CELL + _LINE)
        axes.imshow(image[..., 0], cmap="gray", extent=(left, left + _CELL, bottom, bottom + _CELL))
        wrong = right is not None and not right[i]
        place = (left + _CELL / 2, bottom - _LINE / 2)
        colour, weight = (VERMILLION, "bold") if wrong else (INK, "normal")
        axes.text(*place, word, ha="center", va="center_baseline", fontsize=12, color=colour, weight=weight)
    axes.set(xlim=(-0.06, 1.06 * _COLUMNS), ylim=(-(_ROWS - 1) * (_CELL + _LINE) - _LINE, _CELL + 0.06))
    axes.set_axis_off()
    axes.set_title(title, fontsize=12.5, color=INK if right is not None else FAINT, loc="left", pad=4)


def screenshots(run: Run) -> Iterator[tuple[str, bytes]]:
    """The head of the report, and the page once a digit was drawn on it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started, served(run) as address:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=_WINDOW)  # type: ignore[arg-type]
        page.goto(run.report_path.resolve().as_uri())
        yield "report", page.screenshot()
        page.goto(address)
        board = page.locator("canvas").first
        box = board.bounding_box()
        assert box is not None
        for i, (x, y) in enumerate(_three()):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            if i == 0:
                page.mouse.down()
        page.mouse.up()
        page.wait_for_timeout(1500)  # the answer comes once the hand rests
        yield "page", page.screenshot(full_page=True)
        browser.close()


def _three() -> Iterator[tuple[float, float]]:
    """The stroke of a 3, in shares of the board."""
    for centre in (0.35, 0.65):
        for angle in np.linspace(-0.75 * np.pi, 0.5 * np.pi, 24):
            yield 0.48 + 0.15 * float(np.cos(angle)), centre + 0.15 * float(np.sin(angle))


@contextmanager
def served(run: Run) -> Iterator[str]:
    """The run's page, at this address."""
    command = [sys.executable, "-m", "acclimate", "serve", str(run.folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield next(word for line in server.stdout for word in line.split() if word.startswith("http://"))
        finally:
            server.send_signal(signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]) if sys.argv[1:] else __doc__)
