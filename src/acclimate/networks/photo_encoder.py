"""Frozen encoders of photos by name: MobileNetV2, or any model of timm's whose weights are at hand."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from acclimate.errors import AbsentError, MissingExtraError, RequestError
from acclimate.networks.backbone_names import HF, TIMM, is_backbone
from acclimate.networks.mobilenet import MobileNet, load_mobilenet

OWN = "mobilenetv2"
_AT = re.compile(r"^(.+)@(\d{1,4})$")


@dataclass(frozen=True, eq=False)
class PhotoEncoder:
    """A network for photos and how photos come to it.

    Attributes:
        name: that it was asked for by.
        network: `(b, 3, size, size)` to `(b, d)`, in eval mode.
        size: side of its input in pixels.
        stored: side that the middle square of a photo is resized to before its middle is cut out.
        mean: of each channel, on bytes divided by 255.
        std: likewise.
        resized: whether its input has another size than the one it was made for.
    """

    name: str
    network: nn.Module
    size: int
    stored: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resized: bool = False

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next((p.device for p in self.network.parameters()), torch.device("cpu"))

    @cached_property
    def digest(self) -> str:
        """Of the weights, and of the size if it is another: with either, the same name gives other features."""
        found = hashlib.blake2b(digest_size=16)
        add_weights(found, self.network)
        if self.resized:
            found.update(f"@{self.size}".encode())
        return found.hexdigest()

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Tensor:
        """Features `(b, d)` in float32 of normalised photos."""
        features: Tensor = self.network(x)
        return features.flatten(1).float()

    def at(self, size: int) -> PhotoEncoder:
        """The encoder with photos of that side, called `name@size`.

        Raises:
            RequestError: if its network takes no such photos.
        """
        if size == self.size:
            return self
        if not 8 <= size <= 2048:
            raise RequestError("image_size", "must be 8 to 2,048 pixels", size, "Leave the size out.")
        made = replace(
            self,
            name=f"{self.name}@{size}",
            size=size,
            stored=round(size * self.stored / self.size),
            resized=True,
        )
        try:
            made(torch.zeros(1, 3, size, size, device=self.device))
        except Exception as error:  # transformers, for one, refuse by an assertion
            rule = f"must be {self.size} for the encoder {self.name!r}, which takes no other"
            raise RequestError("image_size", rule, size, "Leave the size out.") from error
        return made


def add_weights(digest: Any, net: nn.Module, prefix: str = "") -> None:
    """Put names, shapes and bytes of a network's weights and buffers into a hash of hashlib's."""
    for key, value in sorted(net.state_dict().items()):
        digest.update(f"{prefix}{key}{tuple(value.shape)}".encode())
        digest.update(value.cpu().contiguous().numpy().tobytes())


def load_photo_encoder(name: str) -> PhotoEncoder:
    """The encoder of that name, with its weights.

    Args:
        name: `"mobilenetv2"`, or `"timm:<model>"` for a model of timm's, such as `"timm:resnet50"` (2,048 features),
            or another of `networks.backbones`.
            `"<encoder>@<side>"` shows it photos of another side, in pixels: `"mobilenetv2@112"`.

    Raises:
        RequestError: if there is no such encoder.
        AbsentError: if its weights are not on this machine.
        MissingExtraError: if it takes timm, which is not installed.
    """
    if found := _AT.match(name):
        return load_photo_encoder(found[1]).at(int(found[2]))
    if name == OWN:
        network = _own()
        return PhotoEncoder(
            name, _ready(network), MobileNet.input_size, MobileNet.stored_size, (0.5,) * 3, (0.5,) * 3
        )
    if name.startswith(TIMM):
        return _from_timm(name, name.removeprefix(TIMM))
    if is_backbone(name):
        from acclimate.networks.backbones import load_backbone

        return load_backbone(name)
    raise RequestError(
        "photo_encoder",
        f"must be {OWN!r}, or a model of timm's after {TIMM!r} or of transformers' after {HF!r}",
        repr(name),
        f"For example {TIMM}resnet50.",
    )


def _own() -> nn.Module:
    try:
        return load_mobilenet(trainable=False)
    except AbsentError as error:  # which speaks of a network to train
        fix = f"Run `acclimate data import FOLDER`, or take another encoder: --set photo_encoder={TIMM}resnet50"
        raise AbsentError("photo_encoder", error.rule, error.got, fix) from None


def _from_timm(name: str, model: str) -> PhotoEncoder:
    try:
        import timm
    except ImportError:
        raise MissingExtraError("timm", "hub") from None
    local = Path(model).is_dir()
    if not local and not timm.is_model(model):
        fix = "timm.list_models(pretrained=True) lists them."
        raise RequestError("photo_encoder", "must be a model that timm knows", repr(model), fix)
    network = _created(timm.create_model, f"local-dir:{model}" if local else model)
    data = timm.data.resolve_data_config({}, model=network)
    size = int(data["input_size"][-1])
    stored = round(size / float(data.get("crop_pct") or 1))
    return PhotoEncoder(name, _ready(network), size, stored, tuple(data["mean"]), tuple(data["std"]))


def _created(create: Callable[..., Any], model: str) -> nn.Module:
    """The model without its classifier, with weights from the Hub's cache or a folder; nothing is fetched."""
    try:
        with _offline():
            network: nn.Module = create(model, pretrained=True, num_classes=0)
    except Exception as error:  # of the many that a missing network, file or checksum raises
        raise AbsentError(
            "photo_encoder",
            "must have its weights on this machine",
            f"{model!r} without ({type(error).__name__}: {error})",
            f"Fetch them where there is a connection (hf download timm/NAME), or give their folder: {TIMM}FOLDER",
        ) from None
    return network


@contextlib.contextmanager
def _offline() -> Iterator[None]:
    """Inside, the Hub's client takes what is in its cache and fetches nothing."""
    try:
        from huggingface_hub import constants
    except ImportError:
        yield
        return
    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _ready(network: nn.Module) -> nn.Module:
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
