"""The server under attack: how long honest visitors wait beside slow and hostile ones, and what memory it takes.

    python benchmarks/perf/serve_attack.py [--vectors 100000] [--seconds 120] [--honest 32] [--slow 64] [--hostile 8]

The server is that of serve.py. Honest visitors ask one sketch after another, from 127.0.0.1. The others are another
process on the same cores, which has made ready what it sends before the clock starts. Slow ones, from 127.0.0.2,
promise a body and send a byte of it every half second, or half a head and no more, and begin again when they are sent
away. Hostile ones, from 127.0.0.3, send in turn what is expensive or wrong: the largest picture allowed, one that
unpacks to more, 100 MB, noise, another Host, an answer that is not read. Waits are by the clock, as a visitor has
them. Results are written only for the full numbers.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from measure import row, write
from serve import Visitor, memory, percentile, sketch

VECTORS, SECONDS, HONEST, SLOW, HOSTILE = 100_000, 120, 32, 64, 8
_HEAD = "POST /api/search?k=24 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n"


def picture(side: int, bits: int) -> bytes:
    """A PNG of that many pixels a side in RGBA, white above and black below."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    pixel = bits // 2
    rows = (b"\0" + b"\xff" * pixel * side) * (side // 2) + (b"\0" + b"\0" * pixel * side) * (side - side // 2)
    header = struct.pack(">IIBBBBB", side, side, bits, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Attacker:
    """One that goes on until the time is over; what the server does to it is its own affair."""

    def __init__(self, url: str, source: str, until: float) -> None:
        host, port = url.split("/")[2].split(":")
        self._place, self._source, self._until = (host, int(port)), source, until

    def connected(self) -> socket.socket:
        """A connection from its address."""
        return socket.create_connection(self._place, 30, source_address=(self._source, 0))

    def drip(self) -> None:
        """A body byte by byte."""
        while time.perf_counter() < self._until:
            with contextlib.suppress(OSError), self.connected() as one:
                one.sendall(_HEAD.format(1_000_000).encode())
                while time.perf_counter() < self._until:
                    one.sendall(b"x")
                    time.sleep(0.5)

    def half_a_head(self) -> None:
        """The start of a request, and no more."""
        while time.perf_counter() < self._until:
            with contextlib.suppress(OSError), self.connected() as one:
                one.sendall(b"GET /api/info HTTP/1.1\r\nHost: loc")
                one.recv(1)

    def send(self, content: bytes, host: str = "localhost", read: bool = True) -> None:
        """One upload, and perhaps its answer."""
        with contextlib.suppress(OSError, http.client.HTTPException), self.connected() as one:
            one.sendall(_HEAD.replace("localhost", host).format(len(content)).encode() + content)
            if read:
                answer = http.client.HTTPResponse(one)
                answer.begin()
                answer.read()

    def rage(self, allowed: bytes, too_much: bytes, noise: bytes) -> None:
        """Everything in turn."""
        turns: tuple[Callable[[], None], ...] = (
            lambda: self.send(allowed),
            lambda: self.send(too_much),
            lambda: self.send(bytes(100_000_000)),
            lambda: self.send(noise),
            lambda: self.send(noise, host="127.0.0.1:80@evil.example"),
            lambda: self.send(sketch(0), read=False),
        )
        number = 0
        while time.perf_counter() < self._until:
            turns[number % len(turns)]()
            number += 1


def attack(url: str, asked: argparse.Namespace) -> None:
    """Make everything ready, and begin when told to."""
    contents = picture(6300, 8), picture(6300, 16), np.random.default_rng(0).bytes(100_000)
    print("ready", flush=True)
    sys.stdin.readline()
    until = time.perf_counter() + asked.seconds
    slow = [Attacker(url, "127.0.0.2", until) for _ in range(asked.slow)]
    hostile = [Attacker(url, "127.0.0.3", until) for _ in range(asked.hostile)]
    work: list[Callable[[], None]] = [
        *(one.half_a_head if number % 4 == 0 else one.drip for number, one in enumerate(slow)),
        *(partial(one.rage, *contents) for one in hostile),
    ]
    for one in work:
        threading.Thread(target=one, daemon=True).start()
    time.sleep(asked.seconds)


@contextlib.contextmanager
def attackers(url: str, asked: argparse.Namespace) -> Iterator[Callable[[], None]]:
    """Them, ready in a process of their own; what is yielded lets them begin."""
    words = [sys.executable, __file__, "--attack", url, "--seconds", str(asked.seconds)]
    words += ["--slow", str(asked.slow), "--hostile", str(asked.hostile)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield lambda: print(file=process.stdin, flush=True)
        finally:
            process.terminate()


def attacked(url: str, process: int, asked: argparse.Namespace) -> list[dict[str, object]]:
    """Everybody at once."""
    sketches = [sketch(seed) for seed in range(50)]
    visitors = [Visitor(url) for _ in range(asked.honest)]
    with attackers(url, asked) as begin:
        Visitor(url).stay(sketches, time.perf_counter() + 3)
        before = most = memory(process)
        begin()
        until = time.perf_counter() + asked.seconds
        threads = [threading.Thread(target=one.stay, args=(sketches, until), daemon=True) for one in visitors]
        for thread in threads:
            thread.start()
        while time.perf_counter() < until:
            time.sleep(1)
            most = max(most, memory(process))
        for thread in threads:
            thread.join()
    time.sleep(5)
    waits = [wait for visitor in visitors for wait in visitor.waits]
    errors = [error for visitor in visitors for error in visitor.errors]
    for error in sorted(set(errors))[:5]:
        print(error)
    beside = f"{asked.honest} honest visitors beside {asked.slow} slow and {asked.hostile} hostile ones"
    return [
        row(f"{beside}: an answer, median", "ms", [percentile(waits, 50)]),
        row(f"{beside}: an answer, 99 of 100 are quicker", "ms", [percentile(waits, 99)], at_most=2000),
        row(f"{beside}: answers a second", "1 / s", [len(waits) / asked.seconds]),
        row(f"{beside}: errors, of {len(waits) + len(errors):,} requests", "errors", [len(errors)], at_most=0),
        row("memory of the server, before them", "MB", [before]),
        row("memory of the server, at most beyond that", "MB", [most - before]),
        row("memory of the server, after them beyond that before", "MB", [memory(process) - before], at_most=100),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=int, default=VECTORS)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--honest", type=int, default=HONEST)
    parser.add_argument("--slow", type=int, default=SLOW)
    parser.add_argument("--hostile", type=int, default=HOSTILE)
    parser.add_argument("--attack", metavar="URL", help="be the attackers")
    asked = parser.parse_args()
    if asked.attack:
        attack(asked.attack, asked)
        return
    server_of = Path(__file__).with_name("serve.py")
    words = [sys.executable, str(server_of), "--server", "--vectors", str(asked.vectors)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = attacked(server.stdout.readline().strip(), server.pid, asked)
        finally:
            server.terminate()
    full = (VECTORS, SECONDS, HONEST, SLOW, HOSTILE)
    if (asked.vectors, asked.seconds, asked.honest, asked.slow, asked.hostile) == full:
        write(f"Sketches in, photos out, under attack; {VECTORS:,} vectors", found)
        return
    for one in found:
        print(f"{one['case']}: {one['median']} {one['unit']}")


if __name__ == "__main__":
    main()
