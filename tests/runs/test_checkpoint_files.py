"""What the checkpoints of a run tell as files, without torch."""

from __future__ import annotations

from pathlib import Path

import pytest

from acclimate.networks.registry import ARCHITECTURES
from acclimate.runs.checkpoint_files import classes_told_apart
from acclimate.training import checkpoints


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name not in {"projectors", "memory"}])
def test_the_last_layer_of_every_classifier_is_found(name: str, tmp_path: Path) -> None:
    try:
        classifier = ARCHITECTURES[name](3).classifier(7)
    except (AssertionError, NotImplementedError):
        pytest.skip("its method builds the classifier")
    checkpoints.save(tmp_path, checkpoints.of_networks({"classifier": classifier}))
    assert classes_told_apart(tmp_path) == 7


def test_nothing_is_told_of_no_checkpoint_and_of_one_that_cannot_be_read(tmp_path: Path) -> None:
    assert classes_told_apart(tmp_path) is None
    assert classes_told_apart(tmp_path / "nowhere") is None
    for content in (b"", b"x" * 100, b"\xff" * 16):
        (tmp_path / "step-00000001.safetensors").write_bytes(content)
        assert classes_told_apart(tmp_path) is None
