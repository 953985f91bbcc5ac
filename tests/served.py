"""A gallery and a classifier that know their answers, so that what is tested is what stands around them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from acclimate.data.readers.pictures import Form
from acclimate.errors import RequestError
from acclimate.serving.searching import Limits

FORM = Form(16, 1)


@dataclass(frozen=True)
class Hit:
    id: str
    similarity: float


@dataclass
class Album:
    """Photos that are found by how dark the query is; `before` is called with every query."""

    root: Path
    names: list[str] = field(default_factory=list)
    before: Callable[[np.ndarray], None] = lambda _: None

    def __len__(self) -> int:
        return len(self.names)

    def search(self, pictures: np.ndarray, k: int) -> list[list[Hit]]:
        assert pictures.dtype == np.uint8
        assert pictures.shape[1:] == FORM.shape
        self.before(pictures)
        return [self._around(int(picture.mean()) % len(self.names), k) for picture in pictures]

    def like(self, id: str, k: int) -> list[Hit]:  # noqa: A002
        return self._around(self.names.index(self._known(id)) + 1, k)

    def path(self, id: str) -> Path:  # noqa: A002
        return self.root / self._known(id)

    def _known(self, name: str) -> str:
        if name not in self.names:
            raise RequestError("id", "must be that of an indexed photo", repr(name), "Search first.")
        return name

    def _around(self, start: int, k: int) -> list[Hit]:
        order = [*self.names[start:], *self.names[:start]]
        return [Hit(name, 1 - i / len(order)) for i, name in enumerate(order[:k])]


@dataclass
class Judge:
    """Tells a dark picture from a light one, and the other way round without adaptation."""

    classes: tuple[str, ...] = ("dark", "light")
    before_name: str | None = "source-only"

    def form(self, side: str) -> Form:
        return FORM

    def after(self, pictures: np.ndarray) -> np.ndarray:
        light = pictures.mean(axis=(1, 2, 3)) / 255
        return np.stack([1 - light, light], axis=1)

    def before(self, pictures: np.ndarray) -> np.ndarray | None:
        return self.after(pictures)[:, ::-1]


def png(image: Image.Image, kind: str = "PNG") -> bytes:
    file = BytesIO()
    image.save(file, kind)
    return file.getvalue()


def sketch(mode: str = "L", side: int = 64) -> Image.Image:
    image = Image.new(mode, (side, side), "white")
    ImageDraw.Draw(image).line([(8, 8), (side - 8, side - 8)], fill="black", width=5)
    return image


def photo_album(base: Path) -> Album:
    """Six photos in `base/photos`, and beside it a file that is nobody's business."""
    root = base / "photos"
    (root / "cats & dogs").mkdir(parents=True)
    names = [f"{name}.jpg" for name in ("a", "b", "c", "d", "e")] + ["cats & dogs/ü #1?.png"]
    for i, name in enumerate(names):
        colour = tuple(int(v) for v in np.random.default_rng(i).integers(60, 220, 3))
        Image.new("RGB", (640, 480), colour).save(root / name)
    (base / "secret.txt").write_text("secret")
    return Album(root, names)


class Running:
    """An app on a real port, in a thread; it can be stopped and started again there."""

    def __init__(self, make: Callable[[], Any], limits: Limits | None = None) -> None:
        self._make, self._limits, self._port = make, limits or Limits(), 0
        self.start()

    @property
    def place(self) -> tuple[str, int]:
        return "127.0.0.1", self._port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    @property
    def connections(self) -> int:
        return len(self._server.server_state.connections)

    def start(self) -> None:
        import uvicorn

        from acclimate.serving.server import configured, listening

        heard = listening("127.0.0.1", self._port)
        self._port = heard.getsockname()[1]
        self._server = uvicorn.Server(configured(self._make(), self._limits, grace=1))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [heard]}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
