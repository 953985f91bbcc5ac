"""Requests that no client of ours would send: wrong heads, bodies, forms, pictures, addresses and labels."""

from __future__ import annotations

import io
import json
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import quote

from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).parent))
from parsers import json_value, mutated

PHOTOS = ("a.png", "cats & dogs/ü #1?.png", "line\nbreak.jpg", "%41.jpg")
ITEMS = ("bkzt-01", "bkzt-02")
CLASSES = ("cat", "dog")


@dataclass(frozen=True)
class Case:
    """What is sent, and what is known of it.

    Attributes:
        content: in the pieces in which it is sent.
        method: as the reader of the answer must know it.
        route: the path in OpenAPI whose statuses are due; None where the path may be any.
        whole: whether an answer is due; what is cut or contradicts itself may be left without one.
        app: "search" or "labels".
    """

    content: tuple[bytes, ...]
    method: str = "POST"
    route: str | None = None
    whole: bool = True
    app: str = "search"


def request(method: str, target: str, *lines: str, host: str = "localhost", body: bytes = b"") -> bytes:
    """A request as it should be, but for what it is given."""
    length = [f"Content-Length: {len(body)}"] if body or method in ("POST", "PUT") else []
    head = "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host}", *length, *lines, "", ""])
    return head.encode("utf-8", "surrogateescape") + body


