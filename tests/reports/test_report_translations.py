"""The section of a translator's run: grids, the animation, paths, the latent space, losses on unseen images."""

from __future__ import annotations

import base64
import html
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from acclimate.errors import WorkError
from acclimate.reports import translations
from acclimate.reports.curves import read_curves
from acclimate.reports.page import write_report
from acclimate.reports.translations import translations_section
from acclimate.runs.files import write_json
from acclimate.runs.mosaic import mosaic
from acclimate.runs.record import Run

CLASSES = ("cat", "dog", "owl")


def pictures(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(0, 256, (*shape, 8, 8, 1), dtype=np.uint8)


def content(n: int = 20) -> dict[str, np.ndarray]:
    """Codes of the dogs lie apart on both sides, those of the target's cats and owls have changed places."""
    rng = np.random.default_rng(0)
    found: dict[str, Any] = {}
    for side in ("source", "target"):
        inputs = np.full((n, 8, 8, 1), 100, np.uint8)
        found |= {
            f"{side}_inputs": inputs,
            f"{side}_reconstructed": inputs + np.uint8(7),
            f"{side}_translated": pictures(rng, n),
            f"{side}_returned": inputs - np.uint8(12),
            f"{side}_label": np.arange(n) % 3,
            f"path_{side}_inputs": pictures(rng, 2),
            f"path_{side}": pictures(rng, 2, 9),
            f"{side}_mean": pictures(rng, 3),
            f"{side}_mean_of": np.full(3, 10),
        }
    labels = np.arange(30) % 3
    centres = np.array([[5.0, 0, 0, 0], [0, 5, 0, 0], [0, 0, 5, 0]])
    codes = [centres[labels], centres[np.array([2, 1, 0])[labels]]]
    return found | {
        "codes": (np.concatenate(codes) + rng.normal(size=(60, 4)) * 0.3).astype(np.float32),
        "is_target": np.repeat([False, True], 30),
        "label": np.tile(labels, 2),
        "predicted": np.zeros(60, dtype=np.int64),
        "by_label": np.array(True),
    }


def with_translations(run: Run, found: dict[str, np.ndarray], steps: tuple[int, ...] = (0, 5, 10)) -> Run:
    np.savez_compressed(run.translations_path, allow_pickle=False, **found)
    rng = np.random.default_rng(1)
    for step in steps:
        frame = mosaic(list(pictures(rng, 6, 8)))
        run.write_frame(step, lambda path, frame=frame: frame.save(path, format="png"))
    return run


def read(run: Run) -> tuple[str, str]:
    source = write_report(run).read_text(encoding="utf-8")
    body = re.sub(r"<svg.*?</svg>|<style>.*?</style>", "", source, flags=re.DOTALL)
    return source, " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).replace("\u00a0", " ").split())


def opened(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/png;base64,"))))


def test_the_section_of_a_run(make_run) -> None:
    source, text = read(with_translations(make_run(method="vae-gan"), content()))
    assert "Source → target Each column is one source example" in text
    assert "is 7 of 255 grey levels from the input’s on average, of one brought back 12." in text
    assert "The same examples at 3 points of training, from step 0 to 10;" in text
    assert "prefers-reduced-motion: reduce" in source
    assert "For 1 of 3 classes the centre of the target’s codes is nearer" in source
    assert "The target is sorted by label." in text
    assert 'alt="8 source examples (cat, dog, owl, cat, dog, owl, cat, dog), each rebuilt, as target' in source
    assert source.count("<image") == 6
    assert not re.search(r'(src|href|srcset)="(?!data:|#)[^"]', source)


def test_what_judges_say_is_told_where_there_were_some(make_run) -> None:
    run = with_translations(make_run(method="vae-gan"), content())
    scores = {"to_target_kept": 0.85, "target_judge": 0.955, "to_target_frechet": 372.6, "target_frechet": 21.8}
    write_json(run.summary_path, {**run.summary, "scores": {**scores, "to_source_kept": 0.2}})
    _, text = read(run)
    assert "Of these translations, 85.0 % are taken for the class they come from by a classifier that learned" in text
    assert "of real ones it has 95.5 % right" in text
    assert "they lie 373 from real images (Fréchet distance), real ones from one another 22." in text
    assert text.count("Of these translations") == 1  # nobody judged what is translated to the source


def test_runs_that_do_not_translate_have_no_section(make_run) -> None:
    source, _ = read(make_run())
    assert "Translations" not in source
    assert "prefers-reduced-motion" not in source


def test_grids_hold_the_pictures(make_run) -> None:
    found = content()
    section = translations_section(with_translations(make_run(method="vae-gan"), found), CLASSES)
    assert section is not None
    one = section.directions[0]
    assert [len(grids) for grids in (one.grids, one.more)] == [2, 1]
    assert [grid.width for grid in (*one.grids, *one.more)] == [100, 100, 50]  # of 20 examples
    pixels = np.asarray(opened(one.grids[1].url))
    assert pixels.shape == (4 * 10 - 2, 8 * 10 - 2, 2)
    assert np.array_equal(pixels[20:28, 10:18, 0], found["source_translated"][9, ..., 0])
    path = np.asarray(opened(section.paths[1].url))
    assert path.shape == (18, 11 * 10 - 2, 2)
    assert np.array_equal(path[:8, :8, 0], found["path_source_inputs"][1, ..., 0])
    assert np.array_equal(path[-8:, -8:, 0], found["path_target_inputs"][1, ..., 0])
    assert not path[:8, -8:].any()
    assert not path[-8:, :8].any()


def test_the_animation_shows_every_frame_and_how_far_training_was(make_run) -> None:
    section = translations_section(with_translations(make_run(method="vae-gan"), content()), CLASSES)
    assert section is not None
    assert section.animation is not None
    moving, still = opened(section.animation.moving), opened(section.animation.still)
    assert (moving.n_frames, getattr(still, "n_frames", 1)) == (3, 1)
    moving.seek(1)
    bar = np.asarray(moving.convert("RGBA"))[-1, :, 3]
    assert (bar == 255).mean() == pytest.approx(0.5, abs=0.02)
    moving.seek(2)
    assert np.array_equal(np.asarray(moving.convert("RGBA")), np.asarray(still.convert("RGBA")))


def test_an_animation_that_weighs_too_much_has_fewer_frames(make_run, monkeypatch: pytest.MonkeyPatch) -> None:
    run = with_translations(make_run(method="vae-gan"), content(), tuple(range(0, 60, 10)))
    monkeypatch.setattr(translations, "_MOST_BYTES", 13_000)
    section = translations_section(run, CLASSES)
    assert section is not None
    assert section.animation is not None
    frames = opened(section.animation.moving).n_frames
    assert 2 <= frames < 6
    assert f"at {frames} points" in section.animation.caption
    assert "to 50;" in section.animation.caption


def test_colour_and_a_single_frame(make_run) -> None:
    found = {k: np.repeat(v, 3, axis=-1) if v.dtype == np.uint8 else v for k, v in content(3).items()}
    found["source_label"] = np.full(3, -1)
    section = translations_section(with_translations(make_run(method="vae-gan"), found, (0,)), CLASSES)
    assert section is not None
    assert opened(section.directions[0].grids[0].url).mode == "RGBA"
    assert "no label, no label, no label" in section.directions[0].grids[0].alt
    assert section.animation is not None
    assert section.animation.moving == section.animation.still


def test_without_frames_there_is_no_animation(make_run) -> None:
    _, text = read(with_translations(make_run(method="vae-gan"), content(), ()))
    assert "While training" not in text
    assert "The shared latent space" in text


def test_damage_is_said(make_run) -> None:
    run = with_translations(make_run(method="vae-gan"), content())
    run.frames()[1][1].write_bytes(b"no picture")
    with pytest.raises(WorkError, match=r"00000005\.png cannot be read: it is no PNG picture\. Remove it"):
        translations_section(run, CLASSES)
    run.drop_frames()
    run.translations_path.write_bytes(b"no archive")
    with pytest.raises(WorkError, match=r"translations\.npz (cannot be read|is not as acclimate writes it)"):
        translations_section(run, CLASSES)
    found = content()
    del found["codes"]
    np.savez_compressed(run.translations_path, allow_pickle=False, **found)
    with pytest.raises(WorkError, match="is not as acclimate writes it: KeyError"):
        translations_section(run, CLASSES)


def test_losses_on_unseen_images(make_run) -> None:
    scores = {
        "source_accuracy": [0.3, 0.8], "target_test_accuracy": [0.2, 0.7], "source_kl": [10.0, 4.0],
        "source_test_kl": [10.0, 5.0], "target_kl": [9.0, 4.0], "target_test_kl": [9.0, 4.0],
    }  # fmt: skip
    run = make_run(evaluations=scores)
    curves = read_curves(run)
    assert list(curves.monitored) == ["kl"]
    assert list(curves.monitored["kl"]) == ["source", "source_test", "target", "target_test"]
    assert curves.monitored["kl"]["source_test"].last == 5
    assert list(curves.accuracy) == ["source", "target_test"]
    source, text = read(run)
    assert "On training and on unseen images of both sides" in text
    assert (
        "At the end, on unseen examples against those trained on: 25 % higher on the source, the same on the target."
    ) in text
    assert "KL over steps. At the end: source 4; source test 5; target 4; target test 4." in source


def test_where_it_lies(tmp_path: Path, make_run) -> None:
    run = make_run()
    assert run.translations_path == run.folder / "translations.npz"
    assert run.frames() == []
