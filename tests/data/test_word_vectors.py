from __future__ import annotations

import gzip
import struct
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acclimate.data.word_vectors import MAX_WIDTH, read_word_vectors, vectors_width
from acclimate.errors import DataError, RequestError

gensim = pytest.importorskip("gensim")

WORDS = ("the", "naïve", "!", "don't", "好", "🙂", "San_Francisco", "x" * 90)
VECTORS = np.random.default_rng(0).normal(size=(len(WORDS), 5)).astype(np.float32)


def written_by_gensim(path: Path, binary: bool) -> Path:
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(VECTORS.shape[1])
    vectors.add_vectors(WORDS, VECTORS)
    vectors.save_word2vec_format(str(path), binary=binary)
    return path


def text_lines(sep: str = " ", end: str = "\n") -> str:
    return "".join(sep.join([word, *map(repr, row.tolist())]) + end for word, row in zip(WORDS, VECTORS, strict=True))


def binary_entries(end: bytes) -> bytes:
    return b"".join(w.encode() + b" " + row.tobytes() + end for w, row in zip(WORDS, VECTORS, strict=True))


HEADER = f"{len(WORDS)} 5\n"
WRITERS: dict[str, Callable[[Path], object]] = {
    "word2vec text, by gensim": lambda path: written_by_gensim(path, binary=False),
    "word2vec binary, by gensim": lambda path: written_by_gensim(path, binary=True),
    "word2vec text, by the C tool": lambda path: path.write_text(HEADER + text_lines(end=" \n")),
    "word2vec binary, by the C tool": lambda path: path.write_bytes(HEADER.encode() + binary_entries(b"\n")),
    "GloVe": lambda path: path.write_text(text_lines()),
    "GloVe without a last line feed": lambda path: path.write_text(text_lines().rstrip()),
    "Windows line ends": lambda path: path.write_bytes((HEADER + text_lines(end="\r\n")).encode()),
    "tabs": lambda path: path.write_text(text_lines(sep="\t")),
    "byte order mark": lambda path: path.write_text("\ufeff" + HEADER + text_lines()),
    "byte order mark, binary": lambda path: path.write_bytes(b"\xef\xbb\xbf" + HEADER.encode() + binary_entries(b"")),
    "empty lines": lambda path: path.write_text(text_lines(end="\n\n")),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("form", WRITERS)
def test_every_form_gives_the_vectors_that_were_written(form: str, packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    WRITERS[form](path)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    read = read_word_vectors(path, 5, WORDS)
    assert read.words == WORDS
    assert read.matrix.dtype == np.float32
    np.testing.assert_array_equal(read.matrix, VECTORS)  # shortest decimals come back as they were
    assert vectors_width(path) == 5


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_reads_the_same(binary: bool, tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    path = written_by_gensim(tmp_path / "vectors", binary)
    other = KeyedVectors.load_word2vec_format(str(path), binary=binary)
    read = read_word_vectors(path, 5, other.index_to_key)
    assert list(read.words) == other.index_to_key
    np.testing.assert_array_equal(read.matrix, other.vectors)


@pytest.mark.parametrize("place", range(8))
def test_a_line_feed_among_the_bytes_of_the_numbers_is_none(place: int, tmp_path: Path) -> None:
    numbers = bytearray(np.array([0.1, -0.2, 0.3], "<f4").tobytes())
    numbers[place] = ord("\n")
    (tmp_path / "v").write_bytes(b"1 3\nthe " + numbers)
    read = read_word_vectors(tmp_path / "v", 3, ["the"])
    np.testing.assert_array_equal(read.matrix, np.frombuffer(numbers, "<f4")[None])


def test_only_wanted_words_are_kept_in_the_order_of_the_wish(tmp_path: Path) -> None:
    read = read_word_vectors(written_by_gensim(tmp_path / "v", binary=True), 5, ["好", "absent", "the", "好"])
    assert read.words == ("好", "the")
    np.testing.assert_array_equal(read.matrix, VECTORS[[4, 0]])


def glove(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_words_with_blanks_do_not_shift_the_numbers(tmp_path: Path) -> None:
    """As in glove.840B, which has lines such as `. . . 0.1 …` and `at name@domain.com 0.1 …`."""
    path = glove(tmp_path / "v", "the 1 2", ". . 3 4", "at name@domain.com 5 6", "at 7 8", " 9 10", "\x85 1 1")
    read = read_word_vectors(path, 2, ["the", "at", ".", ". ."])
    assert read.words == ("the", "at", ". .")
    assert read.matrix.tolist() == [[1, 2], [7, 8], [3, 4]]


def test_numbers_in_the_place_of_words_are_words(tmp_path: Path) -> None:
    path = glove(tmp_path / "v", "1 0.5 2", "the 1 2")
    assert vectors_width(path) == 2
    assert read_word_vectors(path, 2, ["1"]).matrix.tolist() == [[0.5, 2]]


def test_the_first_of_two_vectors_counts(tmp_path: Path) -> None:
    path = glove(tmp_path / "v", "the 1 2", "the 3 4")
    assert read_word_vectors(path, 2, ["the"]).matrix.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["London 1 2"], [1, 2]),
        (["LONDON 1 2", "London 3 4"], [1, 2]),
        (["London 1 2", "london 3 4", "LONDON 5 6"], [3, 4]),
        (["london 3 4", "London 1 2"], [3, 4]),
        (["Ｌｏｎｄｏｎ 1 2"], [1, 2]),
    ],
    ids=["other case", "first other case", "exact after", "exact before", "wide letters"],
)
def test_a_word_is_looked_up_as_it_is_and_then_folded(
    lines: list[str], expected: list[float], tmp_path: Path
) -> None:
    read = read_word_vectors(glove(tmp_path / "v", *lines), 2, ["london"])
    assert read.words == ("london",)
    assert read.matrix.tolist() == [expected]


def test_every_word_of_texts_can_be_found_in_another_spelling(tmp_path: Path) -> None:
    from acclimate.data.words import words

    spelt = ["Don’t", "STRASSE", "Straße", "ﬁne", "Ⅷ"]
    path = glove(tmp_path / "v", *(f"{word} {i} 1" for i, word in enumerate(spelt)))
    wanted = words(" ".join(spelt))
    assert read_word_vectors(path, 2, wanted).words == tuple(dict.fromkeys(wanted))


GOOD = HEADER.encode() + text_lines().encode()
GOOD_BINARY = HEADER.encode() + binary_entries(b"")
NAN = struct.pack("<f", float("nan"))


def with_fourth_line(line: str) -> bytes:
    lines = GOOD.splitlines(keepends=True)
    return b"".join([*lines[:3], line.encode() + b"\n", *lines[4:]])


BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "an empty file"),
    "only blanks": (b" \n\n", "an empty file"),
    "prose": (b"Once upon a time\nthere was\n", "must begin with a word and its numbers.*'Once upon a time'"),
    "a comma-separated table": (b"the,0.1,0.2\n", "must begin with a word and its numbers.*'the,0.1,0.2'"),
    "a zip file": (b"PK\x03\x04" + bytes(50), "Unpack it first"),
    "a pickle": (b"\x80\x04\x95\x00cbuiltins\nexec\n", "must begin with a word and its numbers"),
    "an .npy file": (b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 1 2\n" + bytes(99), "must begin with a word"),
    "fastText's own form": (struct.pack("<ii", 793712314, 12) + bytes(99), "must begin with a word and its numbers"),
    "UTF-16": ((HEADER + text_lines()).encode("utf-16"), "must begin with a word"),
    "text: other width": (HEADER.replace("5", "4").encode() + text_lines().encode(), "line 2 must hold a word and 4"),
    "text: no width": (b"8 0\n" + text_lines().encode(), "must tell of 1 to 10,000 numbers"),
    "text: absurd width": (b"8 999999999\n" + text_lines().encode(), "must tell of 1 to 10,000 numbers"),
    "text: cut between lines": (GOOD[: GOOD.index(b"don't")], "must hold 8 words .*got 3\\."),
    "text: cut inside a line": (GOOD[: GOOD.index(b"don't") + 30], "line 5 must hold a word and 5 numbers"),
    "text: only the header": (HEADER.encode(), "must hold 8 words .*got 0\\."),
    "text: more than announced": (b"7" + GOOD[1:], "must hold 7 words .*got 8\\."),
    "text: a number damaged": (with_fourth_line("! 1 2 3,5 4 5"), "line 4 must have 5 numbers for .*'!'; got '3,5'"),
    "text: a blank in a number": (with_fourth_line("! 1 2. 5 3 4 5"), "line 4 must hold a word and 5.*got 6 num"),
    "text: nan": (with_fourth_line("! nan 2 3 4 5"), "line 4 .*'!' that are finite in single precision; got nan"),
    "text: infinite": (with_fourth_line("! 1 2 3 4 -inf"), "line 4 .*finite in single precision; got -inf"),
    "text: too large": (with_fourth_line("! 1 2 3 4 1e39"), "line 4 .*finite in single precision; got inf"),
    "text: two lines in one": (GOOD.replace(b"\n!", b" !"), "must hold 8 words"),
    "text: a line without end": (HEADER.encode() + b"the " + b"0" * 2**21, "line 2|one of 1,048,576 bytes"),
    "GloVe: cut inside a line": (text_lines().encode()[:-30], "line 8 must hold a word and 5 numbers"),
    "GloVe: a line with more": (text_lines().encode().replace(b"! ", b"! 0.5 "), "line 3 must hold.*got 6"),
    "GloVe: a line without end": (b"the 1 2 3 4 5\n" + b"a" * 2**21, "one of 1,048,576 bytes or more"),
    "binary: cut inside a vector": (GOOD_BINARY[:-3], "must hold 8 words .*got 7 before it ends"),
    "binary: cut inside a word": (GOOD_BINARY[: -5 * 4 - 10], "must hold 8 words .*got 7 before it ends"),
    "binary: more than announced": (b"7" + GOOD_BINARY[1:], "must hold 7 words .*got more bytes after them"),
    "binary: header says wider": (b"8 6" + GOOD_BINARY[3:], "6 numbers"),
    "binary: header says narrower": (b"8 4" + GOOD_BINARY[3:], "4 numbers"),
    "binary: nan": (GOOD_BINARY.replace(b"! ", b"! " + NAN)[:-4], "byte 55 must have .*finite.*got nan"),
    "binary: no words": (b"9 5\n" + bytes(20000), "byte 4 must begin a word of at most 4,096 bytes; got no blank"),
    "gz: cut short": (gzip.compress(GOOD)[:-40], "must be a whole gzip file"),
    "gz: damaged": (gzip.compress(GOOD)[:60] + bytes(50) + gzip.compress(GOOD)[110:], "must be a whole gzip file"),
    "gz: no checksum": (gzip.compress(GOOD)[:-8] + bytes(8), "must be a whole gzip file"),
    "gz: only its first bytes": (b"\x1f\x8b", "must be a whole gzip file"),
    "gz: of nothing": (gzip.compress(b""), "an empty file"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_file_is_refused_in_a_sentence(fault: str, tmp_path: Path) -> None:
    content, sentence = BAD[fault]
    path = tmp_path / "vectors.bin"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"(?s)^{path}.*{sentence}") as refusal:
        read_word_vectors(path, 5, WORDS)
    assert refusal.value.fix
    assert len(str(refusal.value)) < 500


def test_what_nobody_wants_may_be_damaged(tmp_path: Path) -> None:
    path = glove(tmp_path / "v", "the 1 2", "odd 1 x", "good 3 4")
    assert read_word_vectors(path, 2, ["good"]).matrix.tolist() == [[3, 4]]


def test_letters_that_are_not_utf_8_are_read_past(tmp_path: Path) -> None:
    path = tmp_path / "v"
    path.write_bytes(b"the 1 2\ncaf\xe9 3 4\ngood 5 6\n")
    assert read_word_vectors(path, 2, ["good"]).matrix.tolist() == [[5, 6]]
    path.write_bytes(b"2 2\ncaf\xe9 3 4\ngood 5 6\n")
    assert read_word_vectors(path, 2, ["good"]).matrix.tolist() == [[5, 6]]


@pytest.mark.parametrize("form", ["word2vec text, by gensim", "word2vec binary, by gensim", "GloVe"])
def test_another_width_is_refused_with_both_named(form: str, tmp_path: Path) -> None:
    path = tmp_path / "v"
    WRITERS[form](path)
    with pytest.raises(DataError, match="must have 300 numbers for each word.*got 5 numbers.*word_width=5"):
        read_word_vectors(path, 300, WORDS)


def test_a_missing_file_and_a_folder_are_the_requests_fault(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="^word_vectors must be 'own', 'random' or a file.*no such file"):
        read_word_vectors(tmp_path / "absent", 5, WORDS)
    with pytest.raises(RequestError, match="a folder"):
        vectors_width(tmp_path)


def test_the_widest_vectors_can_be_read(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=MAX_WIDTH).astype(np.float32)
    path = glove(tmp_path / "v", " ".join(["a", *map(repr, numbers.tolist())]))
    np.testing.assert_array_equal(read_word_vectors(path, MAX_WIDTH, ["a"]).matrix[0], numbers)


@pytest.mark.parametrize("binary", [False, True])
def test_memory_is_that_of_the_wanted_words(binary: bool, tmp_path: Path) -> None:
    """24 MB of text or 10 MB of float32."""
    path, row = tmp_path / "v", np.random.default_rng(0).normal(size=300).astype(np.float32)
    tail = row.tobytes() if binary else b" ".join(repr(x).encode() for x in row.tolist()) + b"\n"
    with path.open("wb") as file:
        file.write(b"8000 300\n")
        for number in range(8_000):
            file.write(b"w%d " % number + tail)
    tracemalloc.start()
    try:
        read = read_word_vectors(path, 300, ["w7999", "w7", "w8000"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read.words == ("w7999", "w7")
    np.testing.assert_array_equal(read.matrix, np.stack([row, row]))
    assert peak < 5e6


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
NAMES = st.text(st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S"]), min_size=1, max_size=12)


@settings(max_examples=200, deadline=None)
@given(
    data=st.data(), width=st.integers(1, 7), form=st.sampled_from(["text", "binary", "glove"]), packed=st.booleans()
)
def test_what_is_written_is_read(data: st.DataObject, width: int, form: str, packed: bool) -> None:
    rows = data.draw(
        st.dictionaries(NAMES, st.lists(NUMBERS, min_size=width, max_size=width), min_size=1, max_size=30)
    )
    if form == "glove" and width == 1:
        rows = {"a": [0.0], **rows}  # "3 5" would be a header
    header = b"" if form == "glove" else f"{len(rows)} {width}\n".encode()
    body = b"".join(
        word.encode()
        + b" "
        + (np.array(row, "<f4").tobytes() if form == "binary" else " ".join(map(repr, row)).encode() + b"\n")
        for word, row in rows.items()
    )
    if form == "binary" and width < 4:
        body = b"\x00 " + bytes(4 * width) + body  # two or three floats can look like text
        header = f"{len(rows) + 1} {width}\n".encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "v"
        path.write_bytes(gzip.compress(header + body) if packed else header + body)
        assert vectors_width(path) == width
        wanted = data.draw(st.lists(st.sampled_from(list(rows)), unique=True))
        read = read_word_vectors(path, width, wanted)
    assert read.words == tuple(wanted)
    np.testing.assert_array_equal(read.matrix, np.array([rows[w] for w in wanted], np.float32).reshape(-1, width))


@settings(max_examples=300, deadline=None)
@given(data=st.data(), content=st.sampled_from([GOOD, GOOD_BINARY, text_lines().encode(), gzip.compress(GOOD)]))
def test_damaged_files_give_vectors_or_a_refusal(data: st.DataObject, content: bytes) -> None:
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
        changed = changed or bytearray(b"a")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "v"
        path.write_bytes(changed)
        try:
            read = read_word_vectors(path, 5, WORDS)
        except DataError:
            return
    assert set(read.words) <= set(WORDS)
    assert np.isfinite(read.matrix).all()
