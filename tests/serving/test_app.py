"""The HTTP interface: what it answers, what it refuses and how, and that nothing brings it down."""

from __future__ import annotations

import io
import json
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from acclimate.data.readers.pictures import Form
from acclimate.errors import WorkError
from acclimate.serving.searching import Limits, Served
from acclimate.serving.thumbnails import Thumbnails
from served import FORM, Album, Judge, photo_album, png, sketch

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

from acclimate.serving.app import PAGE, create_app, warm_up
from acclimate.serving.guard import HEADERS

LIMITS = Limits(bytes=200_000, unwanted=1_000_000)


def client(served: Served, limits: Limits = LIMITS, **options: Any) -> TestClient:
    return TestClient(create_app(served, limits=limits), "http://localhost", raise_server_exceptions=False, **options)


@pytest.fixture
def album(tmp_path: Path) -> Album:
    return photo_album(tmp_path)


@pytest.fixture
def search(album: Album) -> Iterator[TestClient]:
    with client(Served("Sketches", "dann", FORM, photos=album)) as made:
        yield made


@pytest.fixture
def predict() -> Iterator[TestClient]:
    with client(Served("Digits", "mcc", FORM, classifier=Judge(), ink="light")) as made:
        yield made


def problem(answer: Any, status: int, *words: str) -> dict[str, Any]:
    """The answer is a problem with that status, whose sentence has these words."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found.keys() == {"type", "title", "status", "detail"}
    assert found["status"] == status
    assert "Traceback" not in found["detail"]
    for word in words:
        assert word in found["detail"]
    return dict(found)


def bomb(width: int, height: int) -> bytes:
    """A small PNG of many pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def assert_passed(gate: threading.Event) -> None:
    assert gate.wait(60)


# What it answers


def test_info_says_what_is_served(search: TestClient, predict: TestClient) -> None:
    found = search.get("/api/info").json()
    assert (found["kind"], found["photos"], found["title"], found["ink"]) == ("search", 6, "Sketches", "dark")
    assert found["limits"] == {
        "bytes": 200_000,
        "pixels": 40_000_000,
        "k": 200,
        "formats": ["JPEG", "PNG", "WEBP", "BMP"],
        "pictures": 64,
        "examples": 1_000,
    }
    found = predict.get("/api/info").json()
    assert (found["kind"], found["classes"], found["baseline"]) == ("classify", ["dark", "light"], "source-only")
    assert (found["ink"], found["size"]) == ("light", 16)
    assert predict.get("/api/health").json() == {"status": "ok"}


def test_a_sketch_finds_photos_however_it_is_sent(search: TestClient, album: Album) -> None:
    content = png(sketch())
    raw = search.post("/api/search?k=3", content=content)
    assert raw.status_code == 200, raw.text
    found = raw.json()["results"]
    assert len(found) == 3
    assert {hit["id"] for hit in found} <= set(album.names)
    assert found[0]["similarity"] == 1
    form = search.post("/api/search?k=3", files={"image": ("sketch.png", content, "image/png")})
    assert form.json() == raw.json()
    # Six are all there are.
    assert len(search.post("/api/search?k=200", content=content).json()["results"]) == 6


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP"])
def test_every_format_is_read(predict: TestClient, kind: str) -> None:
    assert predict.post("/api/predict", content=png(sketch(), kind)).json()["after"] == "light"


def test_answers_before_and_after(predict: TestClient) -> None:
    found = predict.post("/api/predict", content=png(sketch())).json()
    assert (found["before"], found["after"]) == ("dark", "light")
    assert [one["name"] for one in found["classes"]] == ["dark", "light"]
    assert sum(one["after"] for one in found["classes"]) == pytest.approx(1)
    assert found["classes"][0]["before"] == pytest.approx(found["classes"][1]["after"])


def test_without_a_baseline_there_is_no_before() -> None:
    class Alone(Judge):
        def before(self, pictures: np.ndarray) -> None:
            return None

    served = Served("Digits", "mcc", FORM, classifier=Alone(before_name=None))
    with client(served) as asked:
        found = asked.post("/api/predict", content=png(sketch())).json()
    assert found["before"] is None
    assert {one["before"] for one in found["classes"]} == {None}


def test_transparent_is_white(predict: TestClient) -> None:
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (10, 10, 14, 50))
    found = predict.post("/api/predict", content=png(picture)).json()
    assert found["after"] == "light"
    assert found["classes"][1]["after"] > 0.9


def test_more_like_one_of_them(search: TestClient) -> None:
    found = search.get("/api/like/a.jpg?k=2").json()["results"]
    assert [hit["id"] for hit in found] == ["b.jpg", "c.jpg"]
    assert search.get("/api/like/cats%20%26%20dogs/%C3%BC%20%231%3F.png").status_code == 200


