"""Architectures by name, and the one to use where the user names none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from acclimate.errors import UnknownNameError
from acclimate.networks.architecture import Architecture
from acclimate.networks.backbone_names import is_backbone
from acclimate.networks.backbones import backbone
from acclimate.networks.cross_modal import CrossModal, Encoded, SketchCnn, SketchMobileNet
from acclimate.networks.digits import DannGtsrb, DannMnist, DannSvhn, McdSigns, McdSvhn, McdUsps
from acclimate.networks.memory import Memory
from acclimate.networks.mlp import BagOfWords, FrozenPhotos, Mlp
from acclimate.networks.mobilenet import MobileNet, weights_are_here
from acclimate.networks.projectors import Projectors
from acclimate.networks.tiny import Tiny
from acclimate.networks.unit import Unit
from acclimate.networks.vae_gan import VaeGan

ARCHITECTURES: dict[str, Callable[[int], Architecture]] = {
    "bag-of-words": BagOfWords,
    "dann-mnist": DannMnist,
    "dann-mnist-bn": partial(DannMnist, batch_norm=True),
    "dann-svhn": DannSvhn,
    "dann-svhn-bn": partial(DannSvhn, batch_norm=True),
    "dann-gtsrb": DannGtsrb,
    "dann-gtsrb-bn": partial(DannGtsrb, batch_norm=True),
    "encoded": Encoded,
    "frozen": FrozenPhotos,
    "mcd-usps": McdUsps,
    "mcd-usps-plain": partial(McdUsps, batch_norm=False),
    "mcd-svhn": McdSvhn,
    "mcd-svhn-plain": partial(McdSvhn, batch_norm=False),
    "mcd-signs": McdSigns,
    "mcd-signs-plain": partial(McdSigns, batch_norm=False),
    "memory": Memory,
    "mlp": Mlp,
    "mobilenetv2": MobileNet,
    "mobilenetv2-scratch": partial(MobileNet, pretrained=False),
    "projectors": Projectors,
    "sketch-cnn": SketchCnn,
    "sketch-mobilenetv2": SketchMobileNet,
    "sketch-mobilenetv2-scratch": partial(SketchMobileNet, pretrained=False),
    "tiny": Tiny,
    "unit": Unit,
    "vae-gan": VaeGan,
}

# What encodes the queries of a retrieval method; its networks for the gallery are told by the gallery's width.
FOR_QUERIES = ("encoded", "sketch-cnn", "sketch-mobilenetv2", "sketch-mobilenetv2-scratch")


def architecture(
    name: str,
    channels: int,
    source_channels: int | None = None,
    word_width: int | None = None,
    shared: tuple[tuple[int, int], ...] = (),
) -> Architecture:
    """The architecture of that name, for inputs with so many channels (or features).

    Args:
        name: a key of `ARCHITECTURES`, or of a backbone (`networks.backbones`).
        channels: of the target, and of the source unless given apart.
        source_channels: of the source, for `"projectors"` and the encoders of queries, which are then given with what
            leads to the target's features (`CrossModal`).
        word_width: numbers for each word, for `"memory"` only; by default the network's own.
        shared: pairs of features that are the same by name, for `"projectors"` only.

    Raises:
        UnknownNameError: with close matches.
    """
    if is_backbone(name):
        return backbone(name)
    if name not in ARCHITECTURES:
        raise UnknownNameError("network", name, ARCHITECTURES)
    if name in FOR_QUERIES and source_channels is not None:
        return CrossModal(channels, ARCHITECTURES[name](source_channels))
    made = ARCHITECTURES[name](channels)
    if isinstance(made, Memory):
        return replace(made, d=word_width or made.d)
    if isinstance(made, Projectors):
        return replace(made, source_channels=source_channels or channels, shared=shared)
    return made


def default_name(image_side: int) -> str:
    """The name to use for images of that side in pixels; 0 means feature vectors.

    Photos get a pretrained network only where its weights are on disk.
    """
    if image_side == 0:
        return "mlp"
    if image_side <= 12:
        return "tiny"
    if image_side <= 28:
        return "mcd-usps"
    if image_side <= 48:
        return "mcd-svhn"
    return "mobilenetv2" if weights_are_here() else "mobilenetv2-scratch"
