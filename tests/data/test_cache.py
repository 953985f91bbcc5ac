from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from acclimate.data import cache
from acclimate.data.cache import Rows, cache_folder, content_key, recall

BLOCKS = [np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3), np.full((1, 2, 2, 3), 7, dtype=np.uint8)]


def fill(rows: Rows) -> dict[str, object]:
    rows.begin(5, (2, 2, 3))
    for block in BLOCKS:
        rows.append(block)
    return {"lost": 2}


def never(rows: Rows) -> dict[str, object]:
    raise AssertionError("the cache was asked to fill again")


def test_an_entry_is_made_once_and_found_again_memory_mapped() -> None:
    made, found = recall("k", fill), recall("k", never)
    for kept in (made, found):
        assert isinstance(kept.rows, np.memmap)
        assert not kept.rows.flags.writeable
        np.testing.assert_array_equal(kept.rows, np.concatenate(BLOCKS))
        assert kept.facts == {"lost": 2}
        assert kept.notes == ()
    assert sorted(p.name for p in cache_folder().iterdir()) == ["k.json", "k.npy"]


def test_an_entry_is_a_plain_npy_file() -> None:
    recall("k", fill)
    np.testing.assert_array_equal(np.load(cache_folder() / "k.npy"), np.concatenate(BLOCKS))


def test_beginning_anew_drops_earlier_rows() -> None:
    def twice(rows: Rows) -> dict[str, object]:
        rows.begin(9, (4, 4, 1))
        rows.append(np.ones((9, 4, 4, 1), dtype=np.uint8))
        return fill(rows)

    np.testing.assert_array_equal(recall("k", twice).rows, np.concatenate(BLOCKS))


def test_the_number_of_rows_may_grow_by_many_digits() -> None:
    def many(rows: Rows) -> dict[str, object]:
        rows.begin(1, (1,))
        for _ in range(50):
            rows.append(np.full((2500, 1), 3, dtype=np.uint8))
        return {}

    kept = recall("k", many)
    assert kept.rows.shape == (125_000, 1)
    assert (kept.rows == 3).all()


def test_work_that_fails_leaves_nothing_behind() -> None:
    def breaks(rows: Rows) -> dict[str, object]:
        rows.begin(5, (2, 2, 3))
        rows.append(BLOCKS[0])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recall("k", breaks)
    assert list(cache_folder().iterdir()) == []


@pytest.mark.parametrize("damage", ["array cut short", "array empty", "facts cut short", "facts gone"])
def test_a_damaged_entry_is_made_again(damage: str) -> None:
    recall("k", fill)
    name = "k.npy" if "array" in damage else "k.json"
    content = (cache_folder() / name).read_bytes()
    (cache_folder() / name).unlink()
    if damage != "facts gone":
        (cache_folder() / name).write_bytes(b"" if "empty" in damage else content[:-3])
    np.testing.assert_array_equal(recall("k", fill).rows, np.concatenate(BLOCKS))
    np.testing.assert_array_equal(recall("k", never).rows, np.concatenate(BLOCKS))


def test_a_folder_that_cannot_be_made_means_memory_and_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "cache"))
    kept = recall("k", fill)
    assert not isinstance(kept.rows, np.memmap)
    np.testing.assert_array_equal(kept.rows, np.concatenate(BLOCKS))
    assert kept.facts == {"lost": 2}
    assert "cannot be used" in kept.notes[0]
    assert cache.VARIABLE in kept.notes[0]


def test_a_disk_that_fills_up_means_memory_and_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object, block: np.ndarray) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache._FileRows, "append", full)
    kept = recall("k", fill)
    np.testing.assert_array_equal(kept.rows, np.concatenate(BLOCKS))
    assert "No space left" in kept.notes[0]
    assert list(cache_folder().iterdir()) == []


def test_two_writers_of_one_key_end_with_one_whole_entry() -> None:
    both_inside = threading.Barrier(2, timeout=300)
    results = []

    def slowly(rows: Rows) -> dict[str, object]:
        rows.begin(3, (2, 2, 3))
        rows.append(BLOCKS[0])
        both_inside.wait()
        rows.append(BLOCKS[1])
        return {"lost": 2}

    threads = [threading.Thread(target=lambda: results.append(recall("k", slowly))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    for kept in (*results, recall("k", never)):
        np.testing.assert_array_equal(kept.rows, np.concatenate(BLOCKS))
    assert sorted(p.name for p in cache_folder().iterdir()) == ["k.json", "k.npy"]


def test_the_other_writer_wins_where_open_files_cannot_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(13, "in use")

    def while_the_other_writes(rows: Rows) -> dict[str, object]:
        recall("k", fill)
        monkeypatch.setattr(Path, "replace", refuse)
        return fill(rows)

    kept = recall("k", while_the_other_writes)
    assert isinstance(kept.rows, np.memmap)
    assert kept.notes == ()
    assert sorted(p.name for p in cache_folder().iterdir()) == ["k.json", "k.npy"]


def test_the_key_depends_on_paths_bytes_and_parameters_but_not_on_order() -> None:
    key = content_key({"a": "1", "b": "2"}, {"size": 8})
    assert key == content_key({"b": "2", "a": "1"}, {"size": 8})
    others = [
        content_key({"a": "1", "c": "2"}, {"size": 8}),
        content_key({"a": "2", "b": "1"}, {"size": 8}),
        content_key({"a": "1"}, {"size": 8}),
        content_key({"a": "1", "b": "2"}, {"size": None}),
    ]
    assert len({key, *others}) == 5


def test_the_key_takes_any_file_name() -> None:
    assert content_key({"ø\udcff.png": "1"}, {}) != content_key({"ø.png": "1"}, {})


def test_the_key_changes_with_the_format(monkeypatch: pytest.MonkeyPatch) -> None:
    before = content_key({"a": "1"}, {})
    monkeypatch.setattr(cache, "FORMAT", cache.FORMAT + 1)
    assert content_key({"a": "1"}, {}) != before


def test_the_folder_is_the_users_choice_or_in_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv(cache.VARIABLE)
    assert cache_folder().parts[-2:] == ("acclimate", "decoded")