def test_photos_small_and_in_full(search: TestClient, album: Album) -> None:
    for name, address in (("a.jpg", "a.jpg"), (album.names[-1], "cats%20%26%20dogs/%C3%BC%20%231%3F.png")):
        small = search.get(f"/api/photos/{address}")
        assert small.status_code == 200, small.text
        assert small.headers["content-type"] == "image/jpeg"
        assert Image.open(io.BytesIO(small.content)).size == (320, 240)
        full = search.get(f"/api/photos/{address}?size=full")
        assert full.content == (album.root / name).read_bytes()
        assert full.headers["content-type"] == ("image/png" if name.endswith("png") else "image/jpeg")


def test_thumbnails_are_kept_up_to_a_limit_and_as_long_as_the_file_is_the_same(album: Album) -> None:
    kept = Thumbnails(2_500)
    first = album.root / "a.jpg"
    one = kept.of(first)
    assert kept.of(first) is one
    for name in album.names:
        kept.of(album.root / name)
        assert kept.size <= 2_500
    assert kept.of(first) is not one
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(first, "PNG")
    content, media_type = kept.of(first)
    assert media_type == "image/png"
    assert np.asarray(Image.open(io.BytesIO(content))).min() == 255


def test_the_page_and_all_it_loads_come_from_here(search: TestClient) -> None:
    page = search.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for name in sorted(path.name for path in PAGE.iterdir()):
        answer = search.get("/" if name == "index.html" else f"/{name}")
        assert answer.status_code == 200
        for outside in ("http://", "https://", "//cdn"):
            assert outside not in answer.text.replace("http://www.w3.org/2000/svg", ""), name
    for inline in ("<script>", " onclick=", "style="):
        assert inline not in page.text


def test_openapi_describes_it_and_loads_nothing_from_elsewhere(search: TestClient) -> None:
    described = search.get("/api/openapi.json").json()
    assert set(described["paths"]) == {
        "/api/health",
        "/api/info",
        "/api/search",
        "/api/predict",
        "/api/like/{id}",
        "/api/photos/{id}",
    }
    assert {"200", "400", "413", "415", "422", "503", "504"} <= set(
        described["paths"]["/api/search"]["post"]["responses"]
    )
    assert search.get("/docs").status_code == 404
    assert search.get("/api.html").status_code == 200


# What it refuses


@pytest.mark.parametrize("k", ["0", "-1", "1000000", "x", "", "2.5"])
def test_k_must_make_sense(search: TestClient, k: str) -> None:
    for answer in (search.post(f"/api/search?k={k}", content=png(sketch())), search.get(f"/api/like/a.jpg?k={k}")):
        problem(answer, 400, "k must be", repr(k))


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 400, "0 bytes"),
        (b"hello", 415, "text: 'hello'"),
        (bytes(range(256)), 415, "256 bytes of something else"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 415, "SVG"),
        (b"<!doctype html><p>", 415, "a web page"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", 415, "PNG, JPEG, WebP or BMP"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 415, "PNG, JPEG, WebP or BMP"),
        (bomb(10_000, 5_001), 413, "40 megapixels"),
        (bomb(65_000, 65_000), 413, "40 megapixels"),
        (png(sketch())[:150], 422, "cannot be read"),
        (png(Image.new("L", (64, 64), "white")), 422, "one colour"),
        (png(Image.new("RGBA", (64, 64), (0, 0, 0, 0))), 422, "one colour"),
        (bytes(200_001), 413, "at most 0.2 MB"),
    ],
    ids=[
        "nothing",
        "text",
        "bytes",
        "svg",
        "html",
        "gif",
        "postscript",
        "bomb",
        "huge",
        "cut",
        "white",
        "clear",
        "big",
    ],
)
def test_what_is_no_picture_gets_a_sentence(
    search: TestClient, predict: TestClient, content: bytes, status: int, words: str
) -> None:
    problem(search.post("/api/search", content=content), status, words)
    problem(predict.post("/api/predict", content=content), status, words)
    files = {"image": ("x.png", content, "image/png")}
    if content:
        problem(predict.post("/api/predict", files=files), status, words)
    assert predict.post("/api/predict", content=png(sketch())).status_code == 200


def test_forms_that_hold_no_file(predict: TestClient) -> None:
    boundary = {"content-type": "multipart/form-data; boundary=x"}
    for content in (
        b"",
        b"--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="k"\r\n\r\n3\r\n--x--\r\n',
        b"junk",
    ):
        problem(predict.post("/api/predict", content=content, headers=boundary), 400)
    problem(predict.post("/api/predict", content=b"--", headers={"content-type": "multipart/form-data"}), 400)