def sketch(mode: str = "L", kind: str = "PNG", side: int = 48, **options: object) -> bytes:
    """A line on paper."""
    image = Image.new("L", (side, side), "white")
    ImageDraw.Draw(image).line([(4, 4), (side - 4, side // 2)], fill="black", width=5)
    file = io.BytesIO()
    image.convert(mode).save(file, kind, **options)
    return file.getvalue()


SKETCH = sketch()

# Heads

_METHODS = (
    "GET",
    "POST",
    "PUT",
    "HEAD",
    "OPTIONS",
    "DELETE",
    "PATCH",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "get",
    "X" * 900,
)
_TARGETS = (
    "/", "/api/info", "/api/health", "/api/search", "/api/search?k=3", "/api/predict", "/api/openapi.json",
    "/app.js", "/api/photos/a.png", "/api/like/a.png", "*", "http://localhost/api/info", "http://evil.example/",
    "//evil.example/", "/api//info", "/api/../api/info", "/%61pi/info", "/api/info%00", "/api/info#x",
    "/api/info?" + "x=1&" * 400, "/" + "a" * 9000, "/" + "%c3%28" * 9, "/api/info/", "/API/INFO", "localhost:80",
    "", "/\\..\\x", "/api/search;k=3",
)  # fmt: skip
_VERSIONS = ("HTTP/1.1",) * 50 + ("HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.10", "", "FTP/1.1")
_HOSTS = (
    "localhost", "LOCALHOST.", "localhost:80", "127.0.0.1", "[::1]:8000", "evil.example", "localhost@evil.example",
    "", " ", "localhost,evil.example", "localhost:x", "[::1", "ü", "localhost/", "127.0.0.1.evil.example", "a" * 5000,
)  # fmt: skip
_ODD: tuple[str, ...] = (
    "Origin: null", "Origin: http://localhost", "Origin: http://evil.example", "Origin: http://[", "Origin: ",
    "Origin: http://localhost:99999999", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Site: ü", "Sec-Fetch-Mode: navigate", "Connection: close", "Connection: keep-alive, Upgrade",
    "Upgrade: websocket", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__", "Expect: 100-continue", "Expect: ü",
    "Content-Type: text/html", "Content-Type: multipart/form-data", "Content-Type: multipart/form-data; boundary=",
    "Content-Type: image/png; x=\x01", "Content-Encoding: gzip", "Accept-Encoding: br;q=9", "Range: bytes=0-10",
    "Range: bytes=0-0,2-3", "Range: bytes=-1", "Range: bytes=9999999-", "Range: x=1",
    "Range: bytes=" + "0-0," * 300, "If-Range: x", "If-None-Match: *", "If-Modified-Since: x",
    "Cookie: " + "a=b; " * 900, "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Host: evil.example", "Host: localhost",
    "Host: evil.example", "A: " + "b" * 70_000, " folded: x", "no colon", ": no name", "Bad Name: x", "N\x00ul: x",
    "X: \x00", "X: \x7f", "ü: x", "Content-Length: 3", "Transfer-Encoding: chunked", "Transfer-Encoding: x",
    "Accept: " + "*/*," * 99, "Authorization: Basic !!", "X-HTTP-Method-Override: DELETE", "Trailer: X",
    "TE: trailers",
)  # fmt: skip


def heads(rng: Random) -> Case:
    """Methods, targets, versions and headers."""
    method, version = rng.choice(_METHODS[:6] * 3 + _METHODS), rng.choice(_VERSIONS)
    target, host = rng.choice(_TARGETS), rng.choice(("localhost",) * 60 + _HOSTS)
    lines = rng.choices(_ODD, k=rng.choice((0, 0, 0, 0, 1, 1, 1, 2, 4, 40)))
    end = rng.choice(("\r\n",) * 30 + ("\n", "\r", "\n\r"))
    text = end.join(
        [f"{method} {target} {version}", *[f"Host: {host}"] * rng.choice((1,) * 30 + (0, 2)), *lines, "", ""]
    )
    content = text.encode("utf-8")
    if rng.random() < 0.2:
        content = mutated(rng, content, tuple(line.encode() for line in _ODD[:20]))
    return Case((content,), method, whole=False)


# Bodies

_LENGTHS = (
    "0",
    "1",
    "-1",
    "+5",
    "5, 5",
    "5, 6",
    "0x10",
    "1e3",
    " 7",
    "7 ",
    "",
    "٣",
    "9" * 19,
    "9" * 30,
    "9" * 5000,
    "NaN",
)
_SIZES = (
    "0",
    "1",
    "5",
    "-1",
    "+5",
    "0x5",
    "FFFFFFFF",
    "F" * 16,
    "F" * 40,
    "",
    "g",
    "5;x=y",
    '5;x="\x00"',
    " 5",
    "5 ",
    "00005",
)


def _chunked(rng: Random, body: bytes) -> bytes:
    pieces, at = [], 0
    while at < len(body) and len(pieces) < 30:
        step = rng.choice((1, 7, 100, 5000))
        piece = body[at : at + step]
        size = f"{len(piece):x}" if rng.random() < 0.9 else rng.choice(_SIZES)
        end = b"\r\n" if rng.random() < 0.95 else rng.choice((b"\n", b"", b"\r", b"\r\r\n", b"xx"))
        pieces += [size.encode("utf-8"), b"\r\n", piece, end]
        at += step
    last = rng.choice(
        (b"0\r\n\r\n",) * 6 + (b"0\r\nTrailer: x\r\n\r\n", b"", b"0\r\n", b"00\r\n\r\n", b"0\r\n: x\r\n\r\n")
    )
    return b"".join(pieces) + last


def bodies(rng: Random) -> Case:
    """Lengths and chunks that are wrong, or cut short, or come in pieces."""
    labels = rng.random() < 0.3
    target = (
        f"/api/questions/{ITEMS[0]}"
        if labels
        else rng.choice(("/api/search", "/api/predict", "/api/info", "/nothing"))
    )
    body = rng.choice((SKETCH, SKETCH, b"", rng.randbytes(300), bytes(rng.choice((9_000, 400_000)))))
    body = json.dumps({"label": "cat"}).encode() if labels and rng.random() < 0.5 else body
    lines = ["Content-Type: application/json"] if labels else [rng.choice(_ODD)] * (rng.random() < 0.3)
    kind = rng.randrange(4)
    if kind == 0:
        lines.append(f"Content-Length: {rng.choice((*_LENGTHS, str(len(body) - 1), str(len(body) + 1)))}")
    if kind in (1, 2):
        coding = rng.choice(
            ("chunked",) * 8 + ("chunked, chunked", "gzip, chunked", "identity", "Chunked", "chunked;x", "ü")
        )
        lines.append(f"Transfer-Encoding: {coding}")
        body = _chunked(rng, body)
    if kind == 2 or rng.random() < 0.1:
        lines.append(f"Content-Length: {len(body)}")
    method = "PUT" if labels else "POST"
    head = "\r\n".join([f"{method} {target} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode("utf-8")
    content = (
        head + body + rng.choice((b"",) * 6 + (b"\r\n", b"GET / HTTP/1.1\r\n\r\n", request("GET", "/"), b"\x00" * 99))
    )
    content = content[: rng.randint(1, len(content))] if rng.random() < 0.1 else content
    cuts = sorted(rng.randint(0, len(content)) for _ in range(rng.choice((0, 0, 1, 3))))
    pieces = tuple(content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True))
    return Case(pieces, method, whole=False, app="labels" if labels else "search")


# Forms

_PARTS = (
    'Content-Disposition: form-data; name="image"; filename="a.png"',
    'Content-Disposition: form-data; name="image"', "Content-Disposition: form-data",
    "Content-Disposition: attachment", 'Content-Disposition: form-data; name="ü\x00"',
    "Content-Disposition: form-data; name*=UTF-8''%zz; filename*=x''%00", "Content-Type: image/png", "",
    "Bad header", 'Content-Disposition: form-data; name="' + "x" * 9000 + '"', "Content-Transfer-Encoding: base64",
    ": x", "A: b\x00", 'Content-Disposition: form-data; name="image"; filename="../../etc/passwd"',
    "Content-Type: multipart/mixed; boundary=y",
)  # fmt: skip
_CHARSETS = (
    "utf-8",
    "utf-16",
    "utf-7",
    "idna",
    "punycode",
    "undefined",
    "hex",
    "rot13",
    "unicode_escape",
    "\xff",
    "",
    "x" * 99,
)
_BOUNDARIES = ("b", "b" * 70, "b" * 500, "b b", "", '"', "b\x00", "--", "ü", "'()+_,-./:=?")


def forms(rng: Random) -> Case:
    """Multipart forms with broken parts."""
    boundary = rng.choice(("b",) * 40 + _BOUNDARIES)
    parts = []
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 5, 20))):
        headers = [_PARTS[0]] if rng.random() < 0.8 else rng.choices(_PARTS, k=rng.choice((1, 1, 2, 4)))
        inner = rng.choice((SKETCH, SKETCH, b"", b"x" * 5000, rng.randbytes(40), f"--{boundary}".encode()))
        parts.append("\r\n".join([f"--{boundary}", *headers, "", ""]).encode("utf-8") + inner + b"\r\n")
    body = b"".join(parts) + rng.choice((f"--{boundary}--\r\n",) * 15 + (f"--{boundary}", "", "----", "\r\n")).encode(
        "utf-8"
    )
    if rng.random() < 0.3:
        body = mutated(rng, body, (f"--{boundary}".encode(), b"\r\n\r\n", b"Content-Disposition"))
    charset = f"; charset={rng.choice(_CHARSETS)}" if rng.random() < 0.3 else ""
    kind = rng.choice(
        ("multipart/form-data",) * 30 + ("MULTIPART/FORM-DATA", "multipart/mixed", "multipart/form-data;;")
    )
    path = rng.choice(("/api/search", "/api/predict"))
    line = f"Content-Type: {kind}; boundary={boundary}{charset}"
    # What a header may not have in it is refused as a head; the forms that are refused as forms are those that may.
    return Case((request("POST", path, line, body=body),), route=path, whole="\x00" not in line)


# Pictures

_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "I;16", "F", "YCbCr", "LAB", "HSV")
_KINDS = (
    "PNG",
    "JPEG",
    "WEBP",
    "BMP",
    "GIF",
    "TIFF",
    "ICO",
    "PPM",
    "TGA",
    "PCX",
    "ICNS",
    "DDS",
    "SGI",
    "EPS",
)
_OPTIONS: tuple[dict[str, object], ...] = (
    {}, {"quality": 1}, {"progressive": True},
    {"exif": b"Exif\x00\x00" + b"MM\x00*\x00\x00\x00\x08" + b"\xff" * 40}, {"icc_profile": b"x" * 500},
    {"transparency": 0}, {"dpi": (0, 0)}, {"bits": 1}, {"compress_level": 0}, {"lossless": True},
    {"save_all": True, "append_images": [Image.new("L", (48, 48), v) for v in (0, 99)]},
)  # fmt: skip
_STARTS = (
    b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    b"<!doctype html>",
    b"GIF89a",
    b"%!PS-Adobe",
    b"\x89PNG\r\n\x1a\n",
    b"RIFF",
)


