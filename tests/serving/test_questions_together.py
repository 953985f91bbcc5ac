"""Questions that are answered in one go: everybody gets their own answer, and nobody another's error."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from acclimate.errors import RequestError
from acclimate.serving.batches import Batches
from acclimate.serving.index import VectorIndex
from acclimate.serving.searching import Limits, Served
from served import FORM, Album, Judge, Running, photo_album, png, sketch

pytest.importorskip("fastapi")

from acclimate.serving.app import create_app
from acclimate.serving.arrivals import Arrivals
from acclimate.serving.problems import Problem
from acclimate.serving.work import Workers

WAIT = 60


class Doubling:
    """Doubles numbers, and remembers what it was asked at once; it does not take the negative."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def __call__(self, numbers: list[int]) -> Sequence[int]:
        self.asked.append(numbers)
        if min(numbers) < 0:
            raise ValueError(min(numbers))
        return [2 * number for number in numbers]


def assert_answered(number: int, answer: Future[int]) -> None:
    assert answer.done()
    if number >= 0:
        assert answer.result() == 2 * number
        return
    with pytest.raises(ValueError, match=f"^{number}$"):
        answer.result()


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(-3, 20), st.booleans())), st.integers(1, 9))
def test_everybody_gets_their_own_answer_whoever_else_asks(asked: list[tuple[str, int, bool]], most: int) -> None:
    batches, works = Batches(most), {kind: Doubling() for kind in "ab"}
    answers = [batches.add(kind, number, works[kind]) for kind, number, _ in asked]
    for answer, (_, _, given_up) in zip(answers, asked, strict=True):
        if given_up:
            answer.cancel()
    for _ in asked:
        batches.turn()
    for answer, (_, number, given_up) in zip(answers, asked, strict=True):
        if given_up:
            assert answer.cancelled()
        else:
            assert_answered(number, answer)
    for kind, work in works.items():
        seen = {number for numbers in work.asked for number in numbers}
        assert seen == {number for of, number, given_up in asked if of == kind and not given_up}
        assert all(len(numbers) <= most for numbers in work.asked)


def test_the_oldest_and_its_like_come_first() -> None:
    batches, first, second = Batches(3), Doubling(), Doubling()
    for number in range(4):
        batches.add("first", number, first)
        batches.add("second", number, second)
    batches.turn()
    assert (first.asked, second.asked) == ([[0, 1, 2]], [])
    batches.turn()
    assert (first.asked, second.asked) == ([[0, 1, 2]], [[0, 1, 2]])
    batches.turn()
    batches.turn()
    assert (first.asked[1:], second.asked[1:]) == ([[3]], [[3]])


def test_work_that_forgets_a_question_leaves_nobody_waiting() -> None:
    batches = Batches(4)
    answers = [batches.add("", number, lambda numbers: numbers[1:]) for number in range(3)]
    batches.turn()
    for answer in answers:
        with pytest.raises(ValueError, match="zip"):
            answer.result(timeout=0)


def test_a_stop_leaves_nobody_waiting() -> None:
    batches = Batches(4)
    answer = batches.add("", 1, Doubling())
    batches.stop()
    assert answer.cancelled()
    batches.turn()


@given(
    arrays(np.float32, (40, 4), elements=st.integers(-3, 3).map(float)).map(lambda rows: rows + 0.25),
    arrays(np.float32, (7, 4), elements=st.floats(-1, 1, width=16)).map(lambda rows: rows + np.float32(1.5)),
    st.integers(1, 40),
    st.sampled_from(["float32", "float16"]),
)
def test_the_exact_index_answers_a_query_alike_among_others(
    vectors: np.ndarray, queries: np.ndarray, k: int, dtype: str
) -> None:
    index = VectorIndex("encoder", 4, kind="exact", dtype=dtype)  # type: ignore[arg-type]
    index.add([str(i) for i in range(40)], vectors, [str(i) for i in range(40)])
    ids, similarities = index.search(queries, k)
    for query, names, row in zip(queries, ids, similarities, strict=True):
        alone = index.search(query[None], k)
        assert alone[0] == [names]
        np.testing.assert_array_equal(alone[1][0], row)


# Over HTTP


@pytest.fixture
def album(tmp_path: Path) -> Album:
    return photo_album(tmp_path)


@contextmanager
def running(served: Served, **limits: int) -> Iterator[Running]:
    """The server of what is served."""
    server = Running(lambda: create_app(served, limits=Limits(**limits)))
    try:
        yield server
    finally:
        server.stop()


def ask(server: Running, path: str, content: bytes) -> tuple[int, Any]:
    """Status and answer of one request."""
    with closing(http.client.HTTPConnection(*server.place, timeout=WAIT)) as connection:
        connection.request("POST", path, content, {"Host": "localhost"})
        got = connection.getresponse()
        return got.status, json.loads(got.read())


@dataclass
class Crowd:
    """Asks alone first, to be held by the model, then from everywhere at once; the model goes on once all wait."""

    questions: list[tuple[str, bytes]]
    sizes: list[int] = field(default_factory=list)
    _inside: threading.Event = field(default_factory=threading.Event)
    _all_wait: threading.Event = field(default_factory=threading.Event)
    _added: int = 0

    def hold(self, pictures: np.ndarray) -> None:
        """Stand in the model's way."""
        self.sizes.append(len(pictures))
        self._inside.set()
        assert self._all_wait.wait(WAIT)

    def ask(self, served: Served, monkeypatch: pytest.MonkeyPatch, **limits: int) -> list[tuple[int, Any]]:
        """What each question gets, in order; the first is the one that goes ahead."""
        add = Batches.add

        def counted(*args: Any) -> Any:
            answer = add(*args)
            self._added += 1
            if self._added == len(self.questions):
                self._all_wait.set()
            return answer

        monkeypatch.setattr(Batches, "add", counted)
        with running(served, **limits) as server, ThreadPoolExecutor(len(self.questions)) as pool:
            first = pool.submit(ask, server, *self.questions[0])
            assert self._inside.wait(WAIT)
            others = [pool.submit(ask, server, *question) for question in self.questions[1:]]
            return [answer.result() for answer in (first, *others)]


