"""Networks that people bring, with small random weights in the official formats."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import acclimate as ac
from acclimate.data.synthetic import dimmed_bars
from acclimate.errors import AbsentError, RequestError
from acclimate.networks import backbone_names
from acclimate.networks.backbone_names import allow, is_backbone, named
from acclimate.networks.backbones import Backbone, PartlyFrozen, backbone, load_backbone
from acclimate.networks.photo_encoder import load_photo_encoder


class Factored(nn.Module):
    """What a user's function makes; every time with the same weights."""

    image_size, mean, std = 16, (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.first, self.norm, self.last = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.norm(self.first(x)).relu()).mean(dim=(2, 3))


def factory() -> nn.Module:
    return Factored()


@pytest.fixture(autouse=True)
def _nothing_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backbone_names, "_allowed", set())


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vision transformer of 16 numbers, as save_pretrained writes it, and how pictures come to it."""
    from transformers import ViTConfig, ViTModel

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("vit")
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    ViTModel(ViTConfig(**sizes, image_size=16, patch_size=8)).save_pretrained(folder)
    facts = {"size": {"height": 16, "width": 16}, "image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.3, 0.4]}
    (folder / "preprocessor_config.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("program") / "own.pt2"
    dims = ({0: torch.export.Dim.DYNAMIC},)
    exported = torch.export.export(Factored().eval(), (torch.zeros(2, 3, 16, 16),), dynamic_shapes=dims)
    torch.export.save(exported, path)
    return path


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("hf:google/vit", True), ("timm:resnet50", True), ("a/b.pt2", True), ("pkg.mod:make", True),
        ("hf:x#none", True), ("mcd-usps", False), ("mobilenetv2", False), ("C:/x", False), ("a:b:c", False),
    ],
)  # fmt: skip
def test_which_names_are_of_networks_that_people_bring(name: str, is_one: bool) -> None:
    assert is_backbone(name) is is_one


def test_an_encoder_of_transformers_comes_with_its_own_preprocessing(vit: Path) -> None:
    encoder = load_backbone(f"hf:{vit}")
    assert (encoder.size, encoder.stored) == (16, 16)
    assert (encoder.mean, encoder.std) == ((0.4, 0.5, 0.6), (0.2, 0.3, 0.4))
    from transformers import ViTModel

    x = torch.randn(3, 3, 16, 16)
    with torch.inference_mode():
        expected = ViTModel.from_pretrained(vit).eval()(pixel_values=x).pooler_output
    torch.testing.assert_close(encoder(x), expected)


def test_a_pooler_that_was_never_trained_is_not_asked(vit: Path, tmp_path: Path) -> None:
    """Its weights would be drawn anew each time."""
    from transformers import ViTModel

    ViTModel.from_pretrained(vit, add_pooling_layer=False).save_pretrained(tmp_path)
    one, other = load_backbone(f"hf:{tmp_path}"), load_backbone(f"hf:{tmp_path}")
    x = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(one(x), other(x), rtol=0, atol=0)
    assert one(x).shape == (2, 16)


def test_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(AbsentError, match="hf download nobody/nothing"):
        load_backbone("hf:nobody/nothing")


def test_code_runs_for_those_alone_who_typed_its_name(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run's configuration, which may come from a stranger, cannot have anything imported."""
    spec = f"{__name__}:factory"
    for name in (spec, str(program)):
        with pytest.raises(RequestError, match="must be allowed to run"):
            load_backbone(name)
        with pytest.raises(RequestError, match="ACCLIMATE_NETWORKS"):
            load_photo_encoder(name)
    allow(spec)
    assert load_backbone(spec)(torch.zeros(2, 3, 16, 16)).shape == (2, 6)
    monkeypatch.setenv("ACCLIMATE_NETWORKS", str(program))
    assert load_backbone(str(program)).size == 16


