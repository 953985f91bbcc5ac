"""A program as steps and plain arrays, where it is a closed form: maps, lengths, logarithms and tables of n-grams.

Each network of a known kind becomes steps (`standalone.steps`), and whoever reads them needs NumPy alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from acclimate.data.text import SENTENCE_END
from acclimate.errors import RequestError
from acclimate.export.inputs import Features, Filled
from acclimate.export.program import Program
from acclimate.export.unrolled import Places, Reader, Said, Weighted, WordCounts
from acclimate.methods.heterogeneous.bridge import Product, Views
from acclimate.methods.heterogeneous.cgt import RootProjection
from acclimate.methods.sentiment.msda import DenoisingLayers
from acclimate.networks.columns import Columns
from acclimate.networks.linear import ComputedLinear
from acclimate.networks.nearest import Nearest
from acclimate.networks.neighbours import Neighbours
from acclimate.networks.ngram_memory import OPENING
from acclimate.networks.one_against_one import OneAgainstOne
from acclimate.networks.projection import Projection, Scaled
from acclimate.networks.projectors import UnitRows
from acclimate.networks.row_space import RowSpaceLinear

Steps = list[list[Any]]


class _UnknownError(Exception):
    """A network that is no closed form."""


def write_arrays(program: Program, path: Path) -> None:
    """Write a program's steps and arrays as an .npz file.

    Raises:
        RequestError: if it is no closed form.
    """
    arrays = _Arrays()
    try:
        steps = _of_program(program, arrays)
    except _UnknownError as unknown:
        raise no_closed_form(program.method.name, str(unknown)) from None
    said = np.frombuffer(json.dumps(steps).encode(), dtype=np.uint8)
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, steps=said, **arrays.named)


def no_closed_form(method: str, why: str) -> RequestError:
    """The error for a model that is more than maps."""
    return RequestError(
        "form",
        f"must be onnx or pt2 for this model of {method!r}, which plain arrays cannot say",
        f"'arrays', with {why}",
        "Leave --form out for ONNX.",
    )


class _Arrays:
    """Arrays as they are met, each by a name."""

    def __init__(self) -> None:
        self.named: dict[str, np.ndarray] = {}

    def __call__(self, value: Tensor) -> str:
        name = f"a{len(self.named)}"
        self.named[name] = value.detach().cpu().numpy()
        return name


def _of_program(program: Program, keep: _Arrays) -> Steps:
    method = type(program.method)
    own = [name for name in ("embed", "classify", "answer", "logits") if name in vars(method)]
    if own or program.gives != "logits":
        raise _UnknownError(f"{own[0] if own else 'vectors'} of its own")
    nets = program.nets
    features = nets["features"] if "features" in nets else nets[f"{program.side}_features"]
    return [step for net in (program.inputs, features, nets["classifier"]) for step in steps_of(net, keep)]


def steps_of(net: nn.Module, keep: Callable[[Tensor], str]) -> Steps:
    """The steps that do what a network does in eval mode.

    Args:
        net: unrolled (`unrolled.unrolled`).
        keep: keeps an array and gives its name.
    """
    if isinstance(net, nn.Sequential):
        return [step for part in net for step in steps_of(part, keep)]
    for kind, translate in _KINDS.items():
        if type(net) is kind:
            return translate(net, keep)
    raise _UnknownError(type(net).__name__)


def _linear(net: Any, keep: _Arrays) -> Steps:
    return [["linear", keep(net.weight), keep(net.bias)]]


def _row_space(net: RowSpaceLinear, keep: _Arrays) -> Steps:
    return [["linear", keep(net.inside @ net.basis.T + net.fade * net.outside), keep(net.bias)]]


def _computed(net: ComputedLinear, keep: _Arrays) -> Steps:
    return [*_linear(net, keep), *([["unit"]] if net.unit else [])]


def _norm(net: nn.BatchNorm1d, keep: _Arrays) -> Steps:
    assert net.running_mean is not None
    assert net.running_var is not None
    std = (net.running_var + net.eps).sqrt()
    scaled = [["scaled", keep(net.running_mean), keep(std)]]
    return [*scaled, ["stretched", keep(net.weight), keep(net.bias)]] if net.affine else scaled


def _features(net: Features, keep: _Arrays) -> Steps:
    gaps = [] if net.gaps is None else _filled(net.gaps, keep)
    if net.rows:
        return [*gaps, *([["log1p"]] if net.rows == "log-rows" else []), ["unit"]]
    return [*gaps, ["scaled", keep(net.scaled.mean), keep(net.scaled.std)]]


def _filled(net: Filled, keep: _Arrays) -> Steps:
    return [["filled", keep(net.fill), keep(net.kept), keep(net.marked)]]


def _roots(net: RootProjection, keep: _Arrays) -> Steps:
    return [*([["roots"]] if net.roots else []), ["unit"], ["linear", keep(net.weight), keep(-net.offset)], ["unit"]]


def _columns(net: Columns, keep: _Arrays) -> Steps:
    taken = [["columns", keep(net.inputs), keep(net.places), net.width]]
    mean, std = net.mean.new_zeros(net.width), net.mean.new_ones(net.width)
    mean[net.places], std[net.places] = net.mean, net.std
    return [*taken, ["scaled", keep(mean), keep(std)]]


def _views(net: Views, keep: _Arrays) -> Steps:
    return [["beside", steps_of(net.common, keep), steps_of(net.columns, keep)]]


def _product(net: Product, keep: _Arrays) -> Steps:
    width = net.common.weight.shape[1]
    return [["product", width, steps_of(net.common, keep), steps_of(net.columns, keep), net.weight]]


def _neighbours(net: Neighbours, keep: _Arrays) -> Steps:
    return [["neighbours", keep(net.rows), keep(net.distributions), net.k]]


def _projection(net: Projection, keep: _Arrays) -> Steps:
    return [["unit"], *_linear(net, keep), ["unit"]] if net.unit else _linear(net, keep)


def _nearest(net: Nearest, keep: _Arrays) -> Steps:
    return [["linear", keep(net.rows), keep(net.offsets)], ["largest of class", keep(net.labels), keep(net.unseen)]]


def _pairs(net: OneAgainstOne, keep: _Arrays) -> Steps:
    return [["linear", keep(net.rows), keep(net.bias)], ["votes", keep(net.voters), keep(net.handicap)]]


def _layers(net: DenoisingLayers, keep: _Arrays) -> Steps:
    if not net.fitted:
        raise _UnknownError("layers that were never fitted")
    return [*steps_of(net.counts, keep), ["above 0"], ["layers", *(steps_of(layer, keep) for layer in net.maps)]]


def _known(places: Places, keep: _Arrays) -> list[Any]:
    return [keep(places.table[: places.m]), places.vocabulary]


def _counts(net: WordCounts, keep: _Arrays) -> Steps:
    return [["present", *_known(net.known.places, keep), net.width]]


def _tfidf(net: Weighted, keep: _Arrays) -> Steps:
    return [["tfidf", *_known(net.known.places, keep), keep(net.idf)]]


def _said(net: Said, keep: _Arrays) -> Steps:
    m = net.places.m
    tables = (keep(table[:m].T.contiguous()) for table in (net.said, net.squares))
    return [["said", *_known(net.places, keep), net.places.longest, *tables]]


def _reader(net: Reader, keep: _Arrays) -> Steps:
    ways = [
        _said(net.whole, keep),
        [["opening", OPENING, SENTENCE_END], *_said(net.opening, keep)],
        [["looked up", keep(net.stems)], *_said(net.beginnings, keep)],
    ]
    words, starts = keep(net.words), np.cumsum([0, *net.widths]).tolist()
    means = [[["word means", words, start, end]] for start, end in pairwise(starts)]
    return [["beside", [["sum", *ways]], *means]]


_KINDS: dict[type[nn.Module], Callable[..., Steps]] = {
    nn.Identity: lambda net, keep: [],
    nn.Dropout: lambda net, keep: [],
    nn.Flatten: lambda net, keep: [],
    nn.ReLU: lambda net, keep: [["relu", 0.0]],
    nn.LeakyReLU: lambda net, keep: [["relu", net.negative_slope]],
    nn.Linear: _linear,
    nn.BatchNorm1d: _norm,
    UnitRows: lambda net, keep: [["unit"]],
    RowSpaceLinear: _row_space,
    ComputedLinear: _computed,
    RootProjection: _roots,
    Columns: _columns,
    Views: _views,
    Product: _product,
    Neighbours: _neighbours,
    Projection: _projection,
    Scaled: lambda net, keep: [["scaled", keep(net.mean), keep(net.std)]],
    Nearest: _nearest,
    OneAgainstOne: _pairs,
    DenoisingLayers: _layers,
    WordCounts: _counts,
    Weighted: _tfidf,
    Reader: _reader,
    Features: _features,
}
