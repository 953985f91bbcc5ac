"""Photos of the user's own: what trains on them by default, at which size, and what is said before it takes hours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import acclimate as ac
from acclimate import discovery
from acclimate.data.home import data_home
from acclimate.data.tasks import task_specs
from acclimate.inputs import encode as encode_module
from acclimate.inputs import photo_features, preparation
from acclimate.inputs.encode import encode
from acclimate.inputs.preparation import of_both
from acclimate.methods import needs
from acclimate.networks.mobilenet import NORMS, WEIGHTS
from acclimate.networks.registry import architecture
from acclimate.running import adaptation, description
from acclimate.running import cost as cost_module
from acclimate.running.adaptation import Callbacks, adapt, load, resume
from acclimate.running.description import warnings_before
from acclimate.running.picture_models import RunClassifier, RunEncoder
from acclimate.running.requests import encodes_photos
from acclimate.runs.options import TrainingOptions
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.training.trainer import Interrupted, Trainer
from commands import Command, Said
from galleries import Blocks, blocks_encoder

SIDES = ("--source", "home", "--target", "abroad")
QUICK = ("--epochs", 4, "--set", "evaluations=2")


@pytest.fixture
def folders(acclimate: Command) -> tuple[Path, Path]:
    """home/ and abroad/: 80 photos of 100 pixels each, dark ones and bright ones in class folders."""
    rng = np.random.default_rng(0)
    for side, shift in (("home", 0), ("abroad", 20)):
        for i in range(80):
            level = 60 + shift + 100 * (i % 2)
            folder = Path(side) / ("bright" if i % 2 else "dark")
            folder.mkdir(parents=True, exist_ok=True)
            pixels = np.clip(rng.normal(level, 15, (100, 100, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{i}.png")
    return Path("home"), Path("abroad")


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> Blocks:
    """An encoder that takes no time, in place of MobileNetV2; its weight files are said to be there."""
    network = Blocks()
    for module in (encode_module, photo_features):
        monkeypatch.setattr(module, "load_photo_encoder", lambda name: blocks_encoder(network, name))
    (data_home() / "encoders").mkdir(parents=True)
    for name in (WEIGHTS, NORMS):
        (data_home() / "encoders" / name).touch()
    return network


def flat(said: Said) -> str:
    return " ".join((said.out + said.err).split())


def test_without_a_gpu_photos_are_encoded_once_and_this_is_told(
    acclimate: Command, folders: tuple[Path, Path], encoder: Blocks
) -> None:
    said = acclimate("adapt", *SIDES, "-m", "mcc", "--out", "run", *QUICK)
    assert said.code == 0, said.err
    assert "160 photos are turned into features, unless they were before." in said.err
    assert "Without a GPU, photos are turned into features by a frozen mobilenetv2, once" in flat(said)
    assert "--network mobilenetv2" in said.out
    run = Run("run")
    assert run.config["network"] == run.baseline.config["network"] == "frozen"
    assert run.summary["scores"]["target_accuracy"] > 0.9
    assert encoder.encoded == 161, "each photo once, and one that a check begins with"

    assert acclimate("predict", "run", "abroad", "--out", "answers.csv").code == 0
    assert encoder.encoded == 161, "what is encoded is kept on disk"
    assert acclimate("adapt", *SIDES, "-m", "mcc", "--out", "again", *QUICK).code == 0
    assert encoder.encoded <= 161 + 9
    assert acclimate("evaluate", "run", "--data", "abroad").code == 0
    model = ac.load("run")
    few = np.stack([np.full((50, 60, 3), level, np.uint8) for level in (60, 180)])
    assert model.predict(few).tolist() == ["dark", "bright"]
    served = RunClassifier("run")
    pictures = np.stack([np.full(served.form("target").shape, level, np.uint8) for level in (60, 180)])
    assert served.after(pictures).argmax(axis=1).tolist() == [1, 0]
    assert RunEncoder(load("run")).width == 256


def test_in_python_as_well(folders: tuple[Path, Path], encoder: Blocks) -> None:
    task = ac.Task(ac.read_images("home"), ac.read_images("abroad"))
    model = ac.SubspaceAlignment(epochs=4).fit(task.source, task.target)
    assert model.transform(task.target).shape[0] == 80
    assert (model.predict(task.target) == np.array(task.classes)[task.hidden.target]).mean() > 0.9


def test_resumed_it_ends_the_same(acclimate: Command, folders: tuple[Path, Path], encoder: Blocks) -> None:
    request = Request(source="home", target="abroad", method="mcc", training={"steps": 6}, baseline=False)
    adapt(request, "whole")
    asked = iter([False] * 2 + [True] * 99)
    with pytest.raises(Interrupted):
        adapt(request, "stopped", Callbacks(stop=lambda: next(asked)))
    resume("stopped")
    one, two = (load(name).nets["features"].state_dict() for name in ("whole", "stopped"))
    assert all((one[name] == two[name]).all() for name in one)


def test_other_weights_of_the_encoder_are_refused(
    acclimate: Command, folders: tuple[Path, Path], encoder: Blocks
) -> None:
    assert acclimate("adapt", *SIDES, "-m", "source-only", "--out", "run", *QUICK).code == 0
    encoder.scale.data += 1
    said = acclimate("predict", "run", "abroad", "--out", "answers.csv")
    assert said.code == 2
    assert "photo_encoder must have the weights that the run was trained on" in said.err


def test_features_of_the_encoder_do_as_well_and_others_do_not(
    acclimate: Command, folders: tuple[Path, Path], encoder: Blocks
) -> None:
    assert acclimate("adapt", *SIDES, "-m", "source-only", "--out", "run", *QUICK).code == 0
    model, photos = ac.load("run"), ac.read_images("abroad")
    features = encode(photos, encoder=blocks_encoder(encoder))
    np.testing.assert_allclose(model.predict_proba(features), model.predict_proba(photos), atol=1e-6)
    encoder.scale.data += 1
    with pytest.raises(ac.RequestError, match="must hold features of 'mobilenetv2' as it was in training"):
        model.predict(encode(photos, encoder=blocks_encoder(encoder)))
    with pytest.raises(ac.RequestError, match="must hold images, as in training"):
        model.predict(np.zeros((2, 5)))


@pytest.mark.parametrize("fault", [{"std": [1.0]}, {"std": [0.0] * 48}, {"channels": 7}, {"size": 0}], ids=str)
def test_a_record_that_does_not_fit_is_told(
    acclimate: Command, folders: tuple[Path, Path], encoder: Blocks, fault: dict[str, object]
) -> None:
    made = photo_features.PhotoFeatures.of_photos([ac.read_images("home")], "mobilenetv2").model_dump()
    assert photo_features.PhotoFeatures(**made).inputs == 48
    with pytest.raises(ValueError, match="must "):
        photo_features.PhotoFeatures(**{**made, **fault})


PHOTOS = ac.Domain(np.zeros((2, 100, 100, 3), np.uint8), [0, 1], ("a", "b"))


@pytest.mark.parametrize(
    ("method", "options", "network"),
    [
        ("dann", {}, "frozen"),
        ("msda", {}, "mobilenetv2"),  # for numbers and texts; the plan refuses photos
        ("mutual-views", {}, "mobilenetv2"),  # deforms pictures
        ("vae-gan", {}, "vae-gan"),
        ("dann", {"image_size": 128}, "mobilenetv2"),
        ("dann", {"image_size": 32}, "mcd-svhn"),
        ("dann", {"image_size": 28}, "mcd-usps"),
        ("dann", {"image_size": 40}, "mobilenetv2"),
    ],
)
def test_the_network_where_none_is_named(encoder: Blocks, method: str, options: dict[str, int], network: str) -> None:
    made = discovery.methods()[method].load()()
    if method == "msda":
        assert "images" not in needs.kinds(made)
    else:
        assert preparation.chosen_network(made, [PHOTOS], None, options) == network


def test_on_a_gpu_photos_are_fine_tuned(encoder: Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    class WithGpu:
        def __init__(self, device: str) -> None:
            self.device = torch.device("cuda")

    monkeypatch.setattr(preparation, "Processes", WithGpu)
    assert preparation.chosen_network(discovery.methods()["dann"].load()(), [PHOTOS], None, {}) == "mobilenetv2"


def test_public_tasks_of_photos_keep_their_network(encoder: Blocks) -> None:
    """Rows of `office:*` were made by fine-tuning."""
    networks = {spec.network for spec in task_specs() if spec.name.startswith("office:") and "_" not in spec.name}
    assert networks == {"mobilenetv2"}
    task = ac.Task(PHOTOS, PHOTOS)
    assert not encodes_photos(Request(task="office:amazon-webcam", method="dann"), task)
    assert encodes_photos(Request(source="a", target="b", method="dann"), task)
    assert not encodes_photos(Request(source="a", target="b", method="dann", network="mobilenetv2"), task)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--image-size", 4), "image_size must be at least 8"),
        (("--image-size", 32, "--network", "mcd-usps"), "image_size must be 28 for the network 'mcd-usps'"),
        (("--image-size", 4, "--network", "frozen"), "image_size must be at least 8"),
        (("--network", "frozen", "--set", "flip=true"), "flip must not be set for the network 'frozen'"),
        (("--network", "frozen", "--set", "normalisation=half"), "normalisation must be 'standard' for the network"),
        (("--network", "mobilenetv2-scratch", "--set", "image_size=big"), "image_size must be a whole number"),
    ],
)
def test_what_does_not_fit_is_refused(
    acclimate: Command, folders: tuple[Path, Path], encoder: Blocks, words: tuple[str, ...], sentence: str
) -> None:
    said = acclimate("adapt", *SIDES, "-m", "mcc", "--out", "run", *words)
    assert said.code == 2
    assert sentence in said.err
    assert not Path("run").exists()


def test_small_photos_are_seen_as_they_are_where_no_weights_want_them_larger(
    acclimate: Command, folders: tuple[Path, Path], encoder: Blocks
) -> None:
    words = ("-m", "source-only", "--network", "mobilenetv2-scratch", "--dry-run", "--json")
    plan = json.loads(acclimate("adapt", *SIDES, *words).out)
    assert plan["input"] == "3×96×96"
    told = (
        "The photos have 100 pixels a side at most, so the network sees 96, in 18% of the time that 224 would take; "
    )
    assert f"{told}to enlarge them: --image-size 224." in plan["notes"]
    assert "pixels a side at most" not in " ".join(size_notes("mobilenetv2-scratch", image_size=224))
    (told,) = size_notes("mobilenetv2")
    assert "have 100 pixels a side at most and are enlarged to 224" in told
    assert "--image-size 96 takes 18% of the time, for some accuracy" in told
    assert not size_notes("mobilenetv2", detail=None)


def size_notes(network: str, detail: int | None = 100, **options: int) -> list[str]:
    photos = ac.Domain(np.zeros((4, 256, 256, 3), np.uint8), [0, 1, 0, 1], ("a", "b"), detail=detail)
    task = ac.Task(photos, photos)
    made = of_both(network, [task.source, task.target], 256, TrainingOptions.resolve({}, options))
    plan = SimpleNamespace(architecture=architecture(network, 3), preprocess=made)
    return description._size_notes(Request(source="a", target="b", training=options), plan, task)


@pytest.mark.parametrize(("side", "size"), [(65, 96), (109, 96), (110, 128), (146, 128), (200, 192), (220, 224)])
def test_the_size_that_shows_what_photos_have(
    acclimate: Command, monkeypatch: pytest.MonkeyPatch, side: int, size: int
) -> None:
    wants = architecture("mobilenetv2-scratch", 3)
    small = ac.Domain(np.zeros((2, side, side, 3), np.uint8))
    assert preparation.fitting(wants, preparation.detail_of([small, small])) == size
    enlarged = ac.Domain(np.zeros((2, 256, 256, 3), np.uint8), detail=side)
    assert preparation.fitting(wants, preparation.detail_of([enlarged])) == size
    assert preparation.fitting(wants, preparation.detail_of([enlarged, replace(enlarged, detail=None)])) == 224


def test_photos_that_are_not_all_small_are_seen_at_the_networks_size(
    acclimate: Command, folders: tuple[Path, Path]
) -> None:
    assert ac.read_images("home").detail == 100
    Image.new("RGB", (300, 280)).save("home/dark/large.png")
    assert ac.read_images("home").detail is None


def test_at_another_size_the_frozen_encoder_reads_the_photos_so(
    acclimate: Command, folders: tuple[Path, Path], encoder: Blocks
) -> None:
    words = ("--network", "frozen", "--image-size", 64, "--no-baseline")
    plan = json.loads(acclimate("adapt", *SIDES, "-m", "source-only", *words, "--dry-run", "--json").out)
    assert plan["input"] == "48 features of mobilenetv2@64, which sees 3×64×64"
    said = acclimate("adapt", *SIDES, "-m", "source-only", "--out", "run", *words, *QUICK)
    assert said.code == 0, said.err
    stored = Run("run").config["preprocess"]
    assert (stored["encoder"], stored["size"], stored["stored"]) == ("mobilenetv2@64", 64, 72)
    encoded = encoder.encoded
    assert acclimate("predict", "run", "abroad", "--out", "answers.csv").code == 0
    assert encoder.encoded < encoded + 5, "what is encoded at that size is kept"
    made = photo_features.PhotoFeatures(**stored)
    at_32 = encode(ac.read_images("abroad"), encoder=blocks_encoder(encoder))
    with pytest.raises(ac.RequestError, match="must hold features of 'mobilenetv2@64' as it was in training"):
        made.fit(at_32)


def test_a_smaller_size_is_what_the_network_sees(acclimate: Command, folders: tuple[Path, Path]) -> None:
    few = ("--batch-size", 4)
    words = ("--network", "mobilenetv2-scratch", "--set", "steps=1", *few, "--no-baseline")
    assert acclimate("adapt", *SIDES, "-m", "source-only", "--image-size", 32, "--out", "run", *words).code == 0
    stored = Run("run").config["preprocess"]
    assert (stored["size"], stored["stored"]) == (32, 37)
    small = json.loads(acclimate("adapt", *SIDES, "-m", "mcc", "--image-size", 32, *few, "--dry-run", "--json").out)
    assert (small["network"], small["input"]) == ("mcd-svhn", "3×32×32")


def test_random_weights_and_few_photos_are_told_before_training(
    acclimate: Command, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(adaptation, "_work", stopped)
    with pytest.raises(KeyboardInterrupt):
        adapt(Request(source="home", target="abroad", method="mcc"), "run", Callbacks(notice=told.append))
    assert told == [
        "72 labelled photos are few for a network of 2.2 million random weights: expect it to learn hardly anything. "
        "Import ImageNet's weights (`acclimate data import FOLDER`), which without a GPU stay frozen and turn photos "
        "into features once; or make such features with another encoder (`acclimate encode`), or let a small "
        "network see small photos: --image-size 32."
    ]
    many = ac.Domain(np.zeros((5000, 1, 1, 1), np.uint8), np.arange(5000) % 2, ("a", "b"))
    plan = SimpleNamespace(network="mobilenetv2-scratch", notes=())
    assert warnings_before(plan, SimpleNamespace(source=many)) == []


def test_a_dry_run_takes_no_whole_step_of_a_large_network_and_encodes_two_photos(
    acclimate: Command, folders: tuple[Path, Path], encoder: Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = json.loads(acclimate("adapt", *SIDES, "-m", "mcc", "--dry-run", "--json").out)
    assert encoder.encoded <= 6
    assert plan["network"] == "frozen"
    assert plan["input"] == "48 features of mobilenetv2, which sees 3×32×32"
    assert "Without a GPU" in " ".join(plan["notes"])
    assert plan["domains"]["target"].startswith("80 images of 256×256×3")

    sizes: list[int] = []
    taken = cost_module._cost_of

    def seen(trainer: Trainer) -> cost_module.Cost:
        sizes.append(trainer.options.batch_size)
        return replace(taken(trainer), seconds_per_step=1.0 + sizes[-1])

    monkeypatch.setattr(cost_module, "_cost_of", seen)
    words = ("--network", "mobilenetv2-scratch", "--image-size", 32, "--epochs", 2, "--json", "--dry-run")
    plan = json.loads(acclimate("adapt", *SIDES, "-m", "mcc", *words).out)
    assert sizes == [2, 4]
    assert plan["seconds_per_step"] == 1.0 + 32, "32 examples a side, told by 2 and by 4"
    assert plan["steps"] == 2 * 2
    assert plan["seconds"] == 132


def test_operations_of_a_probe_are_those_of_a_whole_step(
    acclimate: Command, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("adapt", *SIDES, "-m", "mcd", "--image-size", 32, "--batch-size", 8, "--json", "--dry-run")
    whole = json.loads(acclimate(*words).out)["gflop_per_step"]
    monkeypatch.setattr(cost_module, "_SECONDS", 0.0)
    assert json.loads(acclimate(*words).out)["gflop_per_step"] == pytest.approx(whole, rel=0.01)
