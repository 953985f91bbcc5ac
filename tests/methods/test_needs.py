"""What a method needs, and what it is measured by, from its facts alone."""

from __future__ import annotations

import pytest

from acclimate import discovery
from acclimate.methods import needs

METHODS = discovery.methods()


@pytest.mark.parametrize(
    ("name", "kind", "baseline"),
    [
        ("mcd", "images", "source-only"),
        ("mcd", "text", "source-only"),
        ("msda", "features", "source-only"),
        ("msda", "text", "tfidf"),
        ("ngram-memory", "text", "tfidf"),
        ("cgt", "features", "nnt"),
        ("source-only", "images", ""),
        ("tfidf", "text", ""),
        ("nnt", "features", ""),
        ("train-on-target", "images", ""),
        ("retrieval-gan", "images", ""),
    ],
)
def test_what_a_method_has_to_be_better_than(name: str, kind: str, baseline: str) -> None:
    assert needs.baseline(METHODS[name], kind) == baseline


def fitting(kind: str, *, same_columns: bool = True, labels: bool = False) -> set[str]:
    return {
        name
        for name, method in METHODS.items()
        if not needs.misfit(method, kind, same_columns=same_columns, labels=labels)
    }


def test_which_methods_fit() -> None:
    common = {"adabn", "coral", "dan", "dann", "mcc", "mcd", "mcd-one-step", "sa", "source-only"}
    apart = {"cgt", "label-spreading", "lrt", "nnt", "pca-svm", "ssan", "stn", "svmt"}
    assert fitting("images") >= common
    assert fitting("text") >= common | {"amn", "msda", "ngram-memory", "tfidf"}
    assert fitting("features") >= common | {"msda"}
    assert fitting("features", labels=True) >= common | apart | {"msda", "train-on-target"}
    assert fitting("images", labels=True) >= common | {"mutual-views", "train-on-target"}
    assert apart <= fitting("features", same_columns=False, labels=True)
    assert not fitting("features", same_columns=False, labels=True) & common
    for kind in ("images", "features", "text"):
        assert not fitting(kind) & (apart | {"train-on-target", "mutual-views", "retrieval-gan", "vae", "unit"})


def test_a_misfit_says_why() -> None:
    def why(name: str, kind: str, *, same_columns: bool = True, labels: bool = False) -> str:
        return needs.misfit(METHODS[name], kind, same_columns=same_columns, labels=labels)

    assert why("amn", "images") == "takes texts"
    assert why("cgt", "text") == "takes numbers, each side its own"
    assert why("dann", "features", same_columns=False) == "takes the same columns on both sides"
    assert "which only --label-budget grants" in why("svmt", "features")
    assert why("svmt", "features", labels=True) == ""
    assert "no classifier" in why("shared-prototypes", "images", labels=True)
