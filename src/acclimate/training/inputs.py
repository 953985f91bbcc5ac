"""How a plan's inputs become tensors: the preprocessing that fits a network and two domains."""

from __future__ import annotations

from acclimate.data.domain import Domain
from acclimate.data.preprocess import Normalisation, Preprocess
from acclimate.errors import RequestError
from acclimate.networks.registry import ARCHITECTURES, architecture
from acclimate.runs.options import TrainingOptions

_FOR_FEATURES = ("mlp", "bag-of-words")


def of_side(domain: Domain, scaling: Normalisation, *, rotate: bool) -> Preprocess:
    """Of one side that has features of its own.

    Args:
        domain: the side's training examples.
        scaling: of the features.
        rotate: train on coordinates in the space that the rows span, where that is the smaller one.
    """
    made = Preprocess.of_features([domain], normalisation=scaling)
    n, width = domain.array.shape
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
        if name not in (*_FOR_FEATURES, "custom"):
            raise RequestError(
                "network",
                "must be 'mlp', 'bag-of-words' or a module of yours for feature vectors",
                repr(name),
                "Leave network out for the default.",
            )
        if options.normalisation == "half":
            fix = "Choose standard, mean or none."
            raise RequestError("normalisation", "must not be 'half' for feature vectors", "'half'", fix)
        wanted = "standard" if name == "custom" else architecture(name, domains[0].array.shape[1]).normalisation
        return Preprocess.of_features(domains, normalisation=options.normalisation or wanted)  # type: ignore[arg-type]
    if options.normalisation in ("rows", "log-rows"):
        fix = "Choose half, mean, standard or none."
        raise RequestError("normalisation", "must be one for images", repr(options.normalisation), fix)
    if name in (*_FOR_FEATURES, "projectors"):
        raise RequestError("network", "must be one for images", repr(name), f"Known: {', '.join(ARCHITECTURES)}.")
    wants = None if name == "custom" else architecture(name, 3)
    return Preprocess.of_images(
        domains,
        size=wants.input_size if wants else side,
        stored=wants.stored_size or None if wants else None,
        channels=wants.fixed_channels if wants else None,
        normalisation=options.normalisation or (wants.normalisation if wants else "half"),  # type: ignore[arg-type]
        pad=options.pad,
        flip=options.flip,
    )
