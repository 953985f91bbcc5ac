"""What the exams of all methods share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch


@pytest.fixture
def place(common: Path) -> Callable[[str, str], Path]:
    """Where the pinned run of a method in a world lies, for all tests that ask something of it."""

    def place(method: str, world: str) -> Path:
        (folder := common / "pinned" / method / world).mkdir(parents=True, exist_ok=True)
        return folder

    return place


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
