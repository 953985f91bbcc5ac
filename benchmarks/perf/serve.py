"""The server: how long a visitor waits for an answer, alone and among 32, and what it holds in memory after that.

    python benchmarks/perf/serve.py [--vectors 100000] [--queries 500] [--clients 32] [--seconds 120]

A query is a sketch of 256×256 as the page sends it, a PNG over HTTP on this machine, and its answer, 24 photos as
JSON; between them it is decoded, cut to its ink, encoded by the networks of a retrieval GAN on MobileNetV2 at 128×128
(random weights: they cost what others cost) and compared with every vector of an exact index in half precision. The
server is a process of its own, of one thread for the model. Clients ask again as soon as they are answered. Waits are
by the clock, as a visitor has them. Results are written only for the full numbers.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from measure import row, write
from PIL import Image, ImageDraw

from acclimate.data.domain import Domain
from acclimate.data.readers.pictures import Form
from acclimate.data.trim import trimmed
from acclimate.networks.cross_modal import SketchMobileNet, bridge
from acclimate.serving.app import create_app, warm_up
from acclimate.serving.index import VectorIndex
from acclimate.serving.searching import Limits, Served
from acclimate.serving.server import address_of, listening, serve

VECTORS, QUERIES, CLIENTS, SECONDS, WIDTH, K, BLOCK = 100_000, 500, 32, 120, 1280, 24, 4096


@dataclass(frozen=True)
class Hit:
    """As the server wants it."""

    id: str
    similarity: float


class Photos:
    """Vectors without photos."""

    root = Path()

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(0)
        encoder = SketchMobileNet(1, pretrained=False)
        made = torch.nn.Sequential(encoder.features(), bridge(encoder.width, 1024, WIDTH)).eval()
        self._net = made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._index = VectorIndex("benchmark", WIDTH, kind="exact", dtype="float16")
        for start in range(0, count, BLOCK):
            part = rng.normal(size=(min(BLOCK, count - start), WIDTH)).astype(np.float32)
            self._index.add([f"{start + i:07d}.jpg" for i in range(len(part))], part)

    def __len__(self) -> int:
        return len(self._index)

    @torch.no_grad()
    def search(self, pictures: np.ndarray, k: int) -> list[list[Hit]]:
        """Encode and compare."""
        cut = trimmed(Domain(pictures)).array
        inputs = torch.from_numpy(cut).permute(0, 3, 1, 2).float() / 127.5 - 1
        found, similarities = self._index.search(self._net(inputs).flatten(1).numpy(), k)
        return [
            [Hit(name, float(s)) for name, s in zip(names, row_of, strict=True)]
            for names, row_of in zip(found, similarities, strict=True)
        ]

    def like(self, id: str, k: int) -> list[Hit]:  # noqa: A002
        """Not asked for."""
        raise NotImplementedError

    def path(self, id: str) -> Path:  # noqa: A002
        """Not asked for."""
        raise NotImplementedError


def run_server(vectors: int) -> None:
    """Serve until stopped."""
    torch.set_num_threads(1)
    served = Served("benchmark", "none", Form(256, 1), photos=Photos(vectors))
    warm_up(served)
    with listening("127.0.0.1", 0) as heard:
        serve(create_app(served, limits=Limits()), heard, lambda: print(address_of(heard, "127.0.0.1"), flush=True))


def sketch(seed: int) -> bytes:
    """Some strokes."""
    points = np.random.default_rng(seed).uniform(20, 236, (12, 2))
    image = Image.new("RGB", (256, 256), "white")
    ImageDraw.Draw(image).line([tuple(point) for point in points], fill="black", width=5)
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@dataclass
class Visitor:
    """Asks one sketch after another over one connection."""

    url: str
    waits: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def ask(self, content: bytes, connection: http.client.HTTPConnection) -> None:
        """Once; milliseconds to the last byte of the answer, or what went wrong."""
        start = time.perf_counter()
        try:
            connection.request("POST", f"/api/search?k={K}", content, {"Content-Type": "image/png"})
            answer = connection.getresponse()
            found = json.loads(answer.read())
            if answer.status != 200 or len(found["results"]) != K:
                self.errors.append(f"{answer.status}: {found}"[:200])
                return
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.errors.append(repr(error))
            connection.close()
            return
        self.waits.append(1000 * (time.perf_counter() - start))

    def stay(self, sketches: list[bytes], until: float) -> None:
        """Ask until then."""
        connection = http.client.HTTPConnection(self.url.split("/")[2], timeout=120)
        number = 0
        while time.perf_counter() < until:
            self.ask(sketches[number % len(sketches)], connection)
            number += 1
        connection.close()


def memory(process: int) -> float:
    """MB that are resident."""
    text = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(text.partition("VmRSS:")[2].split()[0]) / 1000


def processor(process: int) -> float:
    """CPU seconds of a process so far, in all its threads; other work on the machine hardly changes them."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=int, default=VECTORS)
    parser.add_argument("--queries", type=int, default=QUERIES)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--server", action="store_true", help="be the server")
    asked = parser.parse_args()
    if asked.server:
        run_server(asked.vectors)
        return
    words = [sys.executable, __file__, "--server", "--vectors", str(asked.vectors)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = measured(server.stdout.readline().strip(), server.pid, asked)
        finally:
            server.terminate()
    if (asked.vectors, asked.queries, asked.clients, asked.seconds) == (VECTORS, QUERIES, CLIENTS, SECONDS):
        write(f"Sketches in, photos out, over HTTP; {VECTORS:,} vectors of {WIDTH:,} numbers", found)
        return
    for one in found:
        print(f"{one['case']}: {one['median']} {one['unit']}")


def measured(url: str, process: int, asked: argparse.Namespace) -> list[dict[str, object]]:
    """One visitor, then many."""
    sketches = [sketch(seed) for seed in range(50)]
    alone, connection = Visitor(url), http.client.HTTPConnection(url.split("/")[2], timeout=120)
    for number in range(asked.queries):
        alone.ask(sketches[number % len(sketches)], connection)
    connection.close()
    before, spent = memory(process), processor(process)
    visitors = [Visitor(url) for _ in range(asked.clients)]
    until = time.perf_counter() + asked.seconds
    threads = [threading.Thread(target=visitor.stay, args=(sketches, until)) for visitor in visitors]
    for thread in threads:
        thread.start()
    held = [before]
    while any(thread.is_alive() for thread in threads):
        time.sleep(1)
        held.append(memory(process))
    spent = processor(process) - spent
    waits = [wait for visitor in visitors for wait in visitor.waits]
    errors = [*alone.errors, *(error for visitor in visitors for error in visitor.errors)]
    for error in sorted(set(errors))[:5]:
        print(error)
    among = f"{asked.clients} visitors at once for {asked.seconds} s"
    return [
        row("alone: an answer, median", "ms", [percentile(alone.waits, 50)]),
        row("alone: an answer, 99 of 100 are quicker", "ms", [percentile(alone.waits, 99)]),
        row(f"{among}: an answer, median", "ms", [percentile(waits, 50)]),
        row(f"{among}: an answer, 99 of 100 are quicker", "ms", [percentile(waits, 99)]),
        row(f"{among}: answers a second", "1 / s", [len(waits) / asked.seconds]),
        row(f"{among}: an answer, all threads", "CPU ms", [1000 * spent / max(1, len(waits))]),
        row(f"{among}: errors, of {len(waits) + len(errors):,} requests", "errors", [len(errors)], at_most=0),
        row("memory of the server, before them", "MB", [before]),
        row("memory of the server, after them beyond that before", "MB", [held[-1] - before], at_most=50),
    ]


def percentile(waits: list[float], share: float) -> float:
    """NaN where nothing was answered."""
    return float(np.percentile(waits, share)) if waits else float("nan")


if __name__ == "__main__":
    main()
