"""Attacks over real sockets: what one stranger does costs nobody else the answer, and a refusal arrives as one."""

from __future__ import annotations

import http.client
import json
import os
import select
import socket
import struct
import subprocess
import sys
import textwrap
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from acclimate.serving.searching import Limits, Served
from served import FORM, Album, Running, photo_album, png, sketch

pytest.importorskip("fastapi")

from acclimate.serving.app import create_app
from acclimate.serving.problems import Problem
from acclimate.serving.slots import Slots

SKETCH = png(sketch())
# No test here waits for it: it only ends one that would hang.
WAIT = 60


@pytest.fixture
def album(tmp_path: Path) -> Album:
    return photo_album(tmp_path)


@contextmanager
def served(album: Album, limits: Limits | None = None) -> Iterator[Running]:
    limits = limits or Limits()
    running = Running(lambda: create_app(Served("Sketches", "dann", FORM, photos=album), limits=limits), limits)
    try:
        yield running
    finally:
        running.stop()


def connected(running: Running, address: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(running.place, WAIT, source_address=(address, 0))


def head(length: int, path: str = "/api/search", *lines: str) -> bytes:
    return "\r\n".join(
        [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {length}", *lines, "", ""]
    ).encode()


def answer(running: Running, content: bytes = SKETCH, path: str = "/api/search", **headers: str) -> tuple[int, Any]:
    """Status and what is said, of one request on a connection of its own; the body is sent whole before reading."""
    connection = http.client.HTTPConnection(*running.place, timeout=WAIT)
    try:
        connection.request("POST", path, content, {"Host": "localhost", **headers})
        got = connection.getresponse()
        return got.status, json.loads(got.read())
    finally:
        connection.close()


def read(one: socket.socket) -> tuple[int, str]:
    """Status and body of the answer on a socket, which the server may still hold open."""
    got = http.client.HTTPResponse(one)
    got.begin()
    return got.status, got.read().decode()


def picture(width: int, height: int, bits: int, colour: int) -> bytes:
    """A whole PNG, white above and black below."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    depth = bits // 8
    white, black = b"\xff" * depth * {0: 1, 2: 3, 6: 4}[colour], b"\0" * depth * {0: 1, 2: 3, 6: 3}[colour]
    black += b"\xff" * (len(white) - len(black))  # opaque
    half = height // 2
    rows = zlib.compress((b"\0" + white * width) * half + (b"\0" + black * width) * (height - half))
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


# Pictures that unpack to much


def test_a_small_file_that_unpacks_to_much_is_refused_by_its_header(album: Album) -> None:
    limits = Limits(unpacked=4_000_000)
    with served(album, limits) as running:
        for bits, colour, status in ((8, 0, 200), (8, 6, 200), (16, 0, 200), (16, 6, 413)):
            got, said = answer(running, picture(1000, 1000, bits, colour))
            assert got == status, said
        assert said["detail"].startswith("The picture must unpack to at most 4 MB; got 8 MB."), said
        assert "8 bits" in said["detail"]


def test_the_default_limits_refuse_the_picture_of_the_attack_and_no_ordinary_one() -> None:
    assert 6300 * 6300 * 8 > Limits().unpacked >= Limits().pixels * 4


def test_large_pictures_keep_neither_sketches_nor_the_model_waiting(
    album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    from acclimate.data.readers import pictures

    gate, inside = threading.Event(), threading.Event()
    decode = pictures.Opened.decode

    def slow(self: pictures.Opened) -> np.ndarray:
        if self.pixels > 1_000_000:
            inside.set()
            assert gate.wait(WAIT)
        return decode(self)

    monkeypatch.setattr(pictures.Opened, "decode", slow)
    large, answers = picture(2100, 2100, 8, 2), []
    with served(album) as running:
        threads = [threading.Thread(target=lambda: answers.append(answer(running, large)[0])) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert inside.wait(WAIT)
        assert [answer(running)[0] for _ in range(3)] == [200, 200, 200]
        gate.set()
        for thread in threads:
            thread.join()
    assert answers == [200] * 4


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux only")
def test_large_pictures_leave_the_processor_to_the_model(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    from acclimate.data.readers import pictures

    def mine() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    seen: dict[str, int] = {}
    decode = pictures.Opened.decode

    def noted(self: pictures.Opened) -> np.ndarray:
        seen["large" if self.pixels > 1_000_000 else "small"] = mine()
        return decode(self)

    monkeypatch.setattr(pictures.Opened, "decode", noted)
    album.before = lambda _: seen.update(model=mine())
    with served(album) as running:
        assert [answer(running, content)[0] for content in (picture(2100, 2100, 8, 2), SKETCH)] == [200, 200]
    assert seen["small"] == seen["model"] == mine()
    assert seen["large"] > mine()


def test_more_large_pictures_than_may_wait_are_sent_away(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    from acclimate.data.readers import pictures

    gate = threading.Event()
    decode = pictures.Opened.decode
    monkeypatch.setattr(pictures.Opened, "decode", lambda self: gate.wait(WAIT) and decode(self))
    large, answers = picture(2100, 2100, 8, 2), []

    def ask() -> None:
        answers.append(answer(running, large)[0])
        if answers[-1] != 200:
            gate.set()  # whoever is sent away lets the others go on

    with served(album) as running:
        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(answers) == {200, 429}


# Bodies and heads that do not come


def promised(stack: ExitStack, running: Running, count: int, address: str = "127.0.0.1") -> list[socket.socket]:
    """Connections that promise a body and send one byte of it."""
    found = [stack.enter_context(connected(running, address)) for _ in range(count)]
    for one in found:
        one.sendall(head(100_000) + b"\x89")
    return found


def test_bodies_that_do_not_arrive_take_nobodys_place(album: Album) -> None:
    with served(album) as running, ExitStack() as stack:
        promised(stack, running, 2 * Limits().requests)
        assert [answer(running)[0] for _ in range(5)] == [200] * 5


def test_a_body_that_comes_too_slowly_is_given_up(album: Album) -> None:
    with served(album, Limits(patience=0.2)) as running, ExitStack() as stack:
        (one,) = promised(stack, running, 1)
        assert (said := read(one))[0] == 408
        assert "at least 20 kB a second" in said[1]


def test_of_too_many_bodies_on_their_way_the_slowest_of_the_busiest_sender_goes(album: Album) -> None:
    # Nothing may be late here, however busy the machine: only the number of bodies decides.
    limits = Limits(arriving=4, patience=600, seconds=600)
    with served(album, limits) as running, ExitStack() as stack:
        (honest,) = promised(stack, running, 1, "127.0.0.2")
        many = promised(stack, running, 6)
        refused = [one.recv(10_000) for one in many[:2]]
        assert [said[:12] for said in refused] == [b"HTTP/1.1 408"] * 2
        content = SKETCH.ljust(100_000, b"\0")
        honest.sendall(content[1:])
        assert read(honest)[0] == 200


def test_bodies_on_their_way_hold_no_more_memory_than_they_may(album: Album) -> None:
    with served(album, Limits(arriving_bytes=150_000, patience=WAIT)) as running, ExitStack() as stack:
        waiting = [stack.enter_context(connected(running)) for _ in range(3)]
        for one in waiting:
            one.sendall(head(100_000) + bytes(60_000))
        ready, _, _ = select.select(waiting, [], [], WAIT)
        assert ready[0].recv(12) == b"HTTP/1.1 408"
        assert answer(running)[0] == 200


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /api/info HT", b"GET /api/info HTTP/1.1\r\nHost: localhost\r\nX-Half"],
    ids=["nothing", "half a line", "half a head"],
)
def test_a_head_that_does_not_come_ends_the_connection(album: Album, sent: bytes) -> None:
    with served(album, Limits(head_seconds=0.2)) as running, connected(running) as one:
        one.sendall(sent)
        assert one.recv(10) == b""


def test_a_second_head_that_does_not_come_ends_it_too(album: Album) -> None:
    """On a connection that is kept alive, drop by drop: each one would start the server's own time anew."""
    with served(album, Limits(head_seconds=0.3)) as running, connected(running) as one:
        one.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert one.recv(10_000).startswith(b"HTTP/1.1 200")
        drip(one)


def drip(one: socket.socket) -> None:
    """Send drop by drop until the connection has ended."""
    one.settimeout(0.01)
    while not ended(one):
        with suppress(OSError):
            one.sendall(b"G")


def ended(one: socket.socket) -> bool:
    try:
        return one.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def test_a_body_behind_an_answer_that_did_not_want_it_ends_the_connection(album: Album) -> None:
    with served(album, Limits(head_seconds=0.3, lingering=0.3)) as running, connected(running) as one:
        one.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
        assert one.recv(10_000).startswith(b"HTTP/1.1 200")
        drip(one)


def test_connections_that_wait_make_room(album: Album) -> None:
    with served(album, Limits(connections=8)) as running, ExitStack() as stack:
        waiting = [stack.enter_context(connected(running)) for _ in range(8)]
        assert answer(running)[0] == 200
        ready, _, _ = select.select(waiting, [], [], WAIT)
        assert ended(ready[0])
        assert answer(running)[0] == 200


def test_an_answer_that_nobody_reads_ends_the_connection_and_holds_no_slot(album: Album) -> None:
    big = np.random.default_rng(0).integers(0, 256, (2500, 2500, 3), dtype=np.uint8)
    Image.fromarray(big).save(album.root / "a.jpg", "PNG")
    limits = Limits(requests=2, read_seconds=0.3)
    with served(album, limits) as running, ExitStack() as stack:
        deaf = []
        for _ in range(3):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stack.enter_context(one).connect(running.place)
            one.settimeout(WAIT)
            one.sendall(b"GET /api/photos/a.jpg?size=full HTTP/1.1\r\nHost: localhost\r\n\r\n")
            deaf.append(one)
            assert one.recv(1) == b"H"
        assert answer(running)[0] == 200
        while running.connections:
            threading.Event().wait(0.01)
        for one in deaf:
            assert received(one) < (album.root / "a.jpg").stat().st_size


def received(one: socket.socket) -> int:
    with suppress(ConnectionResetError):
        return sum(len(part) for part in iter(lambda: one.recv(2**20), b""))
    return 0


# Slots


def test_no_address_has_all_slots() -> None:
    slots = Slots(8)
    for _ in range(6):
        slots.take("a")
    with pytest.raises(Problem, match="address has 6 of the 8") as refused:
        slots.take("a")
    assert refused.value.status == 429
    assert refused.value.headers["Retry-After"] == "1"
    first, _ = slots.take("b"), slots.take("c")
    with pytest.raises(Problem, match="does 8 requests at once") as refused:
        slots.take("d")
    assert refused.value.status == 503
    first.release()
    first.release()  # which counts once
    slots.take("d")
    with pytest.raises(Problem):
        slots.take("e")


# Refusals arrive


@pytest.mark.parametrize("size", [300_000, 10_000_000])
@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/search", {}, 413),
        ("/api/search", {"Connection": "close"}, 413),
        ("/api/search", {"Host": "evil.example", "Connection": "close"}, 400),
        ("/api/search", {"Sec-Fetch-Site": "cross-site", "Connection": "close"}, 403),
        ("/nothing", {"Connection": "close"}, 404),
        ("/api/info", {"Connection": "close"}, 405),
        ("/api/search?k=0", {"Connection": "close"}, 400),
    ],
)
def test_a_refusal_reaches_whoever_is_still_sending(
    album: Album, size: int, path: str, headers: dict[str, str], status: int
) -> None:
    with served(album, Limits(bytes=100_000)) as running:
        got, said = answer(running, bytes(size), path, **headers)
        assert got == said["status"] == status


