"""A few inputs of benchmarks/fuzz/http_requests.py, and the faults that its full run has found."""

from __future__ import annotations

import gc
import http.client
import json
import logging
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from acclimate.runs.audits import Asked, Item
from acclimate.serving.searching import Limits, Served
from fuzzers import fuzzer  # type: ignore[import-not-found]
from served import FORM, Running, photo_album, png, sketch

pytest.importorskip("fastapi")

from acclimate.serving.app import create_app
from acclimate.serving.guard import HEADERS
from acclimate.serving.labelling import Labeller, create_label_app

FUZZ = fuzzer("http_requests")
WAIT = 60


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[dict[str, Any]]:
    with FUZZ.sites() as at:
        yield at


@pytest.mark.parametrize("name", FUZZ.MAKERS)
def test_wrong_requests_are_answered_as_documented(fuzzed: dict[str, Any], name: str) -> None:
    with closing(FUZZ.Log()) as log:
        for index in range(1_000_000, 1_000_025):  # beyond those of the full run
            assert FUZZ.checked(FUZZ.made(name, 0, index), fuzzed)[1] is None, index
        assert not log.said


@pytest.mark.parametrize("name", FUZZ.MAKERS)
def test_a_number_gives_the_same_request_again_and_some_are_as_they_should_be(
    fuzzed: dict[str, Any], name: str
) -> None:
    made = [[FUZZ.made(name, 0, index) for index in range(80)] for _ in range(2)]
    assert made[0] == made[1]
    assert len({case.content for case in made[0]}) > 40
    assert any(FUZZ.checked(case, fuzzed)[0] == "200" for case in made[0])


def test_what_a_server_logs_as_an_error_is_a_fault() -> None:
    with closing(FUZZ.Log()) as log:
        logging.getLogger("asyncio").error("Fatal error")
        assert log.said == ["Fatal error ''"]
    logging.getLogger("asyncio").error("later")
    assert len(log.said) == 1


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (500, {}, b"{}"),
        (302, {}, b""),
        (404, {"content-type": "text/plain"}, b"Not Found"),
        (404, {"x-frame-options": "ALLOW"}, b"{}"),
        (404, {}, b'{"type": "", "title": "", "status": 400, "detail": "Ask again."}'),
        (404, {}, b'{"type": "", "title": "", "status": 404, "detail": "Traceback"}'),
    ],
)
def test_what_should_not_be_answered_is_a_fault(status: int, headers: dict[str, str], body: bytes) -> None:
    all_headers = {name.lower(): value for name, value in HEADERS.items()}
    all_headers |= {"content-type": "application/problem+json", **headers}
    answer = FUZZ.Answer(status, all_headers, body)
    assert FUZZ.fault(FUZZ.Case((b"",)), answer, FUZZ.DOCUMENTED) is not None


# What was found


@contextmanager
def running(app: Any, limits: Limits) -> Iterator[Running]:
    server = Running(lambda: app, limits)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def photos(tmp_path: Path) -> Iterator[Running]:
    served = Served("Sketches", "dann", FORM, photos=photo_album(tmp_path))
    with running(create_app(served), Limits()) as server:
        yield server


