"""How a plan's inputs become tensors: the preprocessing that fits a network and two domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from acclimate.data.counts import holds_counts
from acclimate.data.domain import Domain
from acclimate.data.preprocess import Normalisation, Preprocess
from acclimate.data.readers.wording import some
from acclimate.data.schema import TableSchema
from acclimate.data.shared import shared_names
from acclimate.errors import RequestError
from acclimate.inputs.photo_features import PhotoFeatures
from acclimate.methods import needs
from acclimate.methods.base import Method
from acclimate.networks.architecture import Architecture
from acclimate.networks.backbone_names import ALL, FROZEN, is_backbone
from acclimate.networks.backbones import Backbone
from acclimate.networks.registry import ARCHITECTURES, architecture, default_name
from acclimate.runs.options import TrainingOptions
from acclimate.training.processes import Processes
from acclimate.types import Side

FOR_FEATURES = ("mlp", "bag-of-words")
COUNTS = "bag-of-words"
_PHOTO = 224
_SIDES = (96, 128, 160, 192)


def chosen_network(
    method: Method, domains: list[Domain], network: str | nn.Module | None, options: Mapping[str, Any]
) -> str:
    """Name of the architecture that two domains of one form are trained with; `"custom"` for a module.

    Where the user named none: counts of words get a network for them, and images one by their size. Photos are
    fine-tuned on a GPU only; without one, and where the weights are here, a frozen encoder turns them into features
    once.

    Args:
        method: the method; its own network comes first.
        domains: the training examples of both sides.
        network: what the user named.
        options: what the user set.
    """
    side, asked = longest_side(domains), TrainingOptions.resolve({}, options)
    if (wanted := needs.only_network(method) or network) is not None:
        if not isinstance(wanted, str):
            return "custom"
        return FROZEN if side and _stays_frozen(wanted, method, asked) else wanted
    if side and asked.image_size:
        return _of_size(asked.image_size)
    if not side and all(map(holds_counts, domains)):
        return COUNTS
    name = default_name(side)
    if name != "mobilenetv2" or "features" not in needs.kinds(method):
        return name
    return FROZEN if Processes(asked.device).device.type == "cpu" else name


def _stays_frozen(network: str, method: Method, asked: TrainingOptions) -> bool:
    """Whether a user's own backbone gives features once: if asked to, and without a GPU unless asked otherwise."""
    if not is_backbone(network) or "features" not in needs.kinds(method):
        return False
    until = network.partition("#")[2]
    return until == ALL or (not until and Processes(asked.device).device.type == "cpu")


def _of_size(size: int) -> str:
    """The default for images that are to be seen at that size: a network made for it, else one for any."""
    name = default_name(size)
    return name if architecture(name, 3).input_size == size else default_name(_PHOTO)


def longest_side(domains: list[Domain]) -> int:
    """Of the images, in pixels; 0 where there are none."""
    return max((max(domain.array.shape[1:3]) for domain in domains if domain.kind == "images"), default=0)


def own_scaling(domain: Domain, usual: Normalisation) -> Normalisation:
    """How a side's features are scaled where nobody says so: columns of a table, which have units, each by itself.

    Arrays, and tables of counts, keep what is `usual` for the method: their columns are of one kind.
    """
    return "standard" if isinstance(domain.schema, TableSchema) and not holds_counts(domain) else usual


def check_shared_names(method: Method, source: Domain, target: Domain) -> None:
    """Refuse sides without a column in common, for a method that learns from such columns.

    Raises:
        RequestError: naming the columns of both.
    """
    if shared_names(source, target):
        return
    told = [some(d.schema.names) if isinstance(d.schema, TableSchema) else "arrays" for d in (source, target)]
    raise RequestError(
        "source and target",
        f"must be tables with a column of one name and kind for the method {method.name!r}",
        " and ".join(told),
        "Give what is the same the same name on both sides, or choose --method cgt.",
    )


def of_side(domain: Domain, scaling: Normalisation, *, rotate: bool, refuse_missing: bool) -> Preprocess:
    """Of one side that has features of its own.

    Args:
        domain: the side's training examples.
        scaling: of the features.
        rotate: train on coordinates in the space that the rows span, where that is the smaller one.
        refuse_missing: refuse features with gaps rather than fill them.
    """
    made = Preprocess.of_features([domain], normalisation=scaling, refuse_missing=refuse_missing)
    n, width = len(domain), min(made.width, made.channels)
    return made.model_copy(update={"rank": n}) if rotate and n < width else made


