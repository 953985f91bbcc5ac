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
from starlette.requests import ClientDisconnect

from acclimate.data.readers.pictures import Form, Opened, open_picture, reason
from acclimate.serving.arrivals import Arrivals
from acclimate.serving.gallery import is_blank
from acclimate.serving.problems import Problem
from acclimate.serving.searching import Limits
from acclimate.serving.slots import client_of

_IN_WORDS = "a PNG, JPEG, WebP or BMP picture"
# What multipart wraps around a file.
_WRAPPING = 10_000


async def read_upload(request: Request, limits: Limits, arrivals: Arrivals) -> bytes:
    """The picture's bytes: the body itself, or the first file of a multipart form.

    Raises:
        Problem: 400, 408 or 413.
    """
    multipart = request.headers.get("content-type", "").lower().startswith("multipart/form-data")
    most = limits.bytes + (_WRAPPING if multipart else 0)
    try:
        body = await _body(request, most, arrivals)
        content = await _first_file(request, body) if multipart else body
    except TimeoutError:
        raise _too_slow(limits) from None
    except ClientDisconnect:
        raise Problem(400, "The connection ended before the picture was there. Send it again.") from None
    if len(content) > limits.bytes:
        raise _too_many_bytes(limits.bytes)
    if not content:
        raise Problem(400, f"The body must be {_IN_WORDS}; got 0 bytes. Send the file's content.")
    return content


async def _body(request: Request, most: int, arrivals: Arrivals) -> bytes:
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > most:
        raise _too_many_bytes(most)
    body = bytearray()
    async with arrivals.one(client_of(request.scope)) as came:
        async for chunk in request.stream():
            body += chunk
            came(len(chunk))
            if len(body) > most:
                raise _too_many_bytes(most)
    return bytes(body)


async def _first_file(request: Request, body: bytes) -> bytes:
    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        form = await MultiPartParser(request.headers, whole(), max_files=1, max_fields=8).parse()
    except (MultiPartException, KeyError, ValueError) as error:
        text = getattr(error, "message", str(error))
        raise Problem(400, f"The form must be multipart/form-data with one file; got another: {text:.200}") from None
    try:
        for value in form.values():
            if isinstance(value, UploadFile):
                return await value.read()
    finally:
        await form.close()
    raise Problem(400, "The form must have a file in it; got none. With curl: -F image=@picture.png")


def _too_many_bytes(most: int) -> Problem:
    detail = f"The picture must have at most {most / 10**6:.3g} MB; got more. Send a smaller one."
    return Problem(413, detail, {"Connection": "close"})


def _too_slow(limits: Limits) -> Problem:
    pace = f"at least {limits.pace / 1000:g} kB a second, and all of it within {limits.seconds:g} s"
    detail = f"The picture took longer to arrive than the server waits: {pace}. Send a smaller one, or try again."
    return Problem(408, detail, {"Connection": "close"})


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
