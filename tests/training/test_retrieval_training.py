"""What training a retrieval model needs beside the loop: what is set aside, what chooses, features computed once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from acclimate.data.domain import Domain
from acclimate.data.readers.pictures import decode
from acclimate.data.sketches import counterparts, own_photo
from acclimate.data.synthetic import sketched_things
from acclimate.data.task import Task
from acclimate.errors import DataError, RequestError
from acclimate.inputs import encode as encode_module
from acclimate.inputs.encode import encode, encoded_once
from acclimate.methods.retrieval.retrieval_gan import RetrievalGAN
from acclimate.methods.retrieval.shared_prototypes import SharedPrototypes
from acclimate.metrics.retrieval import rank
from acclimate.networks.encoder import PhotoEncoder
from acclimate.problems.fitting import make_trainer
from acclimate.problems.planning import make_plan
from acclimate.problems.retrieval.gallery import RetrievalValidation, check_gallery, set_aside
from acclimate.problems.retrieval.searches import retrieval_scores, searches_of_run
from acclimate.running import picture_models
from acclimate.running.adaptation import adapt, load
from acclimate.running.picture_models import RunEncoder
from acclimate.running.requests import task_of
from acclimate.runs.request import Request
from acclimate.training.hooks import Hooks
from acclimate.types import Outputs
from galleries import Blocks, blocks_encoder, drawn_folders
from worlds import quick_fit

OPTIONS = {"steps": 40, "batch_size": 16, "patience": 0, "evaluations": 1}


def world(n: int = 60, seed: int = 0) -> Task:
    return sketched_things(n, seed=seed).with_label_budget("all")


# What is set aside


def with_twins(task: Task) -> tuple[Domain, Domain]:
    """The training sketches twice, as two of each photo, and the photos with their labels."""
    source, ids = task.source, [f"{name}-2" for name in task.target.ids]
    doubled = Domain(
        np.concatenate([source.array, source.array]),
        np.concatenate([source.labels, source.labels]),
        source.classes,
        "sketches",
        (*source.ids, *ids),
    )
    return doubled, task.target


def check_apart(parts: tuple[Domain, Domain, Domain, Domain], source: Domain, target: Domain) -> None:
    """Each row on one side, and every sketch where its photo is."""
    kept, gallery, queries, items = parts
    assert sorted(kept.ids + queries.ids) == sorted(source.ids)
    assert sorted(gallery.ids + items.ids) == sorted(target.ids)
    assert not set(own_photo(kept.ids)) & set(items.ids)
    assert not set(own_photo(queries.ids)) & set(gallery.ids)


@given(st.integers(8, 80), st.integers(0, 5))
def test_photos_go_with_all_their_sketches(n: int, seed: int) -> None:
    source, target = with_twins(world(n, seed))
    parts = set_aside(source, target, seed)
    check_apart(parts, source, target)
    _, gallery, queries, items = parts
    assert abs(len(items) - n / 10) <= 1
    assert len(queries) == 2 * len(items)
    assert set(gallery.labels) == set(target.labels)


@pytest.mark.parametrize("change", ["more classes", "another order"])
def test_classes_that_differ_do_not_part_them(change: str) -> None:
    source, target = with_twins(world(80))
    if change == "more classes":
        target = replace(target, classes=("something else", *target.classes), labels=target.labels + 1)
    else:
        k = len(target.classes)
        target = replace(target, classes=target.classes[::-1], labels=k - 1 - target.labels)
    parts = set_aside(source, target, 0)
    check_apart(parts, source, target)
    assert len(parts[3]) == 8
    assert parts[1].classes == target.classes  # as they came
    names = {name: target.classes[label] for name, label in zip(target.ids, target.labels, strict=True)}
    for domain in (parts[1], parts[3]):
        assert all(
            domain.classes[y] == names[name] for name, y in zip(domain.ids, domain.labels.tolist(), strict=True)
        )


@given(st.lists(st.integers(1, 30), min_size=2, max_size=6), st.booleans(), st.integers(0, 9))
def test_a_class_keeps_a_photo(sizes: list[int], named: bool, seed: int) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    classes = tuple(map(str, range(len(sizes))))
    ids = tuple(f"{y}/{i}" for i, y in enumerate(labels))
    photos = Domain(np.zeros((len(labels), 2), np.float32), labels, classes, "photos", ids)
    drawn = tuple(f"{name}-1" for name in ids) if named else ()
    sketches = Domain(np.zeros((len(labels), 2), np.float32), labels, classes, "sketches", drawn)
    kept, gallery, queries, items = set_aside(sketches, photos, seed)
    check_gallery(kept, gallery)
    assert set(gallery.labels) == set(labels)
    assert len(kept) + len(queries) == len(gallery) + len(items) == len(labels)
    if named:
        check_apart((kept, gallery, queries, items), sketches, photos)
    else:  # then by class: as near to a tenth of each as whole examples can be
        for k, size in enumerate(sizes):
            assert abs((queries.labels == k).sum() - size / 10) < 1
            assert (items.labels == k).sum() <= -(-size // 10)


def test_with_too_few_to_choose_by_the_last_weights_are_kept() -> None:
    task = world(8)
    few = task.source.take(np.arange(4)), task.target.take(np.arange(8))
    plan = make_plan(
        SharedPrototypes(width=4, hidden=4), *few, options={**OPTIONS, "steps": 6, "batch_size": 4, "patience": 2}
    )
    trainer = make_trainer(plan, *few, Hooks())
    assert trainer.validation is None
    assert (len(trainer.source), len(trainer.target)) == (4, 8)
    trainer.train()
    assert trainer.selection == ("last", 6)


def test_a_class_without_a_photo_is_named_whatever_the_order_of_classes() -> None:
    task = world(40)
    other = replace(task.target, classes=(*task.target.classes[:3], "thing 9"))
    with pytest.raises(RequestError, match="every class that has queries; got none of 'thing 3'"):
        check_gallery(task.source, other)
    check_gallery(task.source, replace(task.target, classes=task.target.classes[::-1], labels=3 - task.target.labels))


# What chooses the weights


def stub(queries: np.ndarray, items: np.ndarray) -> Callable[[Domain, str], Outputs]:
    """Networks that answer with these vectors."""
    return lambda domain, role: Outputs(
        np.zeros((len(domain), 2)), {"source": queries, "target": items}[role].astype(np.float32)
    )


def test_the_loss_is_one_less_the_map_by_class() -> None:
    queries = Domain(np.zeros((3, 1), np.float32), np.array([0, 1, -1]), ("a", "b"))
    items = Domain(np.zeros((4, 1), np.float32), np.array([0, 1, 0, -1]), ("a", "b"))
    validation = RetrievalValidation(queries, items, 3)
    assert len(validation.domain) == 2  # the one without a label counts for nothing
    east = np.array([[1, 0.0], [1, 0.0]])
    fan = np.array([[1, 0], [1, 0.1], [1, 0.3], [1, 0.2]])  # ranks of items: 0, 1, 3, 2
    # By hand: the first query's are at ranks 1 and 4, the second's at rank 2.
    expected = ((1 / 1 + 2 / 4) / 2 + 1 / 2) / 2
    loss = validation.loss(stub(east, fan))
    assert loss == pytest.approx(1 - expected)
    assert validation.numbers(loss) == pytest.approx({"validation_map": expected})


@pytest.mark.parametrize("method", [SharedPrototypes(width=4, hidden=8), RetrievalGAN(hidden=8)])
def test_the_best_epochs_weights_are_put_back_bit_for_bit(
    method: SharedPrototypes | RetrievalGAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, kept, rows = world(40), [], []
    losses = iter([0.9, 0.5, 0.3, 0.6, 0.3, 0.7, 0.2])  # an equal one later is no better
    monkeypatch.setattr(RetrievalValidation, "loss", lambda self, outputs: next(losses))
    options = {"epochs": 9, "batch_size": 12, "patience": 3, "evaluations": 1}
    plan = make_plan(method, task.source, task.target, options=options)
    trainer = make_trainer(plan, task.source, task.target, Hooks(record=rows.append))
    note = trainer.validation.note

    def copying(step: int, *rest: object) -> None:
        kept.append(
            (step, {f"{n}.{k}": v.clone() for n, net in trainer.nets.items() for k, v in net.state_dict().items()})
        )
        note(step, *rest)

    monkeypatch.setattr(trainer.validation, "note", copying)
    trainer.train()
    each = trainer.calendar.steps_per_epoch
    assert [step for step, _ in kept] == [each * i for i in range(1, 7)]  # then patience ran out
    assert trainer.selection == ("validation-map", 3 * each)
    best = kept[2][1]
    ended = {f"{n}.{k}": v for n, net in trainer.nets.items() for k, v in net.state_dict().items()}
    assert ended.keys() == best.keys()
    assert all(torch.equal(ended[name], best[name]) for name in best)
    found = [row["validation_map"] for row in rows if row["kind"] == "validation"]
    assert found == pytest.approx([0.1, 0.5, 0.7, 0.4, 0.7, 0.3])


def test_a_look_asks_the_networks_themselves() -> None:
    task = world(60)
    plan = make_plan(
        SharedPrototypes(width=4, hidden=8), task.source, task.target, options={**OPTIONS, "patience": 5}
    )
    trainer = make_trainer(plan, task.source, task.target, Hooks())
    queries, items = trainer.validation.domain, trainer.validation.items
    outputs = trainer.evaluation.outputs
    loss = trainer.validation.loss(outputs)
    vectors = [outputs(queries, "source").features, outputs(items, "target").features]
    assert vectors[0].shape == (6, 4 + task.num_classes)
    assert loss == pytest.approx(1 - rank(*vectors, queries.labels, items.labels).mean_average_precision())


# Scores and searches of a run


def test_scores_are_of_what_was_held_out() -> None:
    task = world(60)
    fitted = quick_fit(SharedPrototypes(width=8, hidden=16), task, **OPTIONS)
    scores, found = retrieval_scores(fitted, task), searches_of_run(fitted, task)
    queries, items = fitted.codes(task.source_test, "source"), fitted.codes(task.target_test, "target")
    labels = task.hidden.target_test
    ranked = rank(queries, items, task.source_test.labels, labels)
    assert scores["search_map"] == pytest.approx(ranked.mean_average_precision())
    own = rank(queries, items, counterparts(task.source_test, task.target_test), np.arange(60))
    assert scores["search_own_recall_at_10"] == pytest.approx(own.recall_at(10))
    everything = np.concatenate([items, fitted.codes(task.target, "target")])
    ranked = rank(queries, everything, task.source_test.labels, np.concatenate([labels, task.target.labels]))
    assert scores["search_all_precision_at_1"] == pytest.approx(ranked.precision_at(1))
    assert not any(name.startswith(("untrained", "standardised")) for name in scores)  # 8 numbers against 20

    assert found is not None
    assert found["hits"].shape == found["similarity"].shape == (48, 10)
    assert (np.diff(found["similarity"], axis=1) <= 1e-6).all()
    rows = [task.source_test.ids.index(name) for name in found["query_id"]]
    np.testing.assert_array_equal(found["label"], task.source_test.labels[rows])
    np.testing.assert_array_equal(found["own"], counterparts(task.source_test, task.target_test)[rows])
    np.testing.assert_array_equal(found["item_label"], labels)
    assert float(found["class_map"] @ found["class_queries"] / 60) == pytest.approx(scores["search_map"])
    for row, query in enumerate(rows):
        cosines = items @ queries[query] / np.linalg.norm(items, axis=1) / np.linalg.norm(queries[query])
        np.testing.assert_array_equal(found["hits"][row], np.argsort(-cosines, kind="stable")[:10])
    assert "query_images" not in found


def test_an_empty_gallery_has_no_scores() -> None:
    task = world(24)
    fitted = quick_fit(SharedPrototypes(width=8, hidden=8), task, steps=2, batch_size=8, patience=0)
    for role in ("source_test", "target_test"):
        empty = replace(task, **{role: getattr(task, role).take(slice(0))})
        assert retrieval_scores(fitted, empty) == {}
        assert searches_of_run(fitted, empty) is None


# Photos encoded once


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> Blocks:
    """In place of MobileNetV2, and of any other encoder."""
    network = Blocks()

    def loaded(name: str) -> PhotoEncoder:
        return blocks_encoder(network, name)

    monkeypatch.setattr(encode_module, "load_photo_encoder", loaded)
    monkeypatch.setattr(picture_models, "load_photo_encoder", loaded)
    return network


def photos(n: int = 7, seed: int = 0) -> Domain:
    pixels = np.random.default_rng(seed).integers(0, 256, (n, 40, 40, 3), dtype=np.uint8)
    return Domain(pixels, np.arange(n) % 2, ("a", "b"), "photos", tuple(map(str, range(n))), ("a note",))


def test_photos_are_encoded_once(blocks: Blocks) -> None:
    first = encoded_once(photos(), "mobilenetv2")
    assert blocks.encoded == 7
    second = encoded_once(photos(), "mobilenetv2")
    assert blocks.encoded == 7
    expected = encode(photos(), encoder=blocks_encoder(blocks)).array
    for found in (first, second):
        assert found.array.dtype == np.float32
        np.testing.assert_array_equal(found.array, expected)
        assert (found.classes, found.name, found.ids) == (("a", "b"), "photos", photos().ids)
        np.testing.assert_array_equal(found.labels, photos().labels)
        assert found.notes == ("a note",)
        assert found.pictures is not None
        np.testing.assert_array_equal(found.pictures, photos().array)


def test_other_photos_and_other_encoders_are_encoded_anew(blocks: Blocks) -> None:
    encoded_once(photos(), "mobilenetv2")
    encoded_once(photos(), "timm:other")
    assert blocks.encoded == 14
    changed = photos()
    changed.array[3, 2, 1, 0] ^= 1
    encoded_once(changed, "mobilenetv2")
    assert blocks.encoded == 21
    encoded_once(replace(photos(), name="elsewhere", ids=()), "mobilenetv2")  # the same content
    assert blocks.encoded == 21


def test_large_photos_are_shown_small(blocks: Blocks) -> None:
    pixels = np.zeros((2, 200, 200, 3), np.uint8)
    assert encoded_once(Domain(pixels, name="large"), "mobilenetv2").pictures.shape == (2, 64, 64, 3)


def test_a_cache_that_cannot_be_used_is_said(blocks: Blocks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ACCLIMATE_CACHE", str(tmp_path / "file"))
    found = encoded_once(photos(), "mobilenetv2")
    np.testing.assert_array_equal(found.array, encode(photos(), encoder=blocks_encoder(blocks)).array)
    assert any("will be encoded again next time" in note for note in found.notes)


# From a user's folders to search


def request_of(folders: tuple[Path, Path], **training: object) -> Request:
    options = {"steps": 3, "batch_size": 8, "evaluations": 1, **training}
    source, target = map(str, folders)
    return Request(
        source=source,
        target=target,
        method="shared-prototypes",
        method_options={"width": 8, "hidden": 8},
        network="sketch-cnn",
        training=options,
    )


def test_search_sees_what_training_saw(blocks: Blocks, tmp_path: Path) -> None:
    folders = drawn_folders(tmp_path, photos=12)
    request = request_of(folders)
    run = adapt(request, tmp_path / "run")
    fitted, encoder, task = load(run.folder), RunEncoder(load(run.folder)), task_of(request)
    for side, folder, domain in (("source", folders[0], task.source), ("target", folders[1], task.target)):
        pictures = np.stack([decode(folder / name, encoder.form(side)) for name in domain.ids])
        np.testing.assert_allclose(encoder.encode(pictures, side), fitted.codes(domain, side), atol=1e-5)


def test_search_sees_small_pictures_as_training_saw_them(blocks: Blocks, tmp_path: Path) -> None:
    """A folder in which all are small would be read in the size of the largest."""
    folders = drawn_folders(tmp_path, photos=12)
    for i, path in enumerate(sorted(p for folder in folders for p in folder.rglob("*.png"))):
        with Image.open(path) as image:
            image.resize((40 + i % 20,) * 2).save(path)
    request = request_of(folders)
    run = adapt(request, tmp_path / "run")
    fitted, encoder, task = load(run.folder), RunEncoder(load(run.folder)), task_of(request)
    for side, folder, domain in (("source", folders[0], task.source), ("target", folders[1], task.target)):
        pictures = np.stack([decode(folder / name, encoder.form(side)) for name in domain.ids])
        np.testing.assert_allclose(encoder.encode(pictures, side), fitted.codes(domain, side), atol=1e-5)


def test_the_name_of_an_encoder_tells_photo_encoders_apart(blocks: Blocks, tmp_path: Path) -> None:
    run = adapt(request_of(drawn_folders(tmp_path, photos=12)), tmp_path / "run")
    name = RunEncoder(load(run.folder)).name
    assert RunEncoder(load(run.folder)).name == name
    blocks.scale.data.mul_(2)
    assert RunEncoder(load(run.folder)).name != name


def test_a_run_of_other_features_than_its_encoders_is_refused(
    blocks: Blocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = adapt(request_of(drawn_folders(tmp_path, photos=12)), tmp_path / "run")

    class Wider(Blocks):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x).repeat(1, 2)

    monkeypatch.setattr(picture_models, "load_photo_encoder", lambda name: blocks_encoder(Wider(), name))
    with pytest.raises(
        RequestError, match="trained on the 96 features of 'mobilenetv2'.* got one trained on 48"
    ) as e:
        RunEncoder(load(run.folder))
    assert e.value.fix == "Name the encoder that they came from when you train: --set photo_encoder=NAME."


def test_a_run_on_features_of_sketches_reads_no_pictures(tmp_path: Path) -> None:
    task = world(24)
    fitted = quick_fit(SharedPrototypes(width=8, hidden=8), task, steps=2, batch_size=8, patience=0)
    with pytest.raises(RequestError, match="must be one that reads images; got one that reads features"):
        RunEncoder(fitted)


def test_too_few_to_hold_any_out_are_refused(blocks: Blocks, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"must be enough for a tenth .* got 3 sketches and 6 photos"):
        task_of(request_of(drawn_folders(tmp_path, photos=2, sketches=1)))
    assert blocks.encoded == 0


def test_a_note_says_how_many_were_held_out(blocks: Blocks, tmp_path: Path) -> None:
    task = task_of(request_of(drawn_folders(tmp_path, photos=12)))
    held = len(task.source_test), len(task.target_test)
    assert f"{held[0]} of 36 sketches and {held[1]} of 36 photos were set aside to test on." in task.all_notes
    assert not set(own_photo(task.source.ids)) & {name.removesuffix(".png") for name in task.target_test.ids}
    assert not set(own_photo(task.source_test.ids)) & {name.removesuffix(".png") for name in task.target.ids}


def test_a_run_goes_on_with_the_same_features(blocks: Blocks, tmp_path: Path) -> None:
    """What was encoded for training is found again by content, in a resumed run too."""
    request = request_of(drawn_folders(tmp_path, photos=12))
    whole = adapt(request, tmp_path / "whole")
    count = blocks.encoded
    again = adapt(request, tmp_path / "again")
    assert blocks.encoded == count
    scores = [json.loads(run.summary_path.read_text())["scores"] for run in (whole, again)]
    assert scores[0] == scores[1]


def test_sketches_in_the_wrong_folder_are_named(blocks: Blocks, tmp_path: Path) -> None:
    sketches, photos_folder = drawn_folders(tmp_path, photos=12)
    (photos_folder / "cross" / "square_0.png").unlink(missing_ok=True)
    for side, name in ((photos_folder, "x_1.png"), (sketches, "x_1-1.png")):
        Image.new("L", (72, 72), 40).save(side / "circle" / name)
    task = task_of(request_of((sketches, photos_folder)))
    assert len(task.source) + len(task.source_test) == 37
    wrong = Domain(task.source.array, (task.source.labels + 1) % 3, task.source.classes, "sketches", task.source.ids)
    with pytest.raises(DataError, match="must have each sketch in its photo's category"):
        set_aside(wrong, replace(task.target, labels=task.hidden.target), 0)


def test_features_of_other_weights_are_not_taken_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    photos = Domain(np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8), name="photos")
    found = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 5)).eval()
        made = PhotoEncoder("mine", network, 8, 8, (0.5,) * 3, (0.5,) * 3)
        monkeypatch.setattr("acclimate.inputs.encode.load_photo_encoder", lambda name, made=made: made)
        found.append(encoded_once(photos, "mine").array)
    assert not np.allclose(*found)