def of_both(name: str, domains: list[Domain], side: int, options: TrainingOptions) -> Preprocess:
    """Of two sides with inputs of one form.

    Args:
        name: of the architecture, or `"custom"`.
        domains: the training examples of both.
        side: the images' longest side in pixels; 0 for features.
        options: what the user and the recipes chose.

    Raises:
        RequestError: if the network or the normalisation is not one for such inputs.
    """
    if side == 0:
        if name not in (*FOR_FEATURES, "custom"):
            raise RequestError(
                "network",
                "must be 'mlp', 'bag-of-words' or a module of yours for feature vectors",
                repr(name),
                "Leave network out for the default.",
            )
        if options.normalisation == "half":
            fix = "Choose standard, mean or none."
            raise RequestError("normalisation", "must not be 'half' for feature vectors", "'half'", fix)
        wanted = "standard" if name == "custom" else architecture(name, domains[0].width).normalisation
        return Preprocess.of_features(
            domains,
            normalisation=options.normalisation or wanted,  # type: ignore[arg-type]
            refuse_missing=options.missing == "refuse",
        )
    if options.normalisation in ("rows", "log-rows"):
        fix = "Choose half, mean, standard or none."
        raise RequestError("normalisation", "must be one for images", repr(options.normalisation), fix)
    if name in (*FOR_FEATURES, "projectors"):
        raise RequestError("network", "must be one for images", repr(name), f"Known: {', '.join(ARCHITECTURES)}.")
    if name == FROZEN:
        return _of_frozen(domains, options).model_copy(update={"white": _white(domains) or None})
    wants = None if name == "custom" else architecture(name, 3)
    size, stored = _sizes(name, wants, side, detail_of(domains), options)
    made = Preprocess.of_images(
        domains,
        size=size,
        stored=stored,
        channels=wants.fixed_channels if wants else None,
        normalisation=options.normalisation or (wants.normalisation if wants else "half"),  # type: ignore[arg-type]
        pad=options.pad,
        flip=options.flip,
        white=_white(domains),
    )
    if not isinstance(wants, Backbone) or options.normalisation:
        return made
    return made.model_copy(update=dict(zip(("mean", "std"), wants.pixels, strict=True)))


def _white(domains: list[Domain]) -> dict[Side, float]:
    """What float pixels of each side have for white, where it has such."""
    sides: tuple[Side, ...] = ("source", "target")
    return {side: domain.white for side, domain in zip(sides, domains, strict=True) if domain.white is not None}


def detail_of(domains: Sequence[Domain]) -> int:
    """The largest side that images have, or had before they were enlarged, in pixels."""
    return max(d.detail or max(d.array.shape[1:3]) for d in domains)


def _sizes(
    name: str, wants: Architecture | None, side: int, detail: int, options: TrainingOptions
) -> tuple[int, int | None]:
    """Side of the network's images, and of those kept, which are larger in the same measure."""
    if wants is None:
        return options.image_size or side, None
    # ImageNet's weights know things in the size that they have in 224 pixels.
    enlarges = name == "mobilenetv2" or not wants.any_size
    size = options.image_size or (wants.input_size if enlarges else fitting(wants, detail))
    if size != wants.input_size and not wants.any_size:
        fix = "Leave image_size out, or choose --network mobilenetv2, which takes any size."
        rule = f"must be {wants.input_size} for the network {name!r}, which takes no other"
        raise RequestError("image_size", rule, size, fix)
    return size, round(size * wants.stored_size / wants.input_size) or None


def fitting(wants: Architecture, detail: int) -> int:
    """Of the sides that MobileNetV2's paper trains at, the smallest that shows all the detail images have."""
    least = detail * wants.input_size / wants.stored_size
    return next((side for side in _SIDES if side >= least), wants.input_size)


def _of_frozen(domains: list[Domain], options: TrainingOptions) -> Preprocess:
    """Features of photos, for which options that change the photos from step to step mean nothing."""
    fix = "Leave it out, or fine-tune: --network mobilenetv2."
    if options.pad or options.flip:
        name = "pad" if options.pad else "flip"
        rule = "must not be set for the network 'frozen', whose features are computed once"
        raise RequestError(name, rule, getattr(options, name), fix)
    if options.normalisation not in (None, "standard"):
        rule = "must be 'standard' for the network 'frozen'"
        raise RequestError("normalisation", rule, repr(options.normalisation), fix)
    size = f"@{options.image_size}" if options.image_size else ""
    return PhotoFeatures.of_photos(domains, f"{options.photo_encoder}{size}")