def test_a_program_and_the_function_it_was_made_by_give_the_same(program: Path) -> None:
    spec = f"{__name__}:factory"
    allow(spec)
    allow(str(program))
    x = torch.randn(5, 3, 16, 16)
    torch.testing.assert_close(load_backbone(str(program))(x), load_backbone(spec)(x))
    assert load_backbone(spec).mean == (0.1, 0.2, 0.3)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("no.such:function", "can be imported"),
        ("json:loads", "can be imported and called"),
        ("builtins:dict", "must give an nn.Module"),
        ("none.pt2", "must be a program of torch.export"),
    ],
)
def test_what_is_no_network_is_refused_in_a_sentence(spec: str, said: str) -> None:
    allow(spec)
    with pytest.raises(RequestError, match=said):
        load_backbone(spec)


def test_layers_up_to_one_stay_as_they_are_norms_included() -> None:
    net = PartlyFrozen(Factored(), "norm").train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=1.0)
    net(torch.randn(4, 3, 16, 16)).square().sum().backward()
    optimizer.step()
    moved = {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"0.last.weight", "0.last.bias"}
    with pytest.raises(RequestError, match="must be the name of a layer"):
        PartlyFrozen(Factored(), "nowhere")


def test_the_name_tells_what_learns() -> None:
    assert named("hf:x#none", "blocks.2") == "hf:x#blocks.2"
    assert named("mcd-usps", None) == "mcd-usps"
    with pytest.raises(RequestError, match="one of your own"):
        named("mcd-usps", "all")


@pytest.mark.parametrize("until", ["", "#none", "#layers.0"])
def test_any_method_trains_on_it(vit: Path, until: str, tmp_path: Path) -> None:
    """Frozen without a GPU: its features are computed once; else all of it, or its later layers, learn."""
    task, name = dimmed_bars(16), f"hf:{vit}{until}"
    model = ac.DANN(network=name, steps=2, batch_size=8, seed=0, device="cpu").fit(task.source, task.target)
    plan = model._fitted.plan
    if until:
        assert plan.network == name
        assert isinstance(plan.architecture, Backbone)
        assert plan.preprocess.mean == (0.4, 0.5, 0.6)
    else:
        assert (plan.network, plan.options.photo_encoder) == ("frozen", name)
    first = backbone(f"hf:{vit}#none").features().state_dict()
    model.export(tmp_path / "out", task.target, form="pt2" if until else "onnx")
    if until:
        learnt = model._fitted.nets["features"].state_dict()
        same = {key for key in first if torch.equal(first[key], learnt[key])}
        layers = {key.partition(".layers.")[2][:1] for key in same if ".layers." in key}
        assert layers == ({"0"} if until == "#layers.0" else set())
    assert np.isfinite(model.predict_proba(task.target)).all()


def test_texts_and_tables_are_told_what_to_do(vit: Path) -> None:
    from acclimate.data.synthetic import shifted_blobs, two_shops

    texts, table = two_shops(12), shifted_blobs(12)
    with pytest.raises(RequestError, match="acclimate data encode-texts"):
        ac.DANN(network=f"hf:{vit}", steps=1).fit(texts.source, texts.target)
    with pytest.raises(RequestError, match="for feature vectors"):
        ac.DANN(network=f"hf:{vit}", steps=1).fit(table.source, table.target)


def test_a_model_of_timms_trains_frozen_and_leaves_as_onnx(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = {"input_size": (3, 16, 16), "mean": (0.1, 0.2, 0.3), "std": (0.5, 0.6, 0.7), "crop_pct": 0.8}
    monkeypatch.setitem(
        sys.modules,
        "timm",
        SimpleNamespace(
            is_model=lambda name: name == "thing_50",
            create_model=lambda name, **options: Factored(),
            data=SimpleNamespace(resolve_data_config=lambda args, model: config),
        ),
    )
    task = dimmed_bars(16)
    model = ac.MCC(network="timm:thing_50", steps=2, batch_size=8, seed=0, device="cpu").fit(task.source, task.target)
    assert model._fitted.plan.preprocess.encoder == "timm:thing_50"
    model.export(tmp_path / "out", task.target)
    assert (tmp_path / "out" / "model.onnx").is_file()
