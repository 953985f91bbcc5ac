"""`acclimate serve` as a process of its own: it starts, answers, and stops in order."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from acclimate.running.adaptation import adapt
from acclimate.runs.request import Request
from commands import Command

pytest.importorskip("fastapi")
WAIT = 300


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "dann"
    adapt(Request(task="demo", method="dann", training={"steps": 6, "evaluations": 1}), folder)
    return folder


class Server:
    """The command, and the URL it printed."""

    def __init__(self, *words: str | Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "acclimate", "serve", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, "COLUMNS": "200"},
        )
        # Should it never speak, the test fails instead of waiting for ever.
        watch = threading.Timer(WAIT, self.process.kill)
        watch.start()
        assert self.process.stdout is not None
        self.said = [self.process.stdout.readline(), self.process.stdout.readline()]
        watch.cancel()
        found = re.search(r"http://\S+", self.said[1])
        assert found, self.process.communicate()[1]
        self.url = found[0]

    def ask(self, path: str, content: bytes | None = None) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", data=content, timeout=WAIT) as answer:
            return json.load(answer)

    def stop(self, number: int) -> tuple[int, str]:
        """The exit code, and what was said last."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=WAIT)
        return self.process.returncode, err


@pytest.fixture
def started(run: Path) -> Iterator[Server]:
    server = Server(run, "--port", "0")
    yield server
    if server.process.poll() is None:
        server.process.kill()
    server.process.communicate()


def drawn_digit() -> bytes:
    image = Image.new("L", (256, 256), "black")
    ImageDraw.Draw(image).line([(70, 60), (180, 60), (110, 200)], fill="white", width=24)
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_it_answers_and_ctrl_c_stops_it_in_order(started: Server) -> None:
    assert started.said[0] == "DANN trained on demo: 10 classes to tell apart\n"
    info = started.ask("api/info")
    assert (info["kind"], info["method"], info["baseline"]) == ("classify", "dann", "source-only")
    # The digits of the demo are light on dark, which is found in the run itself.
    assert (info["ink"], info["size"], info["classes"]) == ("light", 8, list("0123456789"))
    assert 0.9 <= info["reach"] <= 1
    found = started.ask("api/predict", drawn_digit())
    assert {found["before"], found["after"]} <= set("0123456789")
    assert abs(sum(one["after"] for one in found["classes"]) - 1) < 1e-6
    assert abs(sum(one["before"] for one in found["classes"]) - 1) < 1e-6
    assert started.stop(signal.SIGINT) == (130, "Stopped. Requests that were being answered are done.\n")


def test_a_request_to_end_is_a_success(started: Server) -> None:
    assert started.stop(signal.SIGTERM) == (0, "Stopped. Requests that were being answered are done.\n")


def test_a_request_in_work_is_finished_first(started: Server) -> None:
    """Its head is there, its body comes after the signal."""
    host, port = started.url.removeprefix("http://").rstrip("/").split(":")
    content = drawn_digit()
    with socket.create_connection((host, int(port)), timeout=WAIT) as connection:
        head = f"POST /api/predict HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(content)}\r\n\r\n"
        connection.sendall(head.encode() + content[:50])
        # Answered on another connection, so the first one has been read too.
        started.ask("api/health")
        started.process.send_signal(signal.SIGTERM)
        connection.sendall(content[50:])
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")
    assert started.process.wait(WAIT) == 0


def test_a_port_that_is_taken(acclimate: Command, run: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = acclimate("serve", run, "--port", port)
    assert said.code == 2
    assert f"port must be free; got {port}, which is in use. Stop what uses it, or choose another" in said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--port", "70000"), "port must be from 0 to 65,535; got 70000. Take --port 0 for a free one."),
        (("--host", "203.0.113.7", "--port", "0"), "host must be an address of this machine"),
        (("--host", "no such host", "--port", "0"), "host must be a name or an address of this machine"),
        (("--ink", "blue"), "ink must be 'auto', 'dark' or 'light'; got 'blue'"),
    ],
)
def test_what_cannot_be(acclimate: Command, run: Path, words: tuple[str, ...], sentence: str) -> None:
    said = acclimate("serve", run, *words)
    assert said.code == 2
    assert sentence in said.err


def test_a_folder_that_is_no_run(acclimate: Command, tmp_path: Path) -> None:
    said = acclimate("serve", tmp_path, "--port", "0")
    assert said.code == 2
    assert "run must be the folder of a run" in said.err


def test_an_index_that_is_not_there(acclimate: Command, run: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    said = acclimate("serve", run, "--index", nowhere, "--port", "0")
    assert said.code == 2
    assert f"Index your photos first: acclimate index {run} PHOTOS/ --index {nowhere}" in " ".join(said.err.split())


def test_without_the_extra_it_says_which(acclimate: Command, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acclimate.cli.serve.find_spec", lambda name: None)
    said = acclimate("serve", run)
    assert said.code == 2
    assert "pip install 'acclimate[serve]'" in said.err


def test_help_loads_neither_server_nor_network() -> None:
    program = (
        "import sys\nfrom acclimate.cli.main import app\n"
        "try: app(['serve', '--help'])\nexcept SystemExit: pass\nprint(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "--port" in done.stdout
    assert not {"torch", "fastapi", "uvicorn", "starlette", "numpy"} & set(done.stderr.split())


def test_an_audit_is_labelled_in_the_browser(run: Path, acclimate: Command) -> None:
    said = acclimate("serve", run, "--audit")
    assert said.code == 2
    assert "acclimate audit" in said.err
    said = acclimate("audit", run, "--items", "12")
    assert said.code == 0, said.err
    assert "--audit" in said.out
    server = Server(run, "--audit", "--port", "0")
    try:
        assert "12 examples to label" in server.said[0]
        for item in server.ask("api/questions")["items"]:
            assert item["kind"] == "file"
            given = json.dumps({"label": "3"}).encode()
            url, kind = f"{server.url}api/questions/{item['name']}", {"Content-Type": "application/json"}
            urllib.request.urlopen(urllib.request.Request(url, given, kind, method="PUT"), timeout=WAIT).close()
        code, _ = server.stop(signal.SIGTERM)
        assert code == 0
    finally:
        server.process.kill()
        server.process.communicate()
    (labelled,) = (run / "audits").glob("*/labelled.csv")
    said = acclimate("audit", run, "--answers", labelled)
    assert said.code == 0, said.err
    assert "by 12 audited labels" in said.out
