"""The vector index: what it finds, what it keeps, what it refuses, and that no kill loses what was saved."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from acclimate.errors import DataError, MissingExtraError, RequestError, WorkError
from acclimate.runs.lock import lock
from acclimate.serving import index as index_module
from acclimate.serving.index import MOST_EXACT, VectorIndex, recall_against

RNG = np.random.default_rng(0)
PACKAGES = {"usearch": "usearch", "qdrant": "qdrant_client"}


def needs(kind: str) -> None:
    package = PACKAGES.get(kind)
    if package and find_spec(package) is None:
        pytest.skip(f"{package} is not installed; it comes with the extra {'index' if kind == 'usearch' else kind}")


@pytest.fixture(params=["exact", "usearch", "qdrant"])
def kind(request: pytest.FixtureRequest) -> str:
    needs(request.param)
    return request.param


def names(count: int, prefix: str = "photo") -> list[str]:
    return [f"{prefix} {i}.jpg" for i in range(count)]


def filled(kind: str, count: int = 50, width: int = 8, **options: object) -> tuple[VectorIndex, np.ndarray]:
    vectors = np.random.default_rng(1).normal(size=(count, width))
    index = VectorIndex("encoder 1", width, kind=kind, **options)  # type: ignore[arg-type]
    index.add(names(count), vectors)
    return index, vectors


def expected(vectors: np.ndarray, queries: np.ndarray, k: int) -> tuple[list[list[str]], np.ndarray]:
    units = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (queries, vectors)]
    similar = units[0] @ units[1].T
    order = np.argsort(-similar, axis=1, kind="stable")[:, :k]
    return [[names(len(vectors))[i] for i in row] for row in order], np.take_along_axis(similar, order, axis=1)


# What it finds


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("k", [1, 7, 50])
def test_it_finds_the_most_similar_in_order(kind: str, dtype: str, k: int) -> None:
    index, vectors = filled(kind, dtype=dtype)
    queries = RNG.normal(size=(5, 8)) * 100
    ids, similarities = index.search(queries, k)
    right, cosines = expected(vectors, queries, k)
    if dtype == "float32":
        assert ids == right
    assert similarities.shape == (5, k)
    assert similarities.dtype == np.float32
    np.testing.assert_allclose(similarities, cosines, atol=1e-3 if dtype == "float16" else 2e-6)
    assert (np.diff(similarities, axis=1) <= 0).all()


whole = st.integers(-2, 2)


@settings(max_examples=60)
@given(
    arrays(np.int64, st.tuples(st.integers(1, 30), st.just(3)), elements=whole).filter(lambda a: a.any(axis=1).all()),
    arrays(np.int64, st.tuples(st.integers(1, 4), st.just(3)), elements=whole).filter(lambda a: a.any(axis=1).all()),
    st.data(),
)
def test_exact_search_is_a_plain_sort_with_ties_by_insertion(
    vectors: np.ndarray, queries: np.ndarray, data: st.DataObject
) -> None:
    k = data.draw(st.integers(1, len(vectors)))
    index = VectorIndex("e", 3, kind="exact")
    index.add(names(len(vectors)), vectors, hashes=names(len(vectors), "hash"))
    ids, _ = index.search(queries, k)
    for query, found in zip(queries, ids, strict=True):
        # From whole numbers: the sign and the square of the cosine, so that equal ones are equal.
        dots = [int(v @ query) for v in vectors]
        cosines = [(1 if d > 0 else -1) * d * d / int(v @ v) for d, v in zip(dots, vectors, strict=True)]
        order = sorted(range(len(vectors)), key=lambda i: (-round(cosines[i], 9), i))
        assert found == [names(len(vectors))[i] for i in order[:k]]


def test_of_equal_vectors_the_one_added_first_comes_first(kind: str) -> None:
    index = VectorIndex("e", 4, kind=kind)
    ones = np.ones((6, 4)) * np.arange(1, 7)[:, None]
    index.add(names(6), ones, hashes=names(6, "hash"))
    assert index.search(np.ones((1, 4)), 6)[0] == [names(6)]
    index.remove(names(6)[:2])
    index.add([names(6)[0]], ones[:1], ["hash again"])
    ids, similarities = index.search(np.ones((1, 4)), 5)
    assert ids == [[*names(6)[2:], names(6)[0]]]
    np.testing.assert_array_equal(similarities, np.ones((1, 5)))


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    index, _ = filled("exact", dtype=dtype)
    queries = RNG.normal(size=(9, 8))
    before = index.search(queries, 10)
    monkeypatch.setattr("acclimate.serving.exact._ROWS", 7)
    monkeypatch.setattr("acclimate.serving.exact._HALF_ROWS", 9)
    monkeypatch.setattr("acclimate.serving.exact._PAIRS", 100)
    ids, similarities = index.search(queries, 10)
    assert ids == before[0]
    np.testing.assert_allclose(similarities, before[1], atol=2e-6)


def test_no_queries_find_nothing(kind: str) -> None:
    ids, similarities = filled(kind)[0].search(np.empty((0, 8)), 3)
    assert ids == []
    assert similarities.shape == (0, 3)


def test_the_kind_follows_the_number_expected() -> None:
    assert VectorIndex("e", 2, expected=MOST_EXACT).kind == "exact"
    needs("usearch")
    assert VectorIndex("e", 2, expected=MOST_EXACT + 1).kind == "usearch"


def test_recall_is_the_share_of_the_true_neighbours() -> None:
    exact, _ = filled("exact", 40)
    half = VectorIndex("e", 8)
    vectors = np.random.default_rng(1).normal(size=(40, 8))
    half.add(names(40), np.concatenate([vectors[:20], RNG.normal(size=(20, 8))]))
    queries = RNG.normal(size=(6, 8))
    assert recall_against(exact, exact, queries) == 1
    found, truth = half.search(queries, 5)[0], exact.search(queries, 5)[0]
    by_loop = np.mean([len([n for n in a if n in b]) / 5 for a, b in zip(found, truth, strict=True)])
    assert recall_against(half, exact, queries, 5) == pytest.approx(by_loop)


def test_the_graph_finds_nearly_all_of_what_comparing_with_everything_finds() -> None:
    needs("usearch")
    centres = RNG.normal(size=(50, 32))
    vectors = centres[RNG.integers(0, 50, 3000)] + 0.5 * RNG.normal(size=(3000, 32))
    exact, graph = VectorIndex("e", 32), VectorIndex("e", 32, kind="usearch")
    for index in (exact, graph):
        index.add(names(3000), vectors)
    assert recall_against(graph, exact, vectors[:100] + 0.1 * RNG.normal(size=(100, 32))) >= 0.98


# What it keeps


def test_adding_removing_and_adding_again(kind: str) -> None:
    index, vectors = filled(kind)
    assert len(index) == 50
    assert names(50)[3] in index
    index.remove([names(50)[3], names(50)[3], names(50)[4]])
    assert len(index) == 48
    assert names(50)[3] not in index
    ids, _ = index.search(vectors[3:5], 48)
    assert all(set(row) == set(index.ids) for row in ids)
    added = index.add([names(50)[4]], vectors[4:5])
    assert added.new == (names(50)[4],)
    assert index.ids[-1] == names(50)[4]
    assert index.search(vectors[4:5], 1)[0] == [[names(50)[4]]]
    index.remove(index.ids)
    assert len(index) == 0
    index.add(["alone"], vectors[:1])
    assert index.search(vectors[:2], 1)[0] == [["alone"], ["alone"]]


def test_the_same_content_is_kept_once(kind: str) -> None:
    index, vectors = filled(kind, 3)
    first, second, third = names(3)
    again = index.add([first, "copy", "other", "copy of other"], np.concatenate([vectors[[0, 1]], np.ones((2, 8))]))
    assert again.unchanged == (first,)
    assert again.copies == {"copy": second, "copy of other": "other"}
    assert again.new == ("other",)
    assert len(index) == 4
    # Once the one that was kept is gone, its copy is content like any other.
    index.remove([second])
    assert index.add(["copy"], vectors[1:2]).new == ("copy",)
    changed = index.add([third], -np.ones((1, 8)))
    assert changed.replaced == (third,)
    assert index.ids == (first, "other", "copy", third)
    assert index.search(-np.ones((1, 8)), 1)[0] == [[third]]


def test_two_pictures_that_change_names_both_stay(kind: str) -> None:
    index, vectors = filled(kind, 3)
    added = index.add(names(2), vectors[[1, 0]])
    assert added.replaced == tuple(names(2))
    assert index.search(vectors[:2], 1)[0] == [[names(2)[1]], [names(2)[0]]]


def test_a_changed_picture_that_becomes_a_copy_is_left_out(kind: str) -> None:
    index, vectors = filled(kind, 3)
    added = index.add([names(3)[2]], vectors[:1])
    assert added.copies == {names(3)[2]: names(3)[0]}
    assert (added.new, added.replaced, added.unchanged) == ((), (), ())
    assert index.ids == tuple(names(2))


def test_what_is_there_need_not_be_encoded_again() -> None:
    index = VectorIndex("e", 2)
    index.add(["a"], np.ones((1, 2)), ["hash"])
    assert index.holds("a", "hash")
    assert not index.holds("a", "other")
    assert not index.holds("b", "hash")


operations = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "save"]), st.integers(0, 5), st.integers(0, 5)), max_size=20
)


@pytest.mark.parametrize("kind", ["exact", "usearch"])
@settings(max_examples=25)
@given(operations)
def test_whatever_is_done_it_holds_what_a_dictionary_would(
    kind: str, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    needs(kind)
    folder = tmp_path_factory.mktemp("index")
    contents = np.random.default_rng(3).normal(size=(6, 4))
    index, kept = VectorIndex("e", 4, kind=kind), {}
    for step, name, content in steps:
        if step == "add":
            if content not in kept.values() or kept.get(str(name)) == content:
                if kept.get(str(name)) != content:
                    kept.pop(str(name), None)
                    kept[str(name)] = content
            else:
                kept.pop(str(name), None)
            index.add([str(name)], contents[[content]])
        elif step == "remove" and str(name) in kept:
            index.remove([str(name)])
            del kept[str(name)]
        elif step == "save":
            index.save(folder)
            index = VectorIndex.open(folder, encoder="e", width=4)
    assert list(index.ids) == list(kept)
    for name, content in kept.items():
        assert index.search(contents[[content]], 1)[0] == [[name]]


# What survives


def same(one: VectorIndex, two: VectorIndex) -> None:
    assert one.ids == two.ids
    assert (one.kind, one.encoder, one.width, one.dtype) == (two.kind, two.encoder, two.width, two.dtype)
    queries = np.random.default_rng(9).normal(size=(4, one.width))
    (ids, similarities), (others, of_others) = one.search(queries, len(one)), two.search(queries, len(two))
    assert ids == others
    np.testing.assert_array_equal(similarities, of_others)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_saved_and_opened_it_is_the_same(kind: str, dtype: str, tmp_path: Path) -> None:
    index, vectors = filled(kind, dtype=dtype)
    index.remove(names(50)[10:20])
    index.add(["ünïcode/照片 \n.jpg"], RNG.normal(size=(1, 8)))
    index.save(tmp_path / "index")
    opened = VectorIndex.open(tmp_path / "index", encoder="encoder 1", width=8)
    same(index, opened)
    # Changed, saved over what it was opened from, and opened again.
    opened.remove(names(50)[:5])
    assert opened.add([names(50)[12]], vectors[12:13]).new == (names(50)[12],)
    assert opened.add(["copy"], vectors[30:31]).copies == {"copy": names(50)[30]}
    opened.save(tmp_path / "index")
    same(opened, VectorIndex.open(tmp_path / "index"))
    assert sorted(path.name.partition("-")[0] for path in (tmp_path / "index").iterdir()) == [
        ".lock", "ids", "index.json", "vectors",
    ]  # fmt: skip
    opened.close()


def test_an_exact_index_is_mapped_not_read(tmp_path: Path) -> None:
    filled("exact")[0].save(tmp_path)
    assert isinstance(VectorIndex.open(tmp_path)._engine._stored, np.memmap)  # type: ignore[attr-defined]


def test_an_empty_index_is_kept_too(kind: str, tmp_path: Path) -> None:
    index, vectors = filled(kind)
    index.remove(index.ids)
    index.save(tmp_path)
    opened = VectorIndex.open(tmp_path)
    assert len(opened) == 0
    opened.add(["a"], vectors[:1])
    assert opened.search(vectors[:1], 1)[0] == [["a"]]


def test_one_kind_becomes_another(kind: str) -> None:
    exact, _ = filled("exact")
    exact.remove(names(50)[::7])
    other = exact.converted(kind)
    assert other.kind == kind
    back = other.converted("exact")
    same(exact, back)


def test_ids_get_new_names(kind: str, tmp_path: Path) -> None:
    index, vectors = filled(kind)
    before, found = index.vectors(index.ids), index.search(vectors[:3], 5)
    new = {"photo 0.jpg": "photo 1.jpg", "photo 1.jpg": "photo 0.jpg", "photo 7.jpg": "moved.jpg"}
    index.rename(new)
    index.save(tmp_path)
    for one in (index, VectorIndex.open(tmp_path)):
        assert one.ids == tuple(new.get(name, name) for name in names(50))
        np.testing.assert_array_equal(one.vectors(one.ids), before)
        np.testing.assert_array_equal(one.vectors(["moved.jpg", "photo 1.jpg"]), before[[7, 0]])
        ids, cosines = one.search(vectors[:3], 5)
        assert ids == [[new.get(name, name) for name in row] for row in found[0]]
        np.testing.assert_array_equal(cosines, found[1])
        assert one.hashes["moved.jpg"] == filled(kind)[0].hashes["photo 7.jpg"]
        assert list(one.hashes) == list(one.ids)
    index.remove(["moved.jpg"])
    assert index.add(["photo 7.jpg"], vectors[7:8]).new == ("photo 7.jpg",)
    for wrong in ({"photo 0.jpg": "photo 2.jpg"}, {"photo 0.jpg": "x", "photo 2.jpg": "x"}, {"nobody": "x"}):
        ids = index.ids
        with pytest.raises(RequestError, match="names must all be different|ids must be in the index"):
            index.rename(wrong)
        assert index.ids == ids
    with pytest.raises(RequestError, match="ids must be in the index; got 'nobody'"):
        index.vectors(["nobody"])


def test_a_converted_index_may_take_the_place_of_its_own(tmp_path: Path) -> None:
    index, _ = filled("exact")
    index.save(tmp_path)
    other = index.converted("exact", dtype="float16")
    other.save(tmp_path)
    assert VectorIndex.open(tmp_path).dtype == "float16"
    with pytest.raises(RequestError, match="got one that another process has saved meanwhile"):
        index.save(tmp_path)


TOUCHES = ("fsync", "replace", "unlink", "mkdir", "open", "close")


class Killed(BaseException):
    """No handler of errors may catch it."""


def deadly(number: int, die: Callable[[], None]) -> Iterator[tuple[str, Callable[..., object]]]:
    """`os` functions of which the `number`th call from now dies first."""
    count = [0]
    for name in TOUCHES:
        real = getattr(os, name)

        def wrapped(*args: object, _real: Callable[..., object] = real, **kwargs: object) -> object:
            count[0] += 1
            if count[0] == number:
                die()
            return _real(*args, **kwargs)

        yield name, wrapped


def changed(folder: Path) -> VectorIndex:
    index = VectorIndex.open(folder)
    index.remove(names(50)[:20])
    index.add(names(5, "new"), np.random.default_rng(5).normal(size=(5, 8)))
    return index


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # Python 3.12
def test_killed_at_any_touch_of_the_disk_the_old_index_or_the_new_one_is_there(tmp_path: Path) -> None:
    """The process is killed as by the system, so that nothing cleans up after it."""
    old, _ = filled("exact")
    outcomes = []
    for number in range(1, 100):
        folder = tmp_path / str(number)
        old.save(folder)
        new = changed(folder)
        child = os.fork()
        if child == 0:
            for name, function in deadly(number, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                setattr(os, name, function)
            new.save(folder)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        found = VectorIndex.open(folder)
        outcomes.append(len(found))
        same(found, new if len(found) == len(new) else old)
        # The next save works, and removes what the killed one has left.
        found.save(folder)
        assert len(list(folder.iterdir())) == 4
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            break
    # First the old one is there and then the new one, from the moment on when the header is replaced.
    assert outcomes == sorted(outcomes, reverse=True)
    assert outcomes.count(len(old)) >= 8
    assert outcomes.count(len(new)) >= 3


@pytest.mark.parametrize("error", [Killed(), OSError(28, "No space left on device")])
def test_interrupted_at_any_touch_it_can_be_saved_again(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    old, _ = filled(kind)
    old.save(tmp_path)
    new = changed(tmp_path)

    def die() -> None:
        raise error

    interrupted = 0
    for number in range(1, 100):
        before = VectorIndex.open(tmp_path)
        with monkeypatch.context() as patch:
            for name, function in deadly(number, die):
                if name in {"fsync", "replace"}:
                    patch.setattr(os, name, function)
            try:
                new.save(tmp_path)
            except (Killed, WorkError):
                interrupted += 1
            else:
                break
        after = VectorIndex.open(tmp_path)
        same(after, new if after.ids == new.ids else before)
        if after.ids == new.ids:
            break
    assert interrupted >= 5
    same(VectorIndex.open(tmp_path), new)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (flip_a_bit, "does not have the content that was written"),
        (lambda path: os.truncate(path, path.stat().st_size // 2), "bytes instead of"),
        (lambda path: path.unlink(), "is missing"),
    ],
    ids=["bit flipped", "cut short", "gone"],
)
@pytest.mark.parametrize("part", ["vectors", "ids"])
def test_damage_is_told(kind: str, tmp_path: Path, part: str, damage: Callable[[Path], None], said: str) -> None:
    filled(kind)[0].save(tmp_path)
    (path,) = tmp_path.glob(f"{part}-*")
    damage(path)
    with pytest.raises(
        DataError, match=rf"must be whole; got a damaged one: {part}-.*, which .*{said}.*build it again"
    ):
        VectorIndex.open(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"format": 1}', b"\xff", b"[" * 100_000])
def test_a_damaged_header_is_told(tmp_path: Path, content: bytes) -> None:
    filled("exact")[0].save(tmp_path)
    (tmp_path / "index.json").write_bytes(content)
    with pytest.raises(DataError, match="must be whole; got a damaged one: index.json"):
        VectorIndex.open(tmp_path)


def test_a_header_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    filled("exact")[0].save(tmp_path)
    header = json.loads((tmp_path / "index.json").read_text())
    header["vectors"]["name"] = "../vectors-0123456789abcdef.npy"
    (tmp_path / "index.json").write_text(json.dumps(header))
    with pytest.raises(DataError, match="a damaged one: index.json"):
        VectorIndex.open(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"count": 49}, {"width": 4}, {"dtype": "float16"}, {"kind": "usearch"}],
    ids=["count", "width", "dtype", "kind"],
)
def test_a_header_that_contradicts_its_files_is_told(tmp_path: Path, change: dict[str, object]) -> None:
    if "kind" in change:
        needs("usearch")
    filled("exact")[0].save(tmp_path)
    header = json.loads((tmp_path / "index.json").read_text())
    (tmp_path / "index.json").write_text(json.dumps(header | change))
    with pytest.raises(DataError, match="must be whole; got a damaged one"):
        VectorIndex.open(tmp_path)


def test_the_approximate_index_of_the_same_vectors_is_the_same_one_and_finds_each(tmp_path: Path) -> None:
    """Threads that link vectors at once make another graph each time, with vectors in it that no walk reaches."""
    needs("usearch")
    written = []
    for time in range(3):
        index, vectors = filled("usearch", 2000, 16)
        index.save(tmp_path / str(time))
        (file,) = (tmp_path / str(time)).glob("vectors-*")
        written.append(file.read_bytes())
        assert index.search(vectors, 1)[0] == [[name] for name in index.ids]
    assert written[0] == written[1] == written[2]


# Whose it is


def test_an_index_of_another_encoder_width_or_format_is_refused(tmp_path: Path) -> None:
    filled("exact")[0].save(tmp_path)
    with pytest.raises(RequestError, match="made with the encoder 'encoder 2' that encodes the queries; got one"):
        VectorIndex.open(tmp_path, encoder="encoder 2")
    with pytest.raises(RequestError, match="made with the width 9 that encodes the queries; got one made with 8"):
        VectorIndex.open(tmp_path, width=9)
    header = json.loads((tmp_path / "index.json").read_text())
    (tmp_path / "index.json").write_text(json.dumps(header | {"format": 2, "something": "new"}))
    with pytest.raises(RequestError, match="must be in format 1, which this version reads; got format 2. Build it"):
        VectorIndex.open(tmp_path)
    with pytest.raises(RequestError, match="must be the folder of an index; got no index.json in it"):
        VectorIndex.open(tmp_path / "nowhere")


def test_another_index_is_never_written_over(tmp_path: Path) -> None:
    index, _ = filled("exact")
    index.save(tmp_path)
    index.save(tmp_path)
    other, _ = filled("exact", 20)
    with pytest.raises(RequestError, match="must not hold another index; got one already. Choose another folder"):
        other.save(tmp_path)
    elsewhere = VectorIndex.open(tmp_path)
    elsewhere.remove(names(1))
    elsewhere.save(tmp_path)
    with pytest.raises(RequestError, match="got one that another process has saved meanwhile"):
        index.save(tmp_path)
    assert len(VectorIndex.open(tmp_path)) == 49


def test_two_processes_cannot_save_at_once(tmp_path: Path) -> None:
    index, _ = filled("exact")
    refused: list[RequestError] = []
    held = lock(tmp_path, "index")

    def save() -> None:  # a lock counts for a thread of its own
        try:
            index.save(tmp_path)
        except RequestError as error:
            refused.append(error)

    try:
        thread = threading.Thread(target=save)
        thread.start()
        thread.join()
    finally:
        held.release()
    assert "index must not be written by two processes" in str(refused[0])


# What it refuses


@pytest.mark.parametrize("k", [0, -1, 51])
def test_k_of_nothing_or_more_than_there_is_is_refused(kind: str, k: int) -> None:
    with pytest.raises(RequestError, match=f"k must lie in 1…50, the vectors of the index; got {k}. Ask for fewer"):
        filled(kind)[0].search(np.ones((1, 8)), k)


def test_an_empty_index_cannot_be_searched(kind: str) -> None:
    with pytest.raises(RequestError, match="the index must hold vectors to search in; got an empty one. Add some"):
        VectorIndex("e", 8, kind=kind).search(np.ones((1, 8)), 1)


BAD = [
    (np.ones((1, 9)), r"must be numbers of shape \(n, 8\), as encoder 1 gives them; got float64 of shape \(1, 9\)"),
    (np.ones(8), r"must be numbers of shape \(n, 8\).*got float64 of shape \(8,\)"),
    (np.array([["a"] * 8]), r"must be numbers of shape \(n, 8\)"),
    (np.array([[1.0] * 8, [np.nan] * 8]), "must be finite numbers, not all 0; got others in row 1"),
    (np.array([[1.0] * 7 + [-np.inf]]), "must be finite numbers, not all 0; got others in row 0"),
    (np.zeros((1, 8)), "must be finite numbers, not all 0; got zeros only in row 0. Leave these rows out"),
]


@pytest.mark.parametrize(("vectors", "rule"), BAD)
def test_vectors_that_have_no_direction_here_are_refused(vectors: np.ndarray, rule: str) -> None:
    index, _ = filled("exact")
    with pytest.raises(RequestError, match=f"queries {rule}"):
        index.search(vectors, 1)
    with pytest.raises(RequestError, match=f"vectors {rule}"):
        index.add(names(len(vectors), "new"), vectors)
    assert len(index) == 50


def test_very_long_and_very_short_vectors_have_a_direction() -> None:
    index = VectorIndex("e", 2)
    index.add(["long", "short"], np.array([[1e300, 0], [0, 1e-300]]))
    assert index.search(np.array([[1e-310, 0], [0, 1e308]]), 1)[0] == [["long"], ["short"]]


def test_ids_that_do_not_fit_are_refused() -> None:
    index, vectors = filled("exact", 3)
    with pytest.raises(RequestError, match="ids must be one for each of the 3 vectors; got 2"):
        index.add(["a", "b"], vectors)
    with pytest.raises(RequestError, match="hashes must be one for each of the 3 vectors; got 1"):
        index.add(["a", "b", "c"], vectors, ["x"])
    with pytest.raises(RequestError, match="ids must all be different; got 'a' twice"):
        index.add(["a", "b", "a"], vectors)
    with pytest.raises(RequestError, match="ids must be in the index; got 'x' and 1 more that are not"):
        index.remove([names(1)[0], "x", "y"])
    assert index.ids == tuple(names(3))


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"width": 0}, "width must be at least 1; got 0"),
        ({"kind": "faiss"}, "kind must be one of exact, usearch, qdrant; got 'faiss'"),
        ({"dtype": "int8"}, "dtype must be one of float32, float16; got 'int8'"),
    ],
)
def test_an_index_that_cannot_be_is_refused(options: dict[str, object], rule: str) -> None:
    with pytest.raises(RequestError, match=rule):
        VectorIndex(**({"encoder": "e", "width": 2} | options))  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "extra"), [("usearch", "index"), ("qdrant", "qdrant")])
def test_a_missing_library_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch, kind: str, extra: str) -> None:
    monkeypatch.setitem(__import__("sys").modules, "usearch.index" if kind == "usearch" else "qdrant_client", None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'acclimate\[{extra}\]'"):
        VectorIndex("e", 2, kind=kind)


def test_an_index_opens_only_where_its_library_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("usearch")
    filled("usearch")[0].save(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "usearch.index", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'acclimate\[index\]'"):
        VectorIndex.open(tmp_path)


def test_every_kind_has_its_engine() -> None:
    assert all(engine.kind == name for name, engine in index_module._ENGINES.items())