def got(server: Running, content: bytes, method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
    """The answer to some bytes."""
    with socket.create_connection(server.place, WAIT) as one:
        one.sendall(content)
        answer = http.client.HTTPResponse(one, method=method)
        answer.begin()
        return answer, answer.read()


@pytest.mark.parametrize(
    "sent",
    [
        b"NONSENSE\r\n\r\n",
        b"GET /api/info HTTP/1.1\r\nHost: localhost\r\nBad Name: x\r\n\r\n",
        b"POST /api/search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n",
        b"POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_a_problem_and_all_headers(photos: Running, sent: bytes) -> None:
    answer, body = got(photos, sent)
    assert answer.status == 400
    assert answer.getheader("Content-Type") == "application/problem+json"
    assert "must be HTTP/1.1" in json.loads(body)["detail"]
    assert {name: answer.getheader(name) for name in HEADERS} == HEADERS
    assert answer.getheader("Connection") == "close"


@pytest.mark.parametrize("method", ["HEAD", "POST"])
@pytest.mark.parametrize("host", ["localhost", "evil.example"])
def test_a_body_that_breaks_off_in_the_midst_of_an_answer_is_no_crash(
    photos: Running, method: str, host: str
) -> None:
    """h11 lets nobody begin a second answer, nor send a body to HEAD."""
    head = f"{method} /api/search HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with closing(FUZZ.Log()) as log, socket.create_connection(photos.place, WAIT) as one:
        one.sendall(head.encode())
        if host != "localhost":
            one.recv(1)  # the refusal has begun
        one.sendall(b"no size\r\n" * 9)
        while one.recv(10_000):
            pass
    assert not log.said


@pytest.mark.parametrize("host", ["localhost", "evil.example"])
def test_a_body_that_breaks_off_before_the_app_has_seen_the_head_is_no_crash(photos: Running, host: str) -> None:
    head = f"POST /api/search HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with closing(FUZZ.Log()) as log:
        answer, _ = got(photos, head.encode() + b"no size\r\n")
        got(photos, b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n")  # by now the app has answered the other
    assert answer.status == 400
    assert not log.said


@pytest.mark.parametrize("path", ["/api/info/", "/api/photos"])
def test_nobody_is_led_to_another_address(photos: Running, path: str) -> None:
    answer, body = got(photos, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert answer.status == 404
    assert json.loads(body)["status"] == 404


@pytest.mark.parametrize("part", ["bytes=0-9", "bytes=0-0,5-9", "bytes=99999999-", "lines=1", "bytes=-", "x"])
@pytest.mark.parametrize("path", ["/api/photos/a.jpg?size=full", "/app.js"])
def test_a_file_is_given_as_a_whole_whatever_part_is_asked_for(photos: Running, path: str, part: str) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
    whole, content = got(photos, f"{head}\r\n".encode())
    answer, body = got(photos, f"{head}Range: {part}\r\n\r\n".encode())
    assert (whole.status, answer.status) == (200, 200)
    assert body == content
    assert answer.getheader("Accept-Ranges") == "none"


def form(content: bytes, end: bytes = b"\r\n--b--\r\n") -> bytes:
    """A multipart request with one file."""
    part = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n' + content + end
    head = f"POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(part)}\r\n"
    return f"{head}Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode() + part


def test_no_upload_is_written_to_disk(photos: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    rolled = []
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", lambda self: rolled.append(self))
    answer, _ = got(photos, form(png(sketch()) + bytes(3_000_000)))
    assert answer.status == 200
    assert not rolled


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_a_form_without_an_end_leaves_nothing_open(photos: Running) -> None:
    answer, body = got(photos, form(png(sketch()), end=b""))
    assert answer.status == 400
    assert "must have a file" in json.loads(body)["detail"]
    gc.collect()


# The page of labels had no limits for what it is sent


@pytest.fixture
def labeller(tmp_path: Path) -> Labeller:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    items = (Item(name="bkzt-01", row=0, id="a", stratum=0, probability=0.5, kind="text", shown="a text"),)
    asked = Asked(
        created="2026-01-01T00:00:00+00:00", seed=0, split="target", examples=1, sizes=(1,), agreed=(False,),
        classes=("cat", "dog"), items=items, models=(),
    )  # fmt: skip
    return Labeller(asked, tmp_path / "labelled.csv", "acclimate audit")


def put(length: int) -> bytes:
    """The head of an answer."""
    return f"PUT /api/questions/bkzt-01 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode()


def test_labels_that_do_not_arrive_take_nobodys_place(labeller: Labeller) -> None:
    limits = Limits(requests=4)
    with running(create_label_app(labeller, "Run", limits=limits), limits) as server, ExitStack() as stack:
        for _ in range(3 * limits.requests):
            one = stack.enter_context(socket.create_connection(server.place, WAIT))
            one.sendall(put(1000) + b"{")
        content = json.dumps({"label": "cat"}).encode()
        answer, body = got(server, put(len(content)) + content)
        assert (answer.status, json.loads(body)) == (200, {"labelled": 1})


def test_a_label_that_does_not_arrive_is_given_up(labeller: Labeller) -> None:
    limits = Limits(patience=0.2)
    with running(create_label_app(labeller, "Run", limits=limits), limits) as server:
        answer, body = got(server, put(1000) + b"{")
    assert answer.status == 408
    assert "at least 20 kB a second" in json.loads(body)["detail"]


def test_what_is_no_label_is_not_taken_into_memory(labeller: Labeller) -> None:
    with running(create_label_app(labeller, "Run"), Limits()) as server:
        answer, body = got(server, put(10**9) + b'{"label": "')
    assert answer.status == 413
    assert "at most 10,000 bytes" in json.loads(body)["detail"]
    assert labeller.labels == {}


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b'{"label": 3}', b"\xff", b"[" * 9_000, b'{"label": "\\ud800"}']
)
def test_what_is_no_label_gets_a_sentence(labeller: Labeller, body: bytes) -> None:
    with running(create_label_app(labeller, "Run"), Limits()) as server:
        answer, said = got(server, put(len(body)) + body)
    assert answer.status == 400
    assert '{"label": "cat"}' in json.loads(said)["detail"]


def test_the_labels_own_description_tells_of_refusals(labeller: Labeller) -> None:
    found = create_label_app(labeller, "Run").openapi()
    give = found["paths"]["/api/questions/{name}"]["put"]
    assert give["responses"].keys() == {"200", "400", "408", "413", "429", "500", "503"}
    assert give["requestBody"]["content"]["application/json"]["schema"]["properties"].keys() == {"label"}
