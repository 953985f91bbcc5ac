"""Sketches and photos of the user's own, as a user types it."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from acclimate.data.home import encoders_folder
from acclimate.inputs import encode as encode_module
from acclimate.networks.mobilenet import NORMS, WEIGHTS, MobileNetV2
from acclimate.running import picture_models
from commands import Command, Said
from galleries import Blocks, blocks_encoder, drawn_folders

QUICK = (
    "--set",
    "steps=4",
    "--set",
    "batch_size=8",
    "--set",
    "evaluations=1",
    "--set",
    "width=8",
    "--out",
    "run",
    "--set",
    "patience=0",
)
SIDES = ("--source", "sketches", "--target", "photos")
ADAPT = ("adapt", *SIDES, "--method", "shared-prototypes", "--network", "sketch-cnn", *QUICK)


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> Blocks:
    """An encoder of photos that takes no weights, in place of every other."""
    network = Blocks()
    for module in (encode_module, picture_models):
        monkeypatch.setattr(module, "load_photo_encoder", lambda name: blocks_encoder(network, name))
    return network


@pytest.fixture
def folders(acclimate: Command) -> tuple[Path, Path]:
    """sketches/ and photos/ in an otherwise empty folder."""
    return drawn_folders(Path())


def flat(said: str) -> str:
    return " ".join(said.split())


def refused(said: Said) -> str:
    """What was said of a request that is wrong, which wrote nothing."""
    assert said.code == 2
    assert said.out == ""
    assert "Traceback" not in said.err
    assert not Path("run").exists()
    return flat(said.err)


def test_from_folders_to_a_report_and_to_searches(
    acclimate: Command, folders: tuple[Path, Path], blocks: Blocks
) -> None:
    said = acclimate(*ADAPT)
    assert said.code == 0, said.err
    told = flat(said.out)
    assert "Note: 4 of 42 sketches and 4 of 42 photos were set aside to test on." in told
    assert "Shared prototypes on sketches → photos, last step's weights" in told
    assert "share of 4 held-out sketches held-out photos all photos" in told
    rows = re.findall(r"(first hit of the right class|mean average precision|own photo first) .*?([\d.]+) %", told)
    assert [name for name, _ in rows] == ["first hit of the right class", "mean average precision", "own photo first"]
    assert "accuracy" not in told
    assert "Report: run/report.html" in told
    scores = json.loads(Path("run/summary.json").read_text())["scores"]
    assert [value for _, value in rows] == [
        f"{100 * scores[f'search_{name}']:.1f}" for name in ("precision_at_1", "map", "own_recall_at_1")
    ]
    page = Path("run/report.html").read_text(encoding="utf-8")
    assert "What held-out sketches find" in page
    assert not Path("run/baseline").exists()

    said = acclimate("index", "run", "photos")
    assert said.code == 0, said.err
    said = acclimate("search", "run", "sketches/circle/circle_0-1.png", "-k", "3", "--json")
    assert said.code == 0, said.err
    (query,) = json.loads(said.out)["queries"]
    assert [hit["rank"] for hit in query["hits"]] == [1, 2, 3]
    assert Path(query["sheet"]).is_file()


def test_machines_get_the_same(acclimate: Command, folders: tuple[Path, Path], blocks: Blocks) -> None:
    said = acclimate(*ADAPT, "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert (found["method"], found["selection"], found["baseline"]) == ("shared-prototypes", "last", None)
    assert found["scores"] == json.loads(Path("run/summary.json").read_text())["scores"]
    assert 0 <= found["scores"]["search_map"] <= 1
    assert Path(found["report"]).is_file()
    said = acclimate("report", "run")
    assert said.code == 0, said.err
    assert "first hit of the right class (P@1)" in said.out


def test_a_plan_says_what_each_side_is(acclimate: Command, folders: tuple[Path, Path], blocks: Blocks) -> None:
    said = acclimate(*ADAPT, "--dry-run", "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert found["input"] == "1×96×96, and 48 features"
    assert found["domains"]["target"] == "38 vectors of 48 features, 38 labelled"
    assert found["domains"]["source"] == "38 images of 128×128×1, 38 labelled"
    assert not Path("run").exists()


def test_without_weights_it_says_what_brings_them(acclimate: Command, folders: tuple[Path, Path]) -> None:
    told = refused(acclimate(*ADAPT))
    assert "photo_encoder 'mobilenetv2' needs its ImageNet weights on disk; got no file " in told
    assert told.endswith("take another encoder: --set photo_encoder=timm:resnet50")


def test_with_weights_the_real_encoder_is_read(acclimate: Command) -> None:
    drawn_folders(Path(), photos=4, sketches=1)
    for shape in ("circle", "cross", "square"):  # enough with sketches that one can be set aside
        for i in (1, 3):
            shutil.copy(f"sketches/{shape}/{shape}_0-1.png", f"sketches/{shape}/{shape}_{i}-1.png")
    encoders_folder().mkdir(parents=True)
    torch.manual_seed(0)
    state = MobileNetV2().state_dict()
    norms = {name: value for name, value in state.items() if "bn" in name}
    save_file(state, encoders_folder() / WEIGHTS)
    save_file(norms, encoders_folder() / NORMS)
    said = acclimate(*ADAPT, "--set", "steps=2")
    assert said.code == 0, said.err
    config = json.loads(Path("run/config.json").read_text())
    assert config["preprocess"]["target"]["channels"] == 1280
    assert config["training"]["photo_encoder"] == "mobilenetv2"


def test_a_test_set_is_refused_before_anything_is_read(
    acclimate: Command, folders: tuple[Path, Path], blocks: Blocks
) -> None:
    told = refused(acclimate(*ADAPT, "--target-test", "no such folder"))
    assert "target_test must not be given to a method that retrieves; got no such folder." in told
    assert "a tenth of the photos and their sketches are set aside" in told


def test_classes_that_only_have_sketches_are_named(
    acclimate: Command, folders: tuple[Path, Path], blocks: Blocks
) -> None:
    shutil.rmtree("photos/cross")
    told = refused(acclimate(*ADAPT))
    assert "target must have a labelled example of every class that has queries; got none of 'cross'." in told
    assert blocks.encoded == 0  # said before the photos take their time


def test_photos_without_folders_of_classes_are_refused(
    acclimate: Command, folders: tuple[Path, Path], blocks: Blocks
) -> None:
    for path in list(Path("photos").rglob("*.png")):
        path.rename(Path("photos") / path.name)
    for shape in ("circle", "cross", "square"):
        Path("photos", shape).rmdir()
    told = refused(acclimate(*ADAPT))
    assert "got none of 'circle', 'cross', 'square'. Sort photos into folders" in told


def test_photos_of_further_classes_are_searched_too(
    acclimate: Command, folders: tuple[Path, Path], blocks: Blocks
) -> None:
    shutil.rmtree("sketches/circle")
    said = acclimate(*ADAPT, "--json")
    assert said.code == 0, said.err
    scores = json.loads(said.out)["scores"]
    assert "search_own_recall_at_1" in scores
    config = json.loads(Path("run/config.json").read_text())["task"]
    assert config["num_classes"] == 2
    assert config["classes"] == ["cross", "square", "circle"]


def test_sketches_whose_names_tell_no_photo_find_classes(acclimate: Command, blocks: Blocks) -> None:
    drawn_folders(Path(), named=False)
    said = acclimate(*ADAPT)
    assert said.code == 0, said.err
    assert "first hit of the right class (P@1)" in said.out
    assert "own photo" not in said.out
    scores = json.loads(Path("run/summary.json").read_text())["scores"]
    assert "search_map" in scores
    assert not any("own" in name for name in scores)


@pytest.mark.parametrize("words", [("evaluate", "run", "--data", "photos"), ("predict", "run", "photos")])
def test_classifying_points_to_searching(
    acclimate: Command, folders: tuple[Path, Path], blocks: Blocks, words: tuple[str, ...]
) -> None:
    assert acclimate(*ADAPT).code == 0
    said = acclimate(*words)
    assert said.code == 2
    assert "Traceback" not in said.err
    told = flat(said.err)
    assert "run must be of a method that tells classes apart; got one of 'shared-prototypes'" in told
    assert "acclimate index run PHOTOS/, then acclimate search run sketch.png" in told
    assert not Path("photos-answers.parquet").exists()


def test_photos_instead_of_features_are_no_queries(
    acclimate: Command, folders: tuple[Path, Path], blocks: Blocks
) -> None:
    told = refused(acclimate(*ADAPT, "--network", "encoded"))
    assert "network must be 'sketch-cnn' or 'sketch-mobilenetv2' or" in told


def test_weights_are_chosen_by_what_was_set_aside(
    acclimate: Command, folders: tuple[Path, Path], blocks: Blocks
) -> None:
    words = [*ADAPT[: ADAPT.index("--set")], "--epochs", "2", "--batch-size", "8", "--out", "run"]
    said = acclimate(*words, "--set", "width=8", "--set", "evaluations=1")
    assert said.code == 0, said.err
    assert "with the best mAP on photos and sketches set aside" in flat(said.out)
    page = html.unescape(Path("run/report.html").read_text(encoding="utf-8"))
    assert "The held-out test chose nothing." in page


def test_a_drawing_in_colour_and_a_blank_one_do_no_harm(
    acclimate: Command, folders: tuple[Path, Path], blocks: Blocks
) -> None:
    Image.fromarray(np.full((50, 70, 3), 255, np.uint8)).save("sketches/circle/circle_0-9.png")
    said = acclimate(*ADAPT)
    assert said.code == 0, said.err


def test_arrays_of_features_of_both_sides(acclimate: Command) -> None:
    rng = np.random.default_rng(0)
    for name, n in (("sketches", 40), ("photos", 60)):
        np.savez(f"{name}.npz", X=rng.normal(size=(n, 6)).astype(np.float32), y=np.arange(n) % 3)
    said = acclimate(
        *("adapt", "--source", "sketches.npz", "--target", "photos.npz", "-m", "retrieval-gan"),
        *("--set", "steps=4", "--set", "batch_size=8", "--set", "evaluations=1", "--out", "run", "--json"),
    )
    assert said.code == 0, said.err
    scores = json.loads(said.out)["scores"]
    assert {"search_map", "untrained_search_map", "standardised_search_all_map"} <= set(scores)
