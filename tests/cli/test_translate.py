"""Images of one side turned into the other's, as a user asks for it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from acclimate.cli.translate import file_names
from acclimate.running.adaptation import load
from commands import Command

QUICK = ("--steps", "2", "--batch-size", "8", "--set", "evaluations=1", "--no-baseline", "--out", "run")


@pytest.fixture
def run(acclimate: Command, pictures: dict[str, Path]) -> Path:
    sides = ("--source", pictures["source"], "--target", pictures["target"])
    said = acclimate("adapt", *sides, "-m", "vae-gan", "--set", "maps=2", *QUICK)
    assert said.code == 0, said.err
    return Path("run")


def test_a_picture_for_each_and_a_grid(acclimate: Command, run: Path, pictures: dict[str, Path]) -> None:
    assert "While training" in (run / "report.html").read_text(encoding="utf-8")
    said = acclimate("translate", "run", pictures["target"], "--out", "made")
    assert said.code == 0, said.err
    assert "Wrote 60 images as source to made." in said.out
    assert "all of them with the input above" in said.out
    names = sorted(path.name for path in Path("made").iterdir())
    assert names == [*(f"{i:04d}.png" for i in range(60)), "grid.png"]
    fitted = load(run)
    one = np.asarray(Image.open(pictures["target"] / "0007.png"))[None, ..., None]
    wanted = fitted.decoded(fitted.codes(domain_of(one), "target"), "source")[0, ..., 0]
    with Image.open("made/0007.png") as made:
        assert made.mode == "L"
        assert np.abs(np.asarray(made).astype(int) - wanted).max() <= 1
    with Image.open("made/grid.png") as grid:
        assert grid.size == (8 * 34 - 2, 16 * 34 - 2 + 7 * 6)
        shown = np.asarray(grid)[:32, :32, 0]
    fitted_input = fitted.plan.preprocess.of("target").fit(domain_of(first(pictures["target"])))
    assert np.array_equal(shown, fitted_input.array[0, ..., 0])

    said = acclimate("translate", "run", pictures["source"], "--to", "target", "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert (found["to"], found["n"], found["out"]) == ("target", 60, "labelled-as-target")
    assert all(Path(file).is_file() for file in [*found["files"], found["grid"]])
    assert Path(found["files"][0]).name.startswith("horizontal_")

    arrays = np.random.default_rng(0).integers(0, 256, (2, 32, 32), dtype=np.uint8)
    np.savez("two.npz", X=arrays)
    assert acclimate("translate", "run", "two.npz").code == 0
    assert sorted(p.name for p in Path("two-as-source").iterdir()) == ["000000.png", "000001.png", "grid.png"]


def domain_of(images: np.ndarray):  # type: ignore[no-untyped-def]
    from acclimate.data.domain import Domain

    return Domain(images)


def first(folder: Path) -> np.ndarray:
    return np.asarray(Image.open(folder / "0000.png"))[None, ..., None]


def test_what_cannot_be_done_is_refused_in_a_sentence(
    acclimate: Command, run: Path, pictures: dict[str, Path], tables: dict[str, Path], tmp_path: Path
) -> None:
    target = pictures["target"]
    said = acclimate("translate", "run", target, "--to", "kannada", "--out", "made")
    assert said.code == 2
    assert "to must be 'source' or 'target'; got 'kannada'. Leave --to out for the source." in said.err

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear")
    said = acclimate("translate", "run", target, "--out", "mine")
    assert said.code == 2
    assert "out must be a new or empty folder; got 'mine'. Choose another, or empty it." in said.err
    assert acclimate("translate", "run", target, "--out", "run/config.json").code == 2
    said = acclimate("translate", "run", target, "--out", "no/where")
    assert "out must lie in a folder that exists" in said.err

    np.savez("features.npz", X=np.zeros((3, 5), np.float32))
    said = acclimate("translate", "run", "features.npz", "--out", "made")
    assert said.code == 2
    assert "must hold images" in said.err
    assert not Path("made").exists()

    sides = ("--source", tables["source"], "--target", tables["target"], "--label-column", "kind")
    acclimate("adapt", *sides, "-m", "source-only", "--steps", "2", "--batch-size", "8", "--out", "other")
    said = acclimate("translate", "other", tables["target"], "--out", "made")
    assert said.code == 2
    assert "run must be of a method that has a decoder to translate with; got one of 'source-only'" in said.err
    assert "acclimate adapt -m vae-gan" in said.err


def test_names_are_safe_and_never_the_same() -> None:
    ids = ["a/b.png", "a/b.jpg", "A/B.PNG", "../../etc/passwd", "grid.png", "x y?.jpeg", "", ".hidden", "ü" * 300]
    names = file_names(ids)
    assert names[:8] == [
        "a_b.png", "a_b-2.png", "A_B-3.png", "_.._etc_passwd.png", "grid-2.png", "x_y_.png", "_.png", "hidden.png",
    ]  # fmt: skip
    assert len(names[8].encode()) <= 190
    assert len({name.casefold() for name in names}) == len(ids)
    assert not any("/" in name or name.startswith(".") for name in names)
