"""Downloads against a server on this machine that misbehaves on request."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from acclimate.data import catalog, download
from acclimate.data.catalog.base import Dataset, RemoteFile
from acclimate.data.domain import Domain
from acclimate.data.home import raw_folder
from acclimate.errors import RequestError, UnknownNameError, WorkError

CONTENT = np.random.default_rng(0).bytes(300_000)
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"


class Handler(BaseHTTPRequestHandler):
    """What a path does: /whole, /cut, /once, /norange, /wrong, /404, /endless, /liar, /unsaid."""

    asked: ClassVar[list[tuple[str, str]]] = []

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.asked.append((self.path, wanted))
        start = int(wanted.removeprefix("bytes=").rstrip("-") or 0)
        content = CONTENT
        if self.path == "/404":
            self.send_error(404)
            return
        if self.path == "/wrong":
            content = b"<html>moved</html>"
        if self.path in ("/norange", "/wrong"):
            start = 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            at = 7 if self.path == "/liar" else start
            self.send_header("Content-Range", f"bytes {at}-{len(content) - 1}/{len(content)}")
        if self.path not in ("/endless", "/unsaid"):
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(self._body(content[start:], first=not wanted))

    def _body(self, rest: bytes, first: bool) -> bytes:
        if self.path == "/cut" or (self.path in ("/once", "/unsaid") and first):
            return rest[: len(rest) // 2]
        return rest * 3 if self.path == "/endless" else rest


@pytest.fixture
def server() -> Iterator[str]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    Handler.asked.clear()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def dead() -> str:
    """An address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


class Bytes(Dataset):
    """One example: the number of bytes in the file."""

    name = "bytes"
    title = "Bytes"
    licence = "none"
    source = "this test"
    classes = ("only", "other")
    splits = ("train", "extra")
    optional = ("extra",)
    needs: ClassVar[dict[str, tuple[tuple[str, ...], ...]]] = {
        "train": (("data.bin", "unpacked.bin"),),
        "extra": (("extra.bin",),),
    }

    def parse(self, raw: Path, split: str) -> Domain:
        size = len(self.official(raw, split).read_bytes())
        return self.domain(split, np.array([[size]], np.float32), np.array([0]))


def dataset(*urls: str, checksum: str = MD5, size: int = 0) -> Dataset:
    made = Bytes()
    made.files = (RemoteFile("data.bin", urls, checksum, size),)  # type: ignore[misc]
    return made


def arrived() -> bytes:
    return (raw_folder("bytes") / "data.bin").read_bytes()


def left_over() -> list[str]:
    return sorted(path.name for path in raw_folder("bytes").iterdir())


@pytest.mark.parametrize("size", [0, len(CONTENT)])
def test_a_file_arrives_whole_and_is_fetched_once(server: str, size: int) -> None:
    data = dataset(f"{server}/whole", size=size)
    assert download.size_left(data) == size
    assert download.fetch(data) == [raw_folder("bytes") / "data.bin"]
    assert arrived() == CONTENT
    download.fetch(data)
    assert Handler.asked == [("/whole", "")]
    assert left_over() == ["data.bin"]
    assert download.size_left(data) == 0


