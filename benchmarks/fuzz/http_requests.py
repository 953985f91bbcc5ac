"""Sends 14,000 wrong requests to the servers of `acclimate serve`; each is answered as documented, or not at all.

    python benchmarks/fuzz/http_requests.py [--seed 0] [--scale 1.0] [--only forms]
    python benchmarks/fuzz/http_requests.py --seed 0 --replay forms:1234

Both servers, that of photos and classes and that of labels, answer on real sockets in this process, with the limits
of `acclimate serve` but for shorter deadlines. A request follows from seed, kind and number alone; some are sent at
once, as strangers do. What fails a request: a status that is not documented, 500 before all; an error that is not a
problem with its sentence; an answer without the headers that no answer lacks; no answer where one is due; anything
that the server's log calls an error; or an honest request right afterwards that is not answered as always. Memory
that stays is reported, and fails the run above 100 MB. Writes benchmarks/results/fuzz/http_requests.json.
"""

from __future__ import annotations

import http.client
import json
import logging
import socket
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import uvicorn
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
from command import fuzz
from http_inputs import CLASSES, ITEMS, MAKERS, PHOTOS, SKETCH, Case, request

from acclimate.data.readers.pictures import Form
from acclimate.runs.audits import Asked, Item
from acclimate.serving.app import create_app, warm_up
from acclimate.serving.gallery import Gallery
from acclimate.serving.guard import HEADERS
from acclimate.serving.labelling import Labeller, create_label_app
from acclimate.serving.searching import Limits, Served
from acclimate.serving.server import configured, listening
from acclimate.types import Side

LIMITS = Limits(bytes=200_000, unwanted=1_000_000, seconds=20, patience=0.5, head_seconds=0.5, lingering=0.5)
# Requests at once, seconds that one has, and megabytes that may stay.
AT_ONCE, WAIT, MEGABYTES = 6, 60.0, 100
# As docs/serve.md has them, for what has no entry in OpenAPI.
DOCUMENTED = {200, 400, 403, 404, 405, 408, 409, 413, 415, 422, 429, 503, 504}
# The guard's, before any route is looked at.
OF_ANY = {400, 403, 429, 503}
SENTENCES = ("type", "title", "status", "detail")


class Shades:
    """The grey of four quarters, less the mean; enough of an encoder for a real gallery."""

    name, width = "shades", 4

    def form(self, side: Side) -> Form:
        """Small pictures."""
        return Form(8, 1)

    def encode(self, pictures: np.ndarray, side: Side) -> np.ndarray:
        """Means of quarters."""
        quarters = pictures.reshape(-1, 2, 4, 2, 4).astype(np.float32).mean(axis=(2, 4)).reshape(-1, 4)
        return quarters - quarters.mean(axis=1, keepdims=True)


class Judge:
    """Dark or light."""

    classes, before_name = ("dark", "light"), None

    def form(self, side: Side) -> Form:
        """As the gallery's."""
        return Form(8, 1)

    def after(self, pictures: np.ndarray) -> np.ndarray:
        """By the mean."""
        light = pictures.mean(axis=(1, 2, 3)) / 255
        return np.stack([1 - light, light], axis=1)

    def before(self, pictures: np.ndarray) -> None:
        """There is no baseline."""


def _photos_app(home: Path) -> Any:
    root = home / "photos"
    for number, name in enumerate(PHOTOS):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 255, (40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / name)
    gallery, _ = Gallery.build(root, home / "index", Shades())
    served = Served("Fuzzed", "none", Form(8, 1), photos=gallery, classifier=Judge())
    warm_up(served)
    return create_app(served, limits=LIMITS)


def _labels_app(home: Path) -> Any:
    items = tuple(
        Item(name=name, row=i, id=name, stratum=0, probability=0.5, kind="text", shown=f"text {i}")
        for i, name in enumerate(ITEMS)
    )
    asked = Asked(
        created="2026-01-01T00:00:00+00:00", seed=0, split="target", examples=4, sizes=(4,), agreed=(False,),
        classes=CLASSES, items=items, models=(),
    )  # fmt: skip
    return create_label_app(Labeller(asked, home / "labelled.csv", "acclimate audit"), "Fuzzed", limits=LIMITS)


class Log(logging.Handler):
    """What servers, event loops and threads call an error, until it is closed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []
        self._loggers = [logging.getLogger(name) for name in ("acclimate", "uvicorn.error", "asyncio")]
        for logger in self._loggers:
            logger.addHandler(self)
        self._before, threading.excepthook = threading.excepthook, self._thread_failed

    def close(self) -> None:
        """Listen no more."""
        for logger in self._loggers:
            logger.removeHandler(self)
        threading.excepthook = self._before
        super().close()

    def _thread_failed(self, args: threading.ExceptHookArgs) -> None:
        self.said.append(f"a thread: {args.exc_value!r}")

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        error = record.exc_info[1] if record.exc_info else ""
        self.said.append(f"{record.getMessage().splitlines()[0]:.120} {error!r:.160}")


@dataclass
class Site:
    """A server in a thread, and the request to which it always answers the same."""

    app: Any
    honest: bytes
    expected: bytes = b""
    _server: uvicorn.Server = field(init=False)

    def __post_init__(self) -> None:
        heard = listening("127.0.0.1", 0)
        self.place = heard.getsockname()
        self._server = uvicorn.Server(configured(self.app, LIMITS, grace=1))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [heard]}, daemon=True)
        self._thread.start()
        self.expected = self._honest_answer()
        self.paths = self.app.openapi()["paths"]

    def stop(self) -> None:
        """End it."""
        self._server.should_exit = True
        self._thread.join()

    def documented(self, case: Case) -> set[int]:
        """Statuses of which the description tells."""
        if case.route is None:
            return DOCUMENTED
        return {int(status) for status in self.paths[case.route][case.method.lower()]["responses"]} | OF_ANY

    def still_honest(self) -> bool:
        """Whether an honest request is answered as always."""
        return self._honest_answer() == self.expected

    def _honest_answer(self) -> bytes:
        with socket.create_connection(self.place, WAIT) as one:
            one.sendall(self.honest)
            answer = http.client.HTTPResponse(one)
            answer.begin()
            return b"%d %b" % (answer.status, answer.read())


@contextmanager
def sites() -> Iterator[dict[str, Site]]:
    """Both servers."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder).resolve()
        found = {
            "search": Site(_photos_app(home), request("POST", "/api/search", body=SKETCH)),
            "labels": Site(_labels_app(home), request("GET", "/api/pictures/none")),
        }
        try:
            yield found
        finally:
            for site in found.values():
                site.stop()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


