"""Every method leaves as a program: what is exported answers as the run does, from raw examples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pins
import pytest
import torch

from acclimate.errors import RequestError
from acclimate.export.closed import write_arrays
from acclimate.export.exits import Exit
from acclimate.export.standalone.steps import arrays_runner
from exporting import exits_of

SHALLOW = ("gfk", "tca", "jda", "linear-coral", "otda", "otda-emd", "jdot")


@pytest.mark.parametrize(("method", "world"), list(pins.cases()), ids=" ".join)
def test_a_program_of_any_method_answers_as_its_run_does(
    method: str, world: str, place: Callable[[str, str], Path], tmp_path: Path
) -> None:
    """As one module from raw examples, as arrays where it is a closed form; batches of another size do not matter."""
    try:
        exits = exits_of(pins.run_of(method, world, place(method, world)))
    except RequestError:  # as AdaBN refuses a network without batch norm, and regression names no classes
        return
    for one in exits:
        with torch.inference_mode():
            one.check(lambda x, one=one: one.program(torch.from_numpy(x)).numpy(), "program")
            alone = one.program(torch.from_numpy(next(one.examples())[:1])).numpy()
        np.testing.assert_allclose(alone, one.expected[:1], atol=1e-4)
        _hold_arrays(one, tmp_path / f"{one.name}.npz")


def _hold_arrays(one: Exit, path: Path) -> None:
    try:
        write_arrays(one.program, path)
    except RequestError:
        return
    one.check(arrays_runner(path), "arrays")


def test_what_is_computed_in_closed_form_has_arrays(place: Callable[[str, str], Path], tmp_path: Path) -> None:
    """Or the test before this one would let pass that nothing has."""
    for name in ("lrt", "cgt", "bridge", "msda", "tfidf", "ngram-memory", "label-spreading", *SHALLOW):
        world = next(world for method, world in pins.cases() if method == name and world != "images")
        for one in exits_of(pins.run_of(name, world, place(name, world))):
            write_arrays(one.program, tmp_path / "model.npz")
