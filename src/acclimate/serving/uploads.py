"""A picture that somebody sends: read no further than the limits allow, and decoded in the form of the run."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress

import numpy as np
from fastapi import Request
from PIL import Image, UnidentifiedImageError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from acclimate.data.readers.pictures import Form, Opened, open_picture, reason
from acclimate.serving.arrivals import Arrivals
from acclimate.serving.bodies import received, too_many_bytes
from acclimate.serving.gallery import is_blank
from acclimate.serving.problems import Problem
from acclimate.serving.searching import Limits

_IN_WORDS = "a PNG, JPEG, WebP or BMP picture"
# What multipart wraps around a file.
_WRAPPING = 10_000


async def read_upload(request: Request, limits: Limits, arrivals: Arrivals) -> bytes:
    """The picture's bytes: the body itself, or the first file of a multipart form.

    Raises:
        Problem: 400, 408 or 413.
    """
    body = await received(request, arrivals, limits.bytes + (_WRAPPING if is_form(request) else 0), "picture")
    content = (await _files(request, body, 1))[0][1] if is_form(request) else body
    return _checked(content, limits)


async def read_uploads(request: Request, limits: Limits, arrivals: Arrivals) -> tuple[list[bytes], bool]:
    """The bytes of one picture or of several, and whether a list is asked for: a form's files called `images`.

    Raises:
        Problem: 400, 408 or 413.
    """
    if not is_form(request):
        return [await read_upload(request, limits, arrivals)], False
    body = await received(request, arrivals, limits.bytes + limits.pictures * _WRAPPING, "form")
    files = await _files(request, body, limits.pictures)
    several = {name for name, _ in files} == {"images"}
    if len(files) > 1 and not several:
        fix = "Call each of them images: -F images=@a.png -F images=@b.png"
        raise Problem(400, f"Several files of a form must all be called images; got {len(files)}. {fix}")
    return [_checked(content, limits) for _, content in files], several


def is_form(request: Request) -> bool:
    """Whether the body is a multipart form."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


def _checked(content: bytes, limits: Limits) -> bytes:
    if len(content) > limits.bytes:
        raise too_many_bytes(limits.bytes, "picture")
    if not content:
        raise Problem(400, f"The body must be {_IN_WORDS}; got 0 bytes. Send the file's content.")
    return content


async def _files(request: Request, body: bytes, most: int) -> list[tuple[str, bytes]]:
    """The files of a form, at least one, by the name of their field."""

    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(request.headers, whole(), max_files=most, max_fields=8)
    parser.spool_max_size = len(body) + 1  # in memory; Starlette would write what is larger than 1 MB to disk
    try:
        form = (await parser.parse()).multi_items()
        found = [(name, await value.read()) for name, value in form if isinstance(value, UploadFile)]
    except (MultiPartException, KeyError, ValueError) as error:
        text, files = getattr(error, "message", str(error)), "one file" if most == 1 else f"at most {most} files"
        raise Problem(400, f"The form must be multipart/form-data with {files}; got another: {text:.200}") from None
    finally:
        for file in parser._files_to_close_on_error:  # a part that has no end is in no form that could be closed
            file.close()
    if not found:
        raise Problem(400, "The form must have a file in it; got none. With curl: -F image=@picture.png")
    return found


def open_upload(content: bytes, form: Form, limits: Limits) -> Opened:
    """The one picture of a query, of which the header has been read.

    Raises:
        Problem: 413, 415 or 422.
    """
    with _as_problems(content, limits):
        opened = open_picture(io.BytesIO(content), form, limits.pixels)
    if opened.bytes > limits.unpacked:
        opened.image.close()
        got = f"{opened.bytes / 10**6:.3g} MB"
        detail = f"The picture must unpack to at most {limits.unpacked / 10**6:g} MB; got {got}."
        raise Problem(413, f"{detail} Send a smaller one, or one of 8 bits a channel that is not progressive.")
    return opened


def picture_of(opened: Opened, content: bytes, limits: Limits) -> np.ndarray:
    """Its pixels.

    Returns:
        uint8 `(size, size, channels)`.

    Raises:
        Problem: 422.
    """
    with _as_problems(content, limits):
        picture = opened.decode()
    if is_blank(picture):
        detail = "The picture must show something; got one colour all over. Draw a line, or choose another picture."
        raise Problem(422, detail)
    return np.array(picture)  # Pillow's own memory is read-only, which PyTorch does not take


@contextmanager
def _as_problems(content: bytes, limits: Limits) -> Iterator[None]:
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        most = f"{limits.pixels / 10**6:g} megapixels"
        raise Problem(413, f"The picture must have at most {most}; got more. Send a smaller one.") from None
    except UnidentifiedImageError:
        raise Problem(415, f"The body must be {_IN_WORDS}; got {_kind(content)}. Save it as PNG.") from None
    except MemoryError:
        raise
    except Exception as error:  # Pillow raises errors of many types on damaged files
        raise Problem(422, f"The picture must be whole; got one that cannot be read: {reason(error):.200}.") from None


def _kind(content: bytes) -> str:
    """What was sent instead, as far as its first bytes tell."""
    start = content[:1000].lstrip().lower()
    if b"<svg" in start:
        return "an SVG drawing"
    if start.startswith((b"<!doctype", b"<html")):
        return "a web page"
    with suppress(UnicodeDecodeError):
        text = content[:40].decode().strip()
        if text.isprintable():
            return f"text: {text!r}"
    return f"{len(content):,} bytes of something else"
