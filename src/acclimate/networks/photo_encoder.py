"""Frozen encoders of photos by name: MobileNetV2, or any backbone whose weights are at hand."""

from __future__ import annotations

import re

from torch import nn

from acclimate.errors import AbsentError, RequestError
from acclimate.networks.backbone_names import HF, TIMM, is_backbone
from acclimate.networks.backbones import load_backbone
from acclimate.networks.encoder import PhotoEncoder, frozen
from acclimate.networks.mobilenet import MobileNet, load_mobilenet

OWN = "mobilenetv2"
_AT = re.compile(r"^(.+)@(\d{1,4})$")


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
            name, frozen(network), MobileNet.input_size, MobileNet.stored_size, (0.5,) * 3, (0.5,) * 3
        )
    if is_backbone(name):
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