def test_a_refusal_is_there_before_the_body_is(album: Album) -> None:
    with served(album, Limits(bytes=100_000)) as running, connected(running) as one:
        one.sendall(head(10**9) + bytes(1000))
        assert (said := read(one))[0] == 413
        assert "at most 0.1 MB" in said[1]


# A stop


def test_a_stop_waits_for_no_thread_whose_answer_nobody_gets(tmp_path: Path) -> None:
    """The model never comes back here: without an end to waiting the process would stay for ever."""
    script = textwrap.dedent(
        """
        import sys, threading
        from pathlib import Path
        from acclimate.serving.app import create_app
        from acclimate.serving.searching import Served
        from acclimate.serving.server import leave, listening, serve
        from served import FORM, photo_album

        def hold(_):
            print("inside", flush=True)
            threading.Event().wait()

        album = photo_album(Path(sys.argv[1]))
        album.before = hold
        heard = listening("127.0.0.1", 0)
        app = create_app(Served("Sketches", "dann", FORM, photos=album))
        serve(app, heard, lambda: print(heard.getsockname()[1], flush=True), grace=1)
        leave(app, 7)
        """
    )
    words = [sys.executable, "-c", script, str(tmp_path)]
    here = str(Path(__file__).parents[1])
    path = os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    ) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), WAIT) as one:
            one.sendall(head(len(SKETCH)) + SKETCH)
            assert server.stdout.readline() == "inside\n"
            server.terminate()
            said = one.recv(10_000)
        try:
            _, err = server.communicate(timeout=WAIT)
        finally:
            server.kill()
    assert server.returncode == 7, err
    assert said.startswith(b"HTTP/1.1 503"), said
    assert "Traceback" not in err


