"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

# How long an example takes says how busy the machine is.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# Tests side by side share the cores, and so do the commands that they start: threads that wait for each other's cores
# double the time of the suite. Set before anything imports torch or NumPy, which look once.
if int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# What is written is compared as a file or a pipe would have it; consoles look at these when they are made.
for _name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "PY_COLORS"):
    os.environ.pop(_name, None)

PACKS = Path(os.environ.get("ACCLIMATE_PACKS", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session", autouse=True)
def _nothing_waits_for_the_disk() -> Iterator[None]:
    """No test cuts the power: processes are killed, and what they have written the system keeps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run of the tests, the same for all processes that run them side by side."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def _folders_of_fixtures(common: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What `_own_folders` does for tests, for the fixtures that outlive one; what they make is made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACCLIMATE_DATA", str(common / "data"))
        patch.setenv("ACCLIMATE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test away from the user's own data and cache, and from a proxy where it asks a server of its own."""
    base = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("ACCLIMATE_DATA", str(base / "data"))
    monkeypatch.setenv("ACCLIMATE_CACHE", str(base / "cache"))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "*")


@pytest.fixture(scope="session")
def _demo(common: Path) -> Path:
    """A data home with the data of the demo."""
    from acclimate.data.tasks import load_task

    with pytest.MonkeyPatch.context() as patch, FileLock(common / "demo.lock"):
        patch.setenv("ACCLIMATE_DATA", str(common / "demo"))
        load_task("demo")
    return common / "demo"


@pytest.fixture
def demo_made(_demo: Path, _own_folders: None) -> None:
    """The data of the demo lie in the test's data home, as after their first use, which makes them."""
    shutil.copytree(_demo, os.environ["ACCLIMATE_DATA"])


@pytest.fixture(scope="session")
def imported_packs(real_data: Path, common: Path) -> Path:
    """A data home with the packs imported, once for all tests; point ACCLIMATE_DATA at it."""
    from acclimate.data import packs

    home, done = common / "packs", common / "packs.done"
    with pytest.MonkeyPatch.context() as patch, FileLock(common / "packs.lock"):
        patch.setenv("ACCLIMATE_DATA", str(home))
        if not done.exists():
            packs.import_folder(real_data)
            done.touch()
    return home


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of checked data packs, or a skip that says how to provide it."""
    if not (PACKS / "README.md").is_file():
        pytest.skip(f"no data packs at {PACKS}; set ACCLIMATE_PACKS to their folder")
    return PACKS