def shaded(level: int) -> bytes:
    """A sketch on a sheet of that grey, so that each finds other photos."""
    image = Image.new("L", (64, 64), level)
    image.paste(sketch().crop((0, 0, 20, 20)), (0, 0))
    return png(image)


def searches(*levels: int, k: int = 24) -> list[tuple[str, bytes]]:
    """Questions for photos."""
    return [(f"/api/search?k={k}", shaded(level)) for level in levels]


def test_searches_that_wait_are_answered_in_one_go(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    questions, served = searches(40, 81, 122, 163, 204), Served("Sketches", "dann", FORM, photos=album)
    with running(served) as server:
        alone = [ask(server, *question) for question in questions]
    assert len({one["results"][0]["id"] for _, one in alone}) > 1
    crowd = Crowd(questions)
    album.before = crowd.hold
    assert crowd.ask(served, monkeypatch) == alone
    assert crowd.sizes == [1, 4]


def test_no_more_at_once_than_the_limit(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(searches(*[100] * 6))
    album.before = crowd.hold
    answers = crowd.ask(Served("Sketches", "dann", FORM, photos=album), monkeypatch, batch=2)
    assert [status for status, _ in answers] == [200] * 6
    assert crowd.sizes == [1, 2, 2, 1]


def test_each_gets_as_many_photos_as_it_asked_for(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd([*searches(90, 90), *searches(90, 90, k=2), *searches(90, k=1)])
    album.before = crowd.hold
    answers = crowd.ask(Served("Sketches", "dann", FORM, photos=album), monkeypatch)
    assert [len(found["results"]) for _, found in answers] == [6, 6, 2, 2, 1]
    assert crowd.sizes[0] == 1
    assert sorted(crowd.sizes[1:]) == [1, 1, 2]


def test_what_the_model_refuses_is_told_to_whoever_asked_it(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(searches(40, 204, 81, 204))

    def hold(pictures: np.ndarray) -> None:
        crowd.hold(pictures)
        if pictures.mean(axis=(1, 2, 3)).max() > 150:
            raise RequestError("picture 1", "must show something", "a vector without a direction", "Draw more.")

    album.before = hold
    answers = crowd.ask(Served("Sketches", "dann", FORM, photos=album), monkeypatch)
    assert [status for status, _ in answers] == [200, 400, 200, 400]


def test_pictures_to_classify_are_answered_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd([("/api/predict", shaded(level)) for level in (40, 81, 204)])

    class Held(Judge):
        def after(self, pictures: np.ndarray) -> np.ndarray:
            crowd.hold(pictures)
            return super().after(pictures)

    answers = crowd.ask(Served("Digits", "mcc", FORM, classifier=Held()), monkeypatch)
    assert crowd.sizes == [1, 1, 2, 2]  # each with its baseline, which turns the answers of `after` round
    assert [found["after"] for _, found in answers] == ["dark", "dark", "light"]
    assert [found["before"] for _, found in answers] == ["light", "light", "dark"]


# Whose time is over just then


class Gone:
    """A request whose sender leaves when told to."""

    scope: dict[str, Any] = {"type": "http", "client": ("127.0.0.1", 1)}  # noqa: RUF012  # as Starlette has it

    def __init__(self) -> None:
        self.leaves = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.leaves.wait()
        return {"type": "http.disconnect"}


async def a_few_turns() -> None:
    """As many as what is given up takes to end."""
    for _ in range(5):
        await asyncio.sleep(0)


def failures_of(work: Coroutine[Any, Any, None]) -> list[Any]:
    """What an event loop says of callbacks that failed meanwhile."""
    said: list[Any] = []

    async def heard() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
        await work

    asyncio.run(heard())
    return said


def test_whoever_leaves_while_their_time_is_over_breaks_nothing() -> None:
    async def leave_late(request: Gone) -> None:
        async with Workers(Limits(seconds=0.01)).patience(request):  # type: ignore[arg-type]
            try:
                await asyncio.sleep(WAIT)
            finally:
                request.leaves.set()
                await a_few_turns()

    async def work() -> None:
        with pytest.raises(Problem, match=r"longer than 0\.01 s|connection ended"):
            await leave_late(Gone())

    assert failures_of(work()) == []


def test_a_body_whose_time_is_over_makes_room_without_harm_to_the_next() -> None:
    async def work() -> None:
        arrivals, begun = Arrivals(Limits(arriving=1, patience=0.01)), asyncio.Event()

        async def late() -> None:
            async with arrivals.one("127.0.0.2"):
                try:
                    await asyncio.sleep(WAIT)
                finally:
                    begun.set()
                    await a_few_turns()

        first = asyncio.ensure_future(late())
        await begun.wait()
        async with arrivals.one("127.0.0.3") as came:
            came(1)
        with pytest.raises(TimeoutError):
            await first

    assert failures_of(work()) == []