# Addresses


@pytest.fixture
def ask(album: Album) -> Iterator[Callable[..., Any]]:
    from fastapi.testclient import TestClient

    album.names.append("line\nbreak & more.jpg")
    (album.root / "a.jpg").rename(album.root / album.names[-1])
    with TestClient(create_app(Served("Sketches", "dann", FORM, photos=album)), "http://localhost") as made:
        yield made.get


def test_a_photo_whose_name_has_a_line_break_is_opened_like_any_other(ask: Callable[..., Any]) -> None:
    for size in ("thumbnail", "full"):
        got = ask(f"/api/photos/line%0Abreak%20%26%20more.jpg?size={size}")
        assert got.status_code == 200, got.text
    assert ask("/api/like/line%0Abreak%20%26%20more.jpg").status_code == 200
    assert ask("/api/photos/line%0Abreak").status_code == 404


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:80@evil.example",
        "localhost@evil.example",
        "localhost:80:90",
        "localhost:x",
        "localhost:",
        "[::1]evil.example",
        "[::1",
        "::1",
        "localhost/evil.example",
        "localhost evil.example",
        "localhost,evil.example",
    ],
)
def test_a_host_is_a_name_and_perhaps_a_port(ask: Callable[..., Any], host: str) -> None:
    got = ask("/api/info", headers={"host": host})
    assert (got.status_code, "Host header" in got.text) == (400, True)


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("http://evil.example", "localhost", 403),
        ("null", "localhost", 403),
        ("", "localhost", 403),
        ("http://localhost.evil.example", "localhost", 403),
        ("http://localhost:8000@evil.example", "localhost:8000", 403),
        ("http://localhost:3000", "localhost:8000", 403),
        ("http://127.0.0.1:8000", "localhost:8000", 403),
        ("file://", "localhost", 403),
        ("http://localhost:8000", "localhost:8000", 200),
        ("http://LOCALHOST", "localhost", 200),
        ("http://[::1]:8000", "[::1]:8000", 200),
        ("https://localhost:8443", "localhost", 200),  # a proxy that speaks TLS and names the host alone
    ],
)
def test_a_page_of_another_origin_is_refused_where_the_browser_says_no_more(
    ask: Callable[..., Any], origin: str, host: str, status: int
) -> None:
    assert ask("/api/info", headers={"origin": origin, "host": host}).status_code == status


def test_what_the_browser_vouches_for_counts_more_than_the_origin(ask: Callable[..., Any]) -> None:
    behind_a_proxy = {"origin": "https://photos.example", "host": "localhost", "sec-fetch-site": "same-origin"}
    assert ask("/api/info", headers=behind_a_proxy).status_code == 200
