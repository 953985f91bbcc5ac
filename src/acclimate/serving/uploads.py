"""A picture that somebody sends: read no further than the limits allow, and decoded in the form of the run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from io import BytesIO

import numpy as np
from fastapi import Request
from PIL import Image, UnidentifiedImageError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from acclimate.data.readers.pictures import Form, decode, reason
from acclimate.serving.problems import Problem
from acclimate.serving.searching import Limits

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
_IN_WORDS = "a PNG, JPEG, WebP or BMP picture"
# What multipart wraps around a file.
_WRAPPING = 10_000
# How much more than the limit is read and thrown away, so that whoever sends it comes to read the answer: a
# connection that is closed while bytes arrive is reset, and the answer with it.
_THROWN_AWAY = 4
# How far the values of a picture may lie apart and still show nothing.
_NOTHING = 1


async def read_upload(request: Request, limits: Limits) -> bytes:
    """The picture's bytes: the body itself, or the first file of a multipart form.

    Raises:
        Problem: 400, 408 or 413.
    """
    multipart = request.headers.get("content-type", "").lower().startswith("multipart/form-data")
    most = limits.bytes + (_WRAPPING if multipart else 0)
    try:
        async with asyncio.timeout(limits.seconds):
            body = await _body(request, most, limits)
            content = await _first_file(request, body) if multipart else body
    except TimeoutError:
        raise Problem(
            408, f"The picture took longer than {limits.seconds:g} s to arrive. Send a smaller one."
        ) from None
    except ClientDisconnect:
        raise Problem(400, "The connection ended before the picture was there. Send it again.") from None
    if len(content) > limits.bytes:
        raise _too_many_bytes(limits.bytes)
    if not content:
        raise Problem(400, f"The body must be {_IN_WORDS}; got 0 bytes. Send the file's content.")
    return content


async def _body(request: Request, most: int, limits: Limits) -> bytes:
    declared = request.headers.get("content-length", "0")
    too_many = not declared.isdecimal() or int(declared) > most
    body = bytearray()
    stream = request.stream()
    if not too_many:
        async for chunk in stream:
            body += chunk
            if len(body) > most:
                too_many = True
                break
    if too_many:
        await _throw_away(request, stream, _THROWN_AWAY * most)
        raise _too_many_bytes(limits.bytes)
    return bytes(body)


async def _throw_away(request: Request, stream: AsyncGenerator[bytes, None], most: int) -> None:
    if "expect" in request.headers:
        return  # nothing has been sent yet
    async for chunk in stream:
        most -= len(chunk)
        if most < 0:
            return


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
    detail = f"The picture must have at most {most / 10**6:g} MB; got more. Send a smaller one."
    return Problem(413, detail, {"Connection": "close"})


def decode_bytes(content: bytes, form: Form, most_pixels: int) -> np.ndarray:
    """The pixels of a picture file, as `pictures.decode` has them.

    Args:
        content: of the file.
        form: what they become.
        most_pixels: more are refused by what the header says, before any is decoded.

    Returns:
        uint8 `(size, size, channels)`.

    Raises:
        Exception: whatever Pillow raises on a damaged file, or on one that is too large; see `reason`.
    """
    with Image.open(BytesIO(content), formats=FORMATS) as image:
        if image.width * image.height > most_pixels:
            raise Image.DecompressionBombError
    return decode(BytesIO(content), form)  # type: ignore[arg-type,unused-ignore]  # Pillow opens files and paths alike


def picture_of(content: bytes, form: Form, limits: Limits) -> np.ndarray:
    """The one picture of a query.

    Returns:
        uint8 `(1, size, size, channels)`.

    Raises:
        Problem: 413, 415 or 422.
    """
    try:
        picture = decode_bytes(content, form, limits.pixels)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        most = f"{limits.pixels / 10**6:g} megapixels"
        raise Problem(413, f"The picture must have at most {most}; got more. Send a smaller one.") from None
    except UnidentifiedImageError:
        raise Problem(415, f"The body must be {_IN_WORDS}; got {_kind(content)}. Save it as PNG.") from None
    except MemoryError:
        raise
    except Exception as error:  # Pillow raises errors of many types on damaged files
        raise Problem(422, f"The picture must be whole; got one that cannot be read: {reason(error):.200}.") from None
    if int(picture.max()) - int(picture.min()) <= _NOTHING:
        detail = "The picture must show something; got one colour all over. Draw a line, or choose another picture."
        raise Problem(422, detail)
    return np.array(picture[None])  # Pillow's own memory is read-only, which PyTorch does not take


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
