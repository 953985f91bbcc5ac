"""Photos indexed and searched, as a user types it."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from acclimate.data.readers.pictures import decode
from acclimate.running.adaptation import load
from acclimate.running.picture_models import RunEncoder
from acclimate.serving import photos as photos_module
from commands import Command
from galleries import bomb, broken

QUICK = ("--steps", "2", "--batch-size", "8", "--set", "evaluations=1", "--no-baseline")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, pictures: dict[str, Path]) -> Path:
    """A run on pictures, made once."""
    from acclimate.running.adaptation import adapt
    from acclimate.runs.request import Request

    folder = tmp_path_factory.mktemp("trained") / "run"
    sides = {"source": str(pictures["source"]), "target": str(pictures["target"])}
    options = {"steps": 2, "batch_size": 8, "evaluations": 1}
    adapt(Request(**sides, method="dann", training=options, baseline=False), folder)
    return folder


@pytest.fixture
def run(acclimate: Command, trained: Path, pictures: dict[str, Path]) -> Path:
    """A run, photos/ with 60 of them and sketch.png, in an empty folder."""
    shutil.copytree(trained, "run")
    shutil.copytree(pictures["target"], "photos")
    shutil.copy(min(pictures["source"].rglob("*.png")), "sketch.png")
    return Path("run")


def flat(said: str) -> str:
    return " ".join(said.split())


def test_index_then_search(acclimate: Command, run: Path) -> None:
    said = acclimate("index", "run", "photos")
    assert said.code == 0, said.err
    first, second = said.out.splitlines()
    assert first.startswith("60 photos in run/index: 60 new. ")
    assert first.endswith(" photos a second.")
    assert second == "Search them with: acclimate search run sketch.png"
    assert "Encoding photos: photo 60/60" in said.err

    said = acclimate("search", "run", "sketch.png", "-k", "3")
    assert said.code == 0, said.err
    head, *rows, sheet = said.out.splitlines()
    assert head.split() == ["rank", "similarity", "photo"]
    assert sheet == "To look at: sketch-hits.png"
    encoder = RunEncoder(load(run))
    files = sorted(Path("photos").iterdir())
    vectors = encoder.encode(np.stack([decode(f, encoder.form("target")) for f in files]), "target")
    query = encoder.encode(decode(Path("sketch.png"), encoder.form("source"))[None], "source")
    cosines = (vectors @ query[0]) / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    order = np.argsort(-cosines, kind="stable")[:3]
    assert [row.split() for row in rows] == [
        [str(rank), f"{cosines[i]:.3f}", files[i].name] for rank, i in enumerate(order, start=1)
    ]
    with Image.open("sketch-hits.png") as made:
        assert made.size == (24 + 168 + 48 + 3 * 168 + 2 * 14 + 24, 2 * 24 + 168 + 46)
        shown = np.asarray(made)
    assert np.array_equal(shown[24:192, 24:192, 0], square("sketch.png"))
    assert np.array_equal(shown[24:192, 240:408, 0], square(files[order[0]]))


def square(path: str | Path) -> np.ndarray:
    return np.asarray(Image.open(path).resize((168, 168), Image.Resampling.BILINEAR))


def test_machines_get_the_same(acclimate: Command, run: Path) -> None:
    shutil.copy("photos/0001.png", "photos/copy.png")
    broken(Path("photos/bad"))
    said = acclimate("index", "run", "photos", "--json")
    assert said.code == 0, said.err
    assert said.err == ""
    found = json.loads(said.out)
    assert (found["index"], found["n"], found["new"], found["left"]) == ("run/index", 60, 60, 0)
    assert found["photos"] == str(Path("photos").resolve())
    assert found["copies"] == {"copy.png": "0001.png"}
    assert found["failed"]["bad/empty.jpg"] == "an empty file"
    assert len(found["failed"]) == 6
    said = acclimate("search", "run", "sketch.png", "photos/0007.png", "-k", "2", "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert [query["sheet"] for query in found["queries"]] == ["sketch-hits.png", "0007-hits.png"]
    assert all(Path(query["sheet"]).is_file() for query in found["queries"])
    for query in found["queries"]:
        assert [hit["rank"] for hit in query["hits"]] == [1, 2]
        assert all(Path(hit["file"]).is_file() for hit in query["hits"])
    assert found["queries"][1]["hits"][0]["id"] == "0007.png"
    assert found["queries"][1]["hits"][0]["similarity"] == pytest.approx(1, abs=1e-5)


def test_brought_up_to_date(acclimate: Command, run: Path) -> None:
    acclimate("index", "run", "photos")
    Path("photos/0000.png").unlink()
    Path("photos/new").mkdir()
    Path("photos/0001.png").rename("photos/new/name.png")
    shutil.copy("photos/0002.png", "photos/copy.png")
    Path("photos/notes.txt").write_text("dear diary")
    reasons = broken(Path("photos/bad"))
    said = acclimate("index", "run", "photos")
    assert said.code == 0, said.err
    assert "59 photos in run/index: 58 unchanged, 1 removed, 1 moved, 1 left out as copies.\n" in said.out
    assert f"Not indexed: {len(reasons)}\n" in said.out
    assert "  not an image of a known format: bad/drawing.png, bad/script.jpg, bad/text.jpg\n" in said.out
    assert "  more than 40 megapixels: bad/bomb.png\n" in said.out
    assert "Note: files left out because they are no photos: 1 .txt.\n" in said.out


def test_the_run_stays_whole(acclimate: Command, run: Path) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != ".lock"}
    assert acclimate("index", "run", "photos").code == 0
    assert {path: path.read_bytes() for path in before} == before
    Path("run/summary.json").unlink()
    assert acclimate("resume", "run").code == 0
    assert acclimate("report", "run").code == 0
    assert acclimate("predict", "run", "photos", "--out", "answers.csv").code == 0
    assert acclimate("search", "run", "sketch.png").code == 0


def test_an_index_elsewhere_and_one_sheet_for_all(acclimate: Command, run: Path) -> None:
    said = acclimate("index", "run", "photos", "--index", "my index")
    assert "Search them with: acclimate search run --index 'my index' sketch.png" in said.out
    assert not (run / "index").exists()
    Path("more").mkdir()
    shutil.copy("photos/0003.png", "more/sketch.png")
    words = ("search", "run", "sketch.png", "more/sketch.png", "--index", "my index")
    said = acclimate(*words, "--out", "all.png")
    assert said.code == 0, said.err
    assert said.out.count("To look at: ") == 1
    assert "\nmore/sketch.png\n" in said.out
    with Image.open("all.png") as made:
        assert made.height == 3 * 24 + 4 * (168 + 46)
    assert acclimate(*words).code == 0
    assert {"sketch-hits.png", "sketch-hits-2.png"} <= set(os.listdir())  # noqa: PTH208


def test_more_than_there_are(acclimate: Command, run: Path) -> None:
    acclimate("index", "run", "photos")
    Path("photos/0005.png").unlink()
    said = acclimate("search", "run", "sketch.png", "-k", "1000000")
    assert said.code == 0, said.err
    assert "Note: k is 1,000,000, and the index holds 60 photos: here are all of them." in said.out
    assert "Note: photos that cannot be shown any more: 1." in said.out
    assert len(said.out.splitlines()) == 2 + 1 + 60 + 1


def test_a_sheet_replaces_a_sheet_and_nothing_else(acclimate: Command, run: Path) -> None:
    acclimate("index", "run", "photos")
    assert acclimate("search", "run", "sketch.png", "-k", "1").code == 0
    assert acclimate("search", "run", "sketch.png", "-k", "5").code == 0
    shutil.copy("photos/0000.png", "sketch-hits.png")
    before = Path("sketch-hits.png").read_bytes()
    said = acclimate("search", "run", "sketch.png")
    assert said.code == 2
    assert "out must not exist yet; got 'sketch-hits.png'. Choose another with --out" in flat(said.err)
    assert Path("sketch-hits.png").read_bytes() == before
    for words, sentence in (
        (("--out", "hits.jpg"), "out must end in .png; got 'hits.jpg'"),
        (("--out", "no/hits.png"), "out must lie in a folder that exists; got 'no/hits.png'"),
    ):
        said = acclimate("search", "run", "sketch.png", *words)
        assert (said.code, sentence in flat(said.err)) == (2, True), said.err


def test_stopped_it_says_what_is_kept(acclimate: Command, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos_module, "_BLOCK", 20)
    encode, calls = RunEncoder.encode, [0]

    def interrupted(self: RunEncoder, pictures: np.ndarray, side: object) -> np.ndarray:
        calls[0] += len(pictures) == 20
        if calls[0] == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return encode(self, pictures, side)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(RunEncoder, "encode", interrupted)
        said = acclimate("index", "run", "photos")
    assert said.code == 130
    kept = "Stopped: 40 photos are indexed and can be searched; 20 are left."
    assert f"{kept} Go on with: acclimate index run photos --index run/index" in flat(said.err)
    assert acclimate("search", "run", "sketch.png").code == 0
    assert "60 photos in run/index: 20 new, 40 unchanged." in acclimate("index", "run", "photos").out


# What is refused


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("dear diary")


def svg(path: Path) -> None:
    path.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")


def too_large(path: Path) -> None:
    path.write_bytes(bomb(10_000, 5_000))


def cut(path: Path) -> None:
    content = Path("sketch.png").read_bytes()
    path.write_bytes(content[: len(content) // 2])


def white(path: Path) -> None:
    Image.new("L", (64, 64), 255).save(path)


def clear(path: Path) -> None:
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(path)


def missing(path: Path) -> None:
    pass


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            nothing,
            "must be a picture that opens (.jpg, .jpeg, .png, .webp, .bmp); got not an image of a known format",
        ),
        (text, "got not an image of a known format. Check the path, or save it as .png."),
        (svg, "got not an image of a known format. Check the path, or save it as .png."),
        (too_large, "got more than 40 megapixels."),
        (cut, "must be a picture that opens"),
        (white, "must show something in its middle square; got one colour everywhere. Draw a few strokes"),
        (clear, "must show something in its middle square; got one colour everywhere. Draw a few strokes"),
        (missing, "got no such file or directory. Check the path"),
        (folder, "got is a directory. Check the path"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_queries_that_are_none(acclimate: Command, run: Path, make: object, sentence: str) -> None:
    acclimate("index", "run", "photos")
    make(Path("query.png"))  # type: ignore[operator]
    said = acclimate("search", "run", "sketch.png", "query.png")
    assert said.code == 2
    assert said.err.startswith("Error: query.png must ")
    assert sentence in flat(said.err)
    assert said.out == ""
    assert not list(Path().glob("*-hits.png"))


def test_a_drawing_on_a_transparent_ground_is_one_on_white(acclimate: Command, run: Path) -> None:
    acclimate("index", "run", "photos")
    drawn = np.zeros((32, 32, 4), np.uint8)
    drawn[10:14, 4:28, 3] = 255
    Image.fromarray(drawn).save("clear.png")
    Image.fromarray(255 - drawn[..., 3]).save("white.png")
    found = json.loads(acclimate("search", "run", "clear.png", "white.png", "--json").out)
    assert found["queries"][0]["hits"] == found["queries"][1]["hits"]


def test_a_search_before_there_is_an_index(acclimate: Command, run: Path) -> None:
    said = acclimate("search", "run", "sketch.png")
    assert said.code == 2
    assert "index must be a folder where photos have been indexed; got 'run/index', which has none." in flat(said.err)
    assert "Index your photos first: acclimate index run PHOTOS/" in flat(said.err)
    assert "acclimate index run PHOTOS/ --index elsewhere" in flat(
        acclimate("search", "run", "sketch.png", "--index", "elsewhere").err
    )


def test_searched_again_drawn_towards_what_was_found(acclimate: Command, run: Path) -> None:
    acclimate("index", "run", "photos")
    plain, again = (
        json.loads(acclimate("search", "run", "sketch.png", "-k", "60", "--json", *more).out)["queries"][0]["hits"]
        for more in ((), ("--expand", "20"))
    )
    assert {hit["id"] for hit in plain} == {hit["id"] for hit in again}
    assert [hit["similarity"] for hit in plain] != [hit["similarity"] for hit in again]
    said = acclimate("search", "run", "sketch.png", "--expand", "-1")
    assert said.code == 2
    assert "expand must be at least 0; got -1. Leave it out, or ask for 20." in said.err


@pytest.mark.parametrize("k", ["0", "-3"])
def test_no_photos_asked_for(acclimate: Command, run: Path, k: str) -> None:
    said = acclimate("search", "run", "sketch.png", "-k", k)
    assert said.code == 2
    assert f"k must be at least 1; got {k}. Ask for one photo or more." in said.err


def test_photos_that_are_none(acclimate: Command, run: Path) -> None:
    Path("empty").mkdir()
    broken(Path("bad"))
    for photos, sentence in (
        ("nowhere", "photos must be a folder that exists; got 'nowhere' (no such folder). Check the spelling"),
        ("sketch.png", "photos must be a folder that exists; got 'sketch.png' (a file)."),
        ("empty", "must hold photos that open (.jpg, .jpeg, .png, .webp, .bmp); got an empty folder. Check the path"),
        ("bad", "got 6 that do not (not an image of a known format: drawing.png, script.jpg, text.jpg;"),
    ):
        said = acclimate("index", "run", photos)
        assert said.code == 2, photos
        assert sentence in flat(said.err)
        assert "can be searched" not in said.err
    assert acclimate("index", "run", "photos").code == 0


def test_an_index_of_another_model_or_a_damaged_one(acclimate: Command, run: Path, pictures: dict[str, Path]) -> None:
    acclimate("index", "run", "photos")
    sides = ("--source", pictures["source"], "--target", pictures["target"])
    assert acclimate("adapt", *sides, "-m", "source-only", *QUICK, "--seed", "3", "--out", "other").code == 0
    for words in (("search", "other", "sketch.png"), ("index", "other", "photos")):
        said = acclimate(*words, "--index", "run/index")
        assert said.code == 2
        assert "must be made with the encoder 'source-only-" in flat(said.err)
        assert "--rebuild" in said.err
    assert acclimate("search", "run", "sketch.png").code == 0
    (vectors,) = (run / "index").glob("vectors-*")
    os.truncate(vectors, 100)
    for words in (("search", "run", "sketch.png"), ("index", "run", "photos")):
        said = acclimate(*words)
        assert said.code == 2
        assert "must be whole; got a damaged one: vectors-" in flat(said.err)
        assert "--rebuild" in said.err
    assert acclimate("index", "run", "photos", "--rebuild").code == 0
    assert acclimate("search", "run", "sketch.png").code == 0


def test_runs_that_read_no_pictures(acclimate: Command, run: Path, tables: dict[str, Path]) -> None:
    sides = ("--source", tables["source"], "--target", tables["target"], "--label-column", "kind")
    assert acclimate("adapt", *sides, "-m", "source-only", *QUICK, "--out", "numbers").code == 0
    said = acclimate("index", "numbers", "photos")
    assert said.code == 2
    assert "run must be one that reads images; got one that reads" in flat(said.err)
    assert not Path("numbers/index").exists()
    said = acclimate("index", "nowhere", "photos")
    assert "run must be the folder of a run" in flat(said.err)
    said = acclimate("index", "run", "photos", "--index", "photos")
    assert "index must be a new or empty folder, or one where photos have been indexed; got 'photos'" in flat(
        said.err
    )