def _saved(rng: Random) -> bytes:
    for _ in range(20):
        side, options = rng.choice((1, 2, 48, 300)), rng.choice(_OPTIONS)
        try:
            return sketch(rng.choice(_MODES), rng.choice(_KINDS[:4] * 3 + _KINDS), max(side, 1), **options)
        except Exception:  # not every format has every mode
            continue
    return SKETCH


def _larger(rng: Random, content: bytes) -> bytes:
    """The same with other sides in its header."""
    place, form = {b"\x89PN": (16, ">II"), b"BM": (18, "<ii")}.get(content[:3], (len(content), ""))
    place, form = (18, "<ii") if content[:2] == b"BM" else (place, form)
    if place + 8 > len(content):
        return content
    sides = [rng.choice((0, 1, 2, 49, 3000, 6300, 65_535, 2**24, 2**31 - 1)) for _ in range(2)]
    made = bytearray(content)
    struct.pack_into(form, made, place, *sides)
    return bytes(made)


def pictures(rng: Random) -> Case:
    """Pictures of every format and mode, damaged, with other sides in their headers, or none at all."""
    content = _saved(rng)
    kind = rng.randrange(5)
    if kind == 1:
        content = mutated(rng, content)
    elif kind == 2:
        content = _larger(rng, content)
    elif kind == 3:
        content = rng.choice(_STARTS) + rng.choice((b"", rng.randbytes(99), content))
    elif kind == 4 and rng.random() < 0.2:
        content = rng.choice((b"", b"\x00", rng.randbytes(9), bytes(150_000), bytes(300_000)))
    path = rng.choice(("/api/search", "/api/predict"))
    line = (
        f"Content-Type: {rng.choice(('image/png', 'image/jpeg', 'application/octet-stream', '', 'x', 'text/html'))}"
    )
    return Case((request("POST", path, line, body=content),), route=path)