def test_too_many_bytes_are_not_taken_in_without_a_length_either(search: TestClient) -> None:
    given = 0

    def endless() -> Iterator[bytes]:
        nonlocal given
        while True:
            given += 50_000
            yield bytes(50_000)

    # The test client takes a generator in whole, so the app is asked as a server would.
    problem(ask(search.app, endless()), 413, "at most")
    assert given < 10 * LIMITS.bytes
    given = 0
    assert problem(ask(search.app, endless(), length=10**12), 413)
    assert given < 10 * LIMITS.bytes
    given = 0
    assert problem(ask(search.app, endless(), length=10**12, expect="100-continue"), 413)
    assert given == 0


class Got:
    """An answer, as `problem` wants it."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.status_code = messages[0]["status"]
        self.headers = {k.decode(): v.decode() for k, v in messages[0]["headers"]}
        self.text = b"".join(m.get("body", b"") for m in messages[1:]).decode()

    def json(self) -> Any:
        return json.loads(self.text)


def ask(app: Any, chunks: Iterator[bytes], length: int | None = None, expect: str = "") -> Got:
    import asyncio

    headers = [(b"host", b"localhost")]
    headers += [(b"content-length", str(length).encode())] if length else []
    headers += [(b"expect", expect.encode())] if expect else []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/search",
        "raw_path": b"/api/search",
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": next(chunks), "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return Got(sent)


@pytest.mark.parametrize(
    "name",
    [
        "nobody.jpg",
        "../secret.txt",
        "..%2Fsecret.txt",
        "%2e%2e%2fsecret.txt",
        "cats%20%26%20dogs/../../secret.txt",
        "..%5Csecret.txt",
        "%2Fetc%2Fpasswd",
        "/etc/passwd",
        "a.jpg%00.png",
        "",
        "%F0%9F%98%80" * 300,
    ],
)
def test_only_indexed_photos_are_shown(search: TestClient, name: str) -> None:
    for address in (f"/api/photos/{name}", f"/api/photos/{name}?size=full", f"/api/like/{name}"):
        answer = search.get(address)
        problem(answer, 404)
        assert "root:" not in answer.text


def test_a_size_that_nobody_knows(search: TestClient) -> None:
    problem(search.get("/api/photos/a.jpg?size=huge"), 400, "size must be", "'huge'")


def test_a_photo_whose_file_is_gone_or_broken(search: TestClient, album: Album) -> None:
    (album.root / "a.jpg").unlink()
    problem(search.get("/api/photos/a.jpg"), 404, "its file is gone")
    (album.root / "b.jpg").write_bytes(b"no picture")
    problem(search.get("/api/photos/b.jpg"), 404, "cannot be read")


def test_before_anything_is_indexed(album: Album) -> None:
    album.names.clear()
    with client(Served("Sketches", "dann", FORM, photos=album, index_command="acclimate index r photos/")) as asked:
        for answer in (
            asked.post("/api/search", content=png(sketch())),
            asked.get("/api/like/a.jpg"),
            asked.get("/api/photos/a.jpg"),
        ):
            problem(answer, 409, "Nothing is indexed yet", "acclimate index r photos/")
        # Which may well be of a run of classification: with an index, its photos are what is served.
        problem(asked.post("/api/predict", content=png(sketch())), 409, "no classes are told apart", "/api/search")


def test_addresses_and_methods_there_are_none_of(search: TestClient) -> None:
    problem(search.get("/api/nothing"), 404, "nothing at /api/nothing")
    problem(search.get("/nothing.html"), 404)
    problem(search.get("/../../pyproject.toml"), 404)
    problem(search.get("/%2e%2e/app.py"), 404)
    problem(search.get("/api/search"), 405, "does not take GET")
    problem(search.delete("/"), 405)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "", "127.0.0.1.evil.example", "[::2]", "10.0.0.1"]
)
def test_other_names_are_refused(search: TestClient, host: str) -> None:
    problem(search.get("/api/info", headers={"host": host}), 400, "Host header", "--allow-host")
    problem(search.get("/", headers={"host": host}), 400)


def test_names_it_goes_by(album: Album) -> None:
    served = Served("Sketches", "dann", FORM, photos=album)

    def status(host: str, *hosts: str) -> int:
        app = create_app(served, hosts=hosts)
        return TestClient(app).get("/api/health", headers={"host": host}).status_code

    for host in ("localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "localhost."):
        assert status(host) == 200, host
    assert status("photos.example", "photos.example") == 200
    # Listening on every address, any address will do, and still no name.
    assert status("10.0.0.7:8000", "0.0.0.0") == 200
    assert status("[fe80::1]:8000", "::") == 200
    assert status("evil.example", "0.0.0.0") == 400


def test_pages_of_other_sites_are_refused(search: TestClient) -> None:
    for site in ("cross-site", "same-site"):
        headers = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors"}
        problem(search.post("/api/search", content=png(sketch()), headers=headers), 403)
        problem(search.get("/api/photos/a.jpg", headers=headers), 403)
    # A link may lead here.
    assert search.get("/", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}).status_code == 200
    assert search.get("/api/info", headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_every_answer_says_what_a_browser_may_do_with_it(search: TestClient) -> None:
    for address in ("/", "/app.js", "/api/info", "/api/photos/a.jpg", "/api/photos/nobody", "/api/search", "/no"):
        found = search.get(address).headers
        assert {name: found[name] for name in HEADERS} == HEADERS, address
        assert "access-control-allow-origin" not in found
    refused = search.get("/", headers={"host": "evil.example"}).headers
    assert refused["content-security-policy"] == HEADERS["Content-Security-Policy"]
    assert "'unsafe" not in HEADERS["Content-Security-Policy"]


# What goes wrong


def test_a_crash_is_told_without_its_traceback_and_the_next_request_works(
    album: Album, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(_pictures: np.ndarray) -> None:
        raise RuntimeError("tensor of secrets")

    with client(Served("Sketches", "dann", FORM, photos=album)) as asked:
        album.before = crash
        answer = asked.post("/api/search", content=png(sketch()))
        problem(answer, 500, "The server made a mistake")
        assert "secrets" not in answer.text
        assert "tensor of secrets" in caplog.text
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        album.before = lambda _: None
        assert asked.post("/api/search", content=png(sketch())).status_code == 200


def test_work_that_fails_says_so(album: Album) -> None:
    def fail(_pictures: np.ndarray) -> None:
        raise WorkError("The disk is full.")

    album.before = fail
    with client(Served("Sketches", "dann", FORM, photos=album)) as asked:
        problem(asked.post("/api/search", content=png(sketch())), 500, "The disk is full.")


def test_what_takes_too_long_is_given_up_and_the_server_goes_on(album: Album) -> None:
    gate = threading.Event()
    album.before = lambda _: assert_passed(gate)
    with client(Served("Sketches", "dann", FORM, photos=album), Limits(seconds=2)) as asked:
        problem(asked.post("/api/search", content=png(sketch())), 504, "longer than 2 s")
        gate.set()
    with client(Served("Sketches", "dann", FORM, photos=album)) as asked:
        assert asked.post("/api/search", content=png(sketch())).status_code == 200


def test_one_request_too_many_is_sent_away_and_told_when_to_come_back(album: Album) -> None:
    gate, inside = threading.Event(), threading.Event()

    def hold(_pictures: np.ndarray) -> None:
        inside.set()
        assert gate.wait(60)

    album.before = hold
    with client(Served("Sketches", "dann", FORM, photos=album), Limits(requests=1)) as asked:
        answers = []
        first = threading.Thread(target=lambda: answers.append(asked.post("/api/search", content=png(sketch()))))
        first.start()
        assert inside.wait(60)
        refused = asked.get("/api/info")
        problem(refused, 503, "Try again")
        assert refused.headers["retry-after"] == "1"
        assert asked.get("/api/health").status_code == 200
        gate.set()
        first.join()
        assert answers[0].status_code == 200
        assert asked.get("/api/info").status_code == 200


def test_an_upload_that_does_not_arrive(album: Album) -> None:
    import asyncio

    app = create_app(Served("Sketches", "dann", FORM, photos=album), limits=Limits(seconds=0.1))
    sent: list[dict[str, Any]] = []

    async def stuck() -> Any:
        await asyncio.sleep(60)

    async def gone() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/search",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    for receive, status in ((stuck, 408), (gone, 400)):
        sent.clear()
        asyncio.run(app(dict(scope), receive, send))
        problem(Got(sent), status)


def test_warming_up_asks_all_there_is(album: Album) -> None:
    asked = []
    album.before = lambda pictures: asked.append(pictures.shape)
    warm_up(Served("Sketches", "dann", FORM, photos=album))
    warm_up(Served("Digits", "mcc", Form(16, 1), classifier=Judge()))
    # As many as are ever asked at once too: the first crowd finds memory and kernels there.
    assert asked == [(1, 16, 16, 1), (Limits().batch, 16, 16, 1)]
