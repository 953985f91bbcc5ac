"""Temporary files: gone with their writer, or with the next one of the same name; never while their writer lives."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from acclimate.data import cache, storage
from acclimate.data.domain import Domain
from acclimate.data.temporary import is_temporary, temporary_beside
from acclimate.runs.files import write_text

# A program that ends without any chance to tidy up, where it would give a file or folder its name.
KILLED = """
import os, signal, sys
from pathlib import Path

def killed(self, target):
    os.kill(os.getpid(), signal.SIGKILL)

Path.replace = killed
folder = Path(sys.argv[1])
"""


def killed_while(code: str, folder: Path) -> None:
    program = KILLED + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def temporaries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if is_temporary(path))


def a_domain() -> Domain:
    return Domain(np.zeros((2, 3), np.float32), np.array([0, 1]), ("a", "b"), "two")


WRITERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "a file": (
        "from acclimate.runs.files import write_text\nwrite_text(folder / 'x.csv', 'y')",
        lambda folder: write_text(folder / "x.csv", "y"),
    ),
    "an entry of the cache": (
        """
        from acclimate.data import cache
        os.environ["ACCLIMATE_CACHE"] = str(folder)
        cache.recall("key", lambda rows: rows.begin(1, (2,)) or {})
        """,
        lambda folder: cache.recall("key", lambda rows: rows.begin(1, (2,)) or {}),
    ),
    "a stored domain": (
        """
        import numpy as np
        from acclimate.data import storage
        from acclimate.data.domain import Domain
        storage.store(Domain(np.zeros((2, 3), "f4"), np.array([0, 1]), ("a", "b"), "two"), folder / "train", "x")
        """,
        lambda folder: storage.store(a_domain(), folder / "train", "x"),
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_what_a_killed_writer_left_goes_with_the_next(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCLIMATE_CACHE", str(tmp_path))
    code, write = WRITERS[name]
    killed_while(code, tmp_path)
    assert temporaries(tmp_path)
    write(tmp_path)
    assert not temporaries(tmp_path)
    assert [path for path in tmp_path.iterdir() if not path.name.startswith(".")]


def test_those_of_other_names_stay(tmp_path: Path) -> None:
    killed_while(WRITERS["a file"][0], tmp_path)
    for name in ("x", "x.csv.gz", "y.csv"):
        write_text(tmp_path / name, "")
    assert len(temporaries(tmp_path)) == 1


def test_a_name_with_signs_of_patterns(tmp_path: Path) -> None:
    name = "[a-z]*?.csv"
    (tmp_path / f".{name}.{'0' * 16}.part").touch()
    write_text(tmp_path / name, "y")
    assert not temporaries(tmp_path)


def test_that_of_a_writer_that_lives_stays(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with temporary_beside(path) as one, temporary_beside(path) as other:
        write_text(path, "y")
        assert temporaries(tmp_path) == sorted([one.name, other.name])
        one.replace(path)
    assert not temporaries(tmp_path)
    assert path.read_text() == ""


def test_so_does_that_of_another_process(tmp_path: Path) -> None:
    code = """
        import sys, time
        from pathlib import Path
        from acclimate.data.temporary import temporary_beside
        with temporary_beside(Path(sys.argv[1]) / "x.csv") as path:
            print(path.name, flush=True)
            sys.stdin.read()
    """
    words = [sys.executable, "-c", textwrap.dedent(code), tmp_path]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        name = other.stdout.readline().strip()
        write_text(tmp_path / "x.csv", "y")
        assert temporaries(tmp_path) == [name]
        other.kill()
    write_text(tmp_path / "x.csv", "y")
    assert not temporaries(tmp_path)


def test_a_folder_that_is_gone_is_told_by_what_writes(tmp_path: Path) -> None:
    from acclimate.errors import WorkError

    with pytest.raises(WorkError, match="No such file or directory"):
        write_text(tmp_path / "nowhere" / "x.csv", "")


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    write_text(tmp_path / "x", json.dumps(1))
    (tmp_path / "plain").touch()
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "plain").stat().st_mode