# Addresses

_K = (
    "1",
    "6",
    "0",
    "-1",
    "201",
    "200",
    "1.5",
    "1e1",
    "x",
    "",
    "٣",
    "%00",
    "9" * 40,
    "9" * 5000,
    "1&k=2",
    "NaN",
    "true",
    "+1",
    "%201",
)
_RANGES = tuple(line for line in _ODD if "ange" in line.partition(":")[0])


def _name(rng: Random) -> str:
    name = quote(rng.choice(PHOTOS), safe=rng.choice(("", "/")))
    return rng.choice((
        lambda: name,
        lambda: name.lower(),
        lambda: rng.choice(("../", "..%2f", "%2e%2e/", "/", "//etc/passwd", "%00", "C:%5c", "%u0041")) + name,
        lambda: name + rng.choice(("/", "%00", "%00.png", "?", "#", ".", "%20", "/..", "%2f..%2f..%2fx", "\\")),
        lambda: quote("".join(chr(rng.choice((0, 9, 10, 13, 65, 47, 46, 255, 0x202E, 0x1F600))) for _ in range(9))),
        lambda: "".join(f"%{rng.randrange(256):02x}" for _ in range(rng.choice((1, 9, 3000)))),
        lambda: "",
    ))()  # fmt: skip


def addresses(rng: Random) -> Case:
    """Names of photos, numbers of results, sizes and parts."""
    kind = rng.choice(("like", "photos"))
    sizes = ("thumbnail", "full", "full", "", "FULL", "0", "full&size=x")
    query = (
        f"?k={rng.choice(_K if rng.random() < 0.5 else _K[:2])}" if kind == "like" else f"?size={rng.choice(sizes)}"
    )
    lines = [rng.choice(_RANGES)] * (rng.random() < 0.4)
    method = rng.choice(("GET",) * 9 + ("HEAD",))
    name = _name(rng)
    # A query or fragment in the name ends it, and an empty one may be another address.
    route = None if method == "HEAD" or not name or set(name) & set("?#\\") else f"/api/{kind}/{{id}}"
    return Case((request(method, f"/api/{kind}/{name}{query}", *lines),), method, route, whole="\\" not in name)


# Labels


def labels(rng: Random) -> Case:
    """JSON of wrong types, and other things than JSON."""
    value = rng.choice(
        (lambda: json.dumps(rng.choice((*CLASSES, "none of these", None, "owl"))), lambda: json_value(rng))
    )()
    shapes = (f'{{"label": {value}}}',) * 6 + (
        value,
        f"[{value}]",
        f'{{"label": {value}, "label": 3}}',
        '{"label":',
        "{" * 2000,
    )
    body = rng.choice(shapes).encode("utf-8", "surrogatepass")
    if rng.random() < 0.2:
        body = mutated(rng, body, (b"{", b"\xff", b"\\ud800", b"null"))
    encoding = rng.choice(
        ("application/json",) * 6 + ("", "text/plain", "application/json; charset=utf-16", "x/y", "application/xml")
    )
    name = rng.choice((*ITEMS * 4, "bkzt-99", "%00", "x" * 3000, "..%2f..", "%ff"))
    path = f"/api/questions/{name}"
    route = None if "%2f" in name else "/api/questions/{name}"
    return Case((request("PUT", path, f"Content-Type: {encoding}", body=body),), "PUT", route, app="labels")


MAKERS: dict[str, tuple[Callable[[Random], Case], int]] = {
    "heads": (heads, 3_000),
    "bodies": (bodies, 2_500),
    "forms": (forms, 2_000),
    "pictures": (pictures, 2_500),
    "addresses": (addresses, 2_000),
    "labels": (labels, 2_000),
}