def test_a_sha256_will_do(server: str) -> None:
    download.fetch(dataset(f"{server}/whole", checksum=f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"))
    assert arrived() == CONTENT


def test_a_dead_mirror_is_passed_over(server: str, dead: str) -> None:
    download.fetch(dataset(f"{dead}/x", f"{server}/404", f"{server}/whole"))
    assert arrived() == CONTENT


def test_a_transfer_that_stops_once_is_resumed(server: str) -> None:
    download.fetch(dataset(f"{server}/once"))
    assert arrived() == CONTENT
    assert Handler.asked == [("/once", ""), ("/once", "bytes=150000-")]


def test_a_transfer_without_a_length_is_held_against_the_known_size(server: str) -> None:
    """Nothing in the answer tells that half of the file is missing; the catalog does."""
    download.fetch(dataset(f"{server}/unsaid", size=len(CONTENT)))
    assert arrived() == CONTENT
    assert Handler.asked == [("/unsaid", ""), ("/unsaid", f"bytes={len(CONTENT) // 2}-")]


def test_another_mirror_goes_on_where_the_first_stopped(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_ATTEMPTS", 1)
    download.fetch(dataset(f"{server}/cut", f"{server}/whole"))
    assert arrived() == CONTENT
    assert Handler.asked[-1] == ("/whole", "bytes=150000-")


def test_a_later_call_goes_on_where_an_earlier_one_stopped(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_ATTEMPTS", 1)
    with pytest.raises(WorkError, match=r"the transfer stopped after 150,000 of 300,000 bytes"):
        download.fetch(dataset(f"{server}/cut"))
    assert left_over() == [".data.bin.part"]
    download.fetch(dataset(f"{server}/whole"))
    assert Handler.asked[-1] == ("/whole", "bytes=150000-")
    assert arrived() == CONTENT


def test_a_server_without_ranges_sends_the_whole_again(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_ATTEMPTS", 1)
    download.fetch(dataset(f"{server}/cut", f"{server}/norange"))
    assert Handler.asked[-1] == ("/norange", "bytes=150000-")
    assert arrived() == CONTENT


def leave_part(content: bytes) -> None:
    raw_folder("bytes").mkdir(parents=True)
    (raw_folder("bytes") / ".data.bin.part").write_bytes(content)


def test_a_part_from_elsewhere_is_found_out_and_dropped(server: str) -> None:
    leave_part(b"x" * 1000)
    download.fetch(dataset(f"{server}/whole"))
    assert Handler.asked == [("/whole", "bytes=1000-"), ("/whole", "")]
    assert arrived() == CONTENT


def test_a_part_as_long_as_the_file_is_dropped(server: str) -> None:
    leave_part(b"x" * len(CONTENT))
    download.fetch(dataset(f"{server}/whole"))
    assert arrived() == CONTENT


def test_a_server_that_sends_another_part_is_not_believed(server: str) -> None:
    leave_part(CONTENT[:1000])
    with pytest.raises(WorkError, match="it sends another part of the file"):
        download.fetch(dataset(f"{server}/liar"))


def test_a_damaged_file_is_fetched_again(server: str) -> None:
    raw_folder("bytes").mkdir(parents=True)
    (raw_folder("bytes") / "data.bin").write_bytes(b"damaged")
    download.fetch(dataset(f"{server}/whole"))
    assert arrived() == CONTENT


def test_a_longer_file_is_cut_short(server: str) -> None:
    with pytest.raises(WorkError, match="it sends more than the 300,000 bytes"):
        download.fetch(dataset(f"{server}/endless", size=len(CONTENT)))
    assert not (raw_folder("bytes") / "data.bin").exists()


def test_when_all_mirrors_fail_each_is_named_with_its_reason(server: str, dead: str) -> None:
    urls = [f"{server}/404", f"{server}/wrong", f"{dead}/x"]
    with pytest.raises(WorkError) as caught:
        download.fetch(dataset(*urls))
    message = str(caught.value)
    assert re.search(rf"{urls[0]}: .*404", message)
    assert f"{urls[1]}: it sent a file with another checksum" in message
    assert re.search(rf"{urls[2]}: .*refused", message)
    assert f"put the file into {raw_folder('bytes')} yourself" in message
    assert left_over() == []
    assert Handler.asked == [("/404", ""), ("/wrong", "")], "a wrong whole file is not asked for twice"


def test_get_stores_what_arrived_in_place_of_earlier_arrays(server: str) -> None:
    data = dataset(f"{server}/whole")
    raw_folder("bytes").mkdir(parents=True)
    (raw_folder("bytes") / "unpacked.bin").write_bytes(b"four")
    assert data.load("train").inputs[0, 0] == 4
    (raw_folder("bytes") / "unpacked.bin").unlink()
    assert set(download.get(data)) == {"train"}
    assert data.load("train").inputs[0, 0] == len(CONTENT)


def test_a_file_under_another_name_is_not_fetched(dead: str) -> None:
    raw_folder("bytes").mkdir(parents=True)
    (raw_folder("bytes") / "unpacked.bin").write_bytes(b"four")
    assert download.fetch(dataset(f"{dead}/x")) == []


def test_an_optional_split_is_fetched_only_when_asked(server: str) -> None:
    data = dataset(f"{server}/404")
    data.files = (  # type: ignore[misc]
        *dataset(f"{server}/whole").files,
        RemoteFile("extra.bin", (f"{server}/whole",), MD5),
    )
    assert [path.name for path in download.fetch(data)] == ["data.bin"]
    assert [path.name for path in download.fetch(data, ["extra"])] == ["extra.bin"]
    with pytest.raises(UnknownNameError, match="Did you mean 'extra'"):
        download.fetch(data, ["exrta"])


def test_a_data_set_without_an_address_says_what_to_do() -> None:
    with pytest.raises(RequestError, match=r"no lasting address.*Put amazon/ from https.*acclimate data import"):
        download.get(catalog.dataset("office_caltech10"))


def test_a_full_disk_is_noticed_before(server: str) -> None:
    with pytest.raises(WorkError, match=r"has room for [\d,]+ only"):
        download.fetch(dataset(f"{server}/whole", size=2**60))
    assert Handler.asked == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ACCLIMATE_DATA", str(tmp_path / "file"))
    with pytest.raises(WorkError, match="Set ACCLIMATE_DATA"):
        download.fetch(dataset(f"{server}/whole"))


def test_what_needs_no_file_needs_no_download() -> None:
    assert download.fetch(catalog.dataset("digits")) == []
    assert len(download.get(catalog.dataset("digits"), ["test"])["test"]) == 360
