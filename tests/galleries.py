"""Pictures and an encoder that need no training, for tests of what is built on them."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import nn

from acclimate.data.readers.pictures import Form
from acclimate.networks.encoder import PhotoEncoder
from acclimate.types import Side


class Colours:
    """The mean colours of a grid of 2 × 2, less those of grey; it counts what it encodes."""

    name, width = "colours 1", 12

    def __init__(self) -> None:
        self.encoded = 0

    def form(self, side: Side) -> Form:
        return Form(8, 3)

    def encode(self, pictures: np.ndarray, side: Side) -> np.ndarray:
        assert pictures.dtype == np.uint8
        assert pictures.shape[1:] == self.form(side).shape
        self.encoded += len(pictures)
        blocks = pictures.reshape(len(pictures), 2, 4, 2, 4, 3).astype(np.float32).mean(axis=(2, 4))
        return blocks.reshape(len(pictures), 12) - np.float32(128)


def pixels(seed: int) -> np.ndarray:
    """Four colours in a square, uint8 (8, 8, 3)."""
    drawn = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), dtype=np.uint8)
    return drawn.repeat(4, axis=0).repeat(4, axis=1)


def content(seed: int) -> bytes:
    """A PNG of these pixels."""
    buffer = io.BytesIO()
    Image.fromarray(pixels(seed)).save(buffer, "PNG")
    return buffer.getvalue()


def photo(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content(seed))
    return path


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def broken(folder: Path) -> dict[str, str]:
    """Files that are no photos; name → the reason that is told."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = content(99)
    files = {
        "empty.jpg": (b"", "an empty file"),
        "text.jpg": (b"dear diary", "not an image of a known format"),
        "drawing.png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image of a known format"),
        "cut.png": (whole[: len(whole) - 30], "truncated"),
        "bomb.png": (bomb(10_000, 5_000), "more than 40 megapixels"),
        "script.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image of a known format"),
    }
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    return {name: why for name, (_, why) in files.items()}


SHAPES = ("circle", "cross", "square")


def draw(shape: str, rng: np.random.Generator, *, sketch: bool, side: int = 72) -> Image.Image:
    """A shape, filled in colour on colour, or outlined in black on white."""
    paper, ink = (255,) * 3 if sketch else tuple(rng.integers(150, 256, 3).tolist()), (0,) * 3
    if not sketch:
        ink = tuple(rng.integers(0, 100, 3).tolist())
    image = Image.new("RGB", (side, side), paper)
    pen = ImageDraw.Draw(image)
    a, b = (int(side * share + rng.integers(-5, 6)) for share in (0.25, 0.75))
    if shape == "cross":
        pen.line([a, a, b, b], fill=ink, width=4 if sketch else 9)
        pen.line([a, b, b, a], fill=ink, width=4 if sketch else 9)
    else:
        outline = {"outline": ink, "width": 3} if sketch else {"fill": ink}
        (pen.ellipse if shape == "circle" else pen.rectangle)([a, a, b, b], **outline)
    return image.convert("L") if sketch else image


def drawn_folders(base: Path, photos: int = 14, sketches: int = 2, *, named: bool = True) -> tuple[Path, Path]:
    """Folders of sketches and of photos, so many of a class; every other photo was drawn so many times.

    Args:
        base: where to.
        photos: of each class.
        sketches: of each photo that has some.
        named: by the photo they show, `<photo>-<number>.png`.
    """
    rng, number = np.random.default_rng(0), 0
    for shape in SHAPES:
        for i in range(photos):
            path = base / "photos" / shape / f"{shape}_{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            draw(shape, rng, sketch=False).save(path)
            for k in range(sketches if i % 2 == 0 else 0):
                number += 1
                name = f"{shape}_{i}-{k + 1}.png" if named else f"drawing {number}.png"
                path = base / "sketches" / shape / name
                path.parent.mkdir(parents=True, exist_ok=True)
                draw(shape, rng, sketch=True).save(path)
    return base / "sketches", base / "photos"


class Blocks(nn.Module):
    """Mean colours of a grid of 4 × 4 as 48 features; it counts what it encodes."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.encoded = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.encoded += len(x)
        return self.scale * nn.functional.adaptive_avg_pool2d(x, 4).flatten(1)


def blocks_encoder(network: nn.Module | None = None, name: str = "mobilenetv2") -> PhotoEncoder:
    """An encoder of photos that takes no weights."""
    base, _, size = name.partition("@")
    made = PhotoEncoder(base, (network or Blocks()).eval(), 32, 36, (0.5,) * 3, (0.25,) * 3)
    return made.at(int(size)) if size else made