def sent(case: Case, site: Site) -> Answer | None:
    """Send it, piece by piece, and read what comes; None for an end without an answer."""
    with socket.create_connection(site.place, WAIT) as one:
        with suppress(ConnectionError):  # it may be answered, and closed, before all of it is sent
            for piece in case.content:
                one.sendall(piece)
        answer = http.client.HTTPResponse(one, method=case.method)
        try:
            answer.begin()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers, answer.read())
        except (ConnectionError, http.client.RemoteDisconnected, http.client.BadStatusLine):
            return None


def fault(case: Case, answer: Answer | None, documented: set[int]) -> str | None:
    """What is wrong with an answer."""
    if answer is None:
        return "no answer" if case.whole else None
    if answer.status not in documented:
        return f"status {answer.status}, which is not documented here: {answer.body[:150]!r}"
    missing = [name for name, value in HEADERS.items() if answer.headers.get(name.lower()) != value]
    if missing:
        return f"status {answer.status} without {missing[0]}: {answer.body[:100]!r}"
    return None if answer.status < 400 or case.method == "HEAD" else _fault_of_problem(answer)


def _fault_of_problem(answer: Answer) -> str | None:
    try:
        found = json.loads(answer.body)
    except ValueError:
        return f"status {answer.status} without a problem: {answer.body[:100]!r}"
    if answer.headers.get("content-type") != "application/problem+json" or tuple(found) != SENTENCES:
        return f"status {answer.status} without a problem: {answer.body[:100]!r}"
    if found["status"] != answer.status or not found["detail"] or "Traceback" in found["detail"]:
        return f"status {answer.status} with {answer.body[:200]!r}"
    return None


def checked(case: Case, at: dict[str, Site]) -> tuple[str, str | None]:
    """Send one; its status or that there is none, and what is wrong."""
    site = at[case.app]
    try:
        answer = sent(case, site)
    except TimeoutError:
        return "waits", f"no end within {WAIT:g} s"
    wrong = fault(case, answer, site.documented(case))
    if wrong is None and not site.still_honest():
        wrong = "an honest request right afterwards is answered otherwise"
    return "closed" if answer is None else str(answer.status), wrong


def made(name: str, seed: int, index: int) -> Case:
    """A request by its number."""
    return MAKERS[name][0](Random(f"{seed}/{name}/{index}"))


def resident() -> float:
    """Megabytes of this process."""
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(text.partition("VmRSS:")[2].split()[0]) / 1000


def run(at: dict[str, Site], log: Log, name: str, seed: int, count: int) -> dict[str, Any]:
    """Send `count` requests of a kind, some at once."""
    outcomes, failures, began = Counter[str](), [], time.monotonic()
    warm, before = max(1, count // 5), resident()

    def one(index: int) -> tuple[int, str, str | None]:
        return index, *checked(made(name, seed, index), at)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for index, outcome, wrong in pool.map(one, range(count)):
            outcomes[outcome] += 1
            failures += [] if wrong is None else [[index, wrong]]
            failures += [[index, f"one of the {AT_ONCE} up to this one: {said}"] for said in log.said]
            log.said.clear()
            before = resident() if index == warm else before
    stays = resident() - before
    if stays > MEGABYTES:
        failures.append([count - 1, f"{stays:.0f} MB more than after the first {warm:,} requests"])
    return {
        "inputs": count,
        "outcomes": dict(sorted(outcomes.items())),
        "failures": failures,
        "seconds": round(time.monotonic() - began, 1),
        "memory_that_stays_mb": round(stays, 1),
    }


def replay(at: dict[str, Site], log: Log, name: str, seed: int, index: int) -> None:
    """Show a request and its answer."""
    case = made(name, seed, index)
    for piece in case.content:
        print(piece[:3000])
    print(sent(case, at[case.app]), checked(case, at), *log.said, sep="\n")


def main() -> int:
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # as `acclimate serve` does
    warnings.filterwarnings("ignore", module=r"PIL\b")
    counts = {name: count for name, (_, count) in MAKERS.items()}
    limits = {"at_once": AT_ONCE, "seconds": WAIT, "memory_mb": MEGABYTES}
    with sites() as at, closing(Log()) as log:  # uvicorn, once configured, would not let an earlier log listen
        return fuzz(
            __doc__ or "", "http_requests", counts, partial(run, at, log), partial(replay, at, log), limits=limits
        )


if __name__ == "__main__":
    sys.exit(main())
