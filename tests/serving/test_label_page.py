"""The page on which an audit is labelled: over HTTP, and in a real browser by keyboard and on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image
from test_page import CHROMIUM, browser, contrast  # noqa: F401  # a fixture

from acclimate.errors import WorkError
from acclimate.runs.answer_sheet import labels_of, read_sheet
from acclimate.runs.audits import Asked, Item
from served import Running

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

from acclimate.serving.guard import HEADERS
from acclimate.serving.labelling import Labeller, create_label_app

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on the PATH")
expect.set_options(timeout=60_000)
CLASSES = ("cat", "dog", "owl")


def asked(items: list[tuple[str, str]]) -> Asked:
    made = [
        Item(name=f"bkzt-{i:02d}", row=i, id=f"id {i}", stratum=0, probability=0.5, kind=kind, shown=shown)
        for i, (kind, shown) in enumerate(items, start=1)
    ]
    return Asked(
        created="2026-01-01T00:00:00+00:00",
        seed=0,
        split="target",
        examples=2 * len(made),
        sizes=(2 * len(made),),
        agreed=(False,),
        classes=CLASSES,
        items=tuple(made),
        models=(),
    )


@pytest.fixture
def pictures(tmp_path: Path) -> Labeller:
    """Four pictures, one of them large."""
    paths = [tmp_path / f"{i} ü #?.png" for i in range(4)]
    for i, path in enumerate(paths):
        Image.new("L", (16, 16) if i else (900, 600), 60 * i).save(path)
    return Labeller(asked([("file", str(path)) for path in paths]), tmp_path / "labelled.csv", "acclimate audit r …")


@pytest.fixture
def texts(tmp_path: Path) -> Labeller:
    shown = ["=1+1 <b>bold</b>\n" + "long " * 2000, "short", "x"]
    return Labeller(asked([("text", text) for text in shown]), tmp_path / "labelled.csv", "acclimate audit r …")


def client(labeller: Labeller) -> TestClient:
    app = create_label_app(labeller, "MCD trained on photos")
    return TestClient(app, "http://localhost", raise_server_exceptions=False)


# Over HTTP


def test_every_answer_is_on_disk_at_once_and_gone_on_with(pictures: Labeller) -> None:
    page = client(pictures)
    found = page.get("/api/questions").json()
    assert [item["label"] for item in found["items"]] == [None] * 4
    assert found["classes"] == [*CLASSES, "none of these"]
    for number, (name, label) in enumerate([("bkzt-02", "owl"), ("bkzt-01", "none of these"), ("bkzt-02", "cat")]):
        assert page.put(f"/api/questions/{name}", json={"label": label}).json() == {"labelled": min(number, 1) + 1}
        assert read_sheet(pictures.path)[1][name] == label
    assert page.put("/api/questions/bkzt-01", json={"label": None}).json() == {"labelled": 1}
    # Another server, another day.
    again = Labeller(pictures.asked, pictures.path, "…")
    assert again.labels == {"bkzt-02": "cat"}
    for item in pictures.asked.items:
        again.give(item.name, "dog")
    code, given = read_sheet(pictures.path)
    assert code == "bkzt"
    assert labels_of(pictures.asked, given).tolist() == [1, 1, 1, 1]


def test_pictures_and_pages_are_shown_and_nothing_else(pictures: Labeller, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    page = client(pictures)
    for path, kind in (("/", "text/html"), ("/label.js", "text/javascript"), ("/api/pictures/bkzt-01", "image/png")):
        answer = page.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
        assert HEADERS.items() <= dict(answer.headers).items() or all(
            answer.headers[name.lower()] == value for name, value in HEADERS.items()
        )
    for path in ("/api/pictures/bkzt-99", "/api/pictures/..%2Fsecret.txt", "/secret.txt", "/api/predict"):
        assert page.get(path).status_code in (404, 405)
    Path(pictures.asked.items[0].shown).unlink()
    assert page.get("/api/pictures/bkzt-01").status_code == 404


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("bkzt-99", {"label": "cat"}, "item must be one of this audit"),
        ("bkzt-01", {"label": "cow"}, "label must be one of the audit's classes"),
        ("bkzt-01", {"label": 3}, "label must be"),
        ("bkzt-01", {}, "label must be"),
    ],
)
def test_what_is_no_answer_is_refused_and_nothing_written(
    pictures: Labeller, name: str, body: dict[str, Any], words: str
) -> None:
    answer = client(pictures).put(f"/api/questions/{name}", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]
    assert not pictures.path.exists()


def test_other_sites_and_other_names_are_refused(pictures: Labeller) -> None:
    page = client(pictures)
    for headers in ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, {"Host": "evil.example"}):
        answer = page.put("/api/questions/bkzt-01", json={"label": "cat"}, headers=headers)
        assert answer.status_code in (400, 403)
    assert not pictures.path.exists()


def test_an_answer_that_cannot_be_written_is_not_kept(pictures: Labeller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise WorkError("The disk is full.")

    monkeypatch.setattr("acclimate.serving.labelling.write_sheet", fail)
    answer = client(pictures).put("/api/questions/bkzt-01", json={"label": "cat"})
    assert answer.status_code == 500
    assert "The disk is full." in answer.json()["detail"]
    assert pictures.labels == {}


# In a browser

Open = Callable[..., Any]


@pytest.fixture
def opened(browser: Any) -> Iterator[Open]:  # noqa: F811
    servers, pages, faults = [], [], []

    def open_(labeller: Labeller, **options: Any) -> Any:
        servers.append(Running(lambda: create_label_app(labeller, "MCD trained on photos")))
        page = browser.new_page(**options)
        page.on("pageerror", lambda error: faults.append(str(error)))
        pages.append(page)
        page.goto(servers[-1].url)
        expect(page.locator("#example-heading")).to_contain_text("of")
        page.server = servers[-1]
        return page

    yield open_
    for page in pages:
        page.close()
    for server in servers:
        server.stop()
    assert faults == []


@in_browser
def test_labelled_by_keyboard_taken_back_and_taken_up_again(opened: Open, pictures: Labeller) -> None:
    page = opened(pictures)
    heading, status = page.locator("#example-heading"), page.locator("#status")
    expect(heading).to_have_text("Example 1 of 4")
    page.keyboard.press("2")
    expect(heading).to_have_text("Example 2 of 4")
    expect(status).to_contain_text("1 of 4 labelled")
    assert read_sheet(pictures.path)[1]["bkzt-01"] == "dog"
    page.keyboard.press("0")
    expect(heading).to_have_text("Example 3 of 4")
    assert pictures.labels["bkzt-02"] == "none of these"
    page.keyboard.press("Control+z")
    expect(heading).to_have_text("Example 2 of 4")
    expect(status).to_contain_text("1 of 4 labelled")
    assert read_sheet(pictures.path)[1]["bkzt-02"] == ""
    page.keyboard.press("ArrowLeft")
    expect(heading).to_have_text("Example 1 of 4")
    pressed = page.locator("#classes button[aria-pressed=true]")
    expect(pressed).to_contain_text("dog")
    # Keys that are no class's do nothing.
    for key in ("x", "9", "Control+1"):
        page.keyboard.press(key)
    expect(heading).to_have_text("Example 1 of 4")
    page.reload()
    expect(heading).to_have_text("Example 2 of 4")
    for labelled in (2, 3, 4):
        page.keyboard.press("1")
        expect(status).to_contain_text(f"{labelled} of 4 labelled")
    done = page.locator("#done")
    expect(done).to_contain_text("acclimate audit r …")
    assert pictures.labels == {"bkzt-01": "dog", "bkzt-02": "cat", "bkzt-03": "cat", "bkzt-04": "cat"}


@in_browser
def test_a_class_that_is_one_sign_has_it_as_its_key(opened: Open, pictures: Labeller) -> None:
    digits = Labeller(
        pictures.asked.model_copy(update={"classes": ("0", "1", "2", "b", "B", "bee")}), pictures.path, "…"
    )
    page = opened(digits)
    caps = page.locator("#classes kbd").all_inner_texts()
    assert caps == ["0", "1", "2", "b", "3", "4", "-"]
    for number, (key, label) in enumerate([("0", "0"), ("b", "b"), ("4", "bee"), ("-", "none of these")], start=1):
        page.keyboard.press(key)
        expect(page.locator("#status")).to_contain_text(f"{number} of 4 labelled")
        assert digits.labels[f"bkzt-0{number}"] == label


@in_browser
def test_pictures_are_seen_large_and_texts_as_they_are(opened: Open, pictures: Labeller, texts: Labeller) -> None:
    page = opened(pictures)
    picture = page.locator("#picture")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", 900)
    page.get_by_role("button", name="Next").click()
    expect(picture).to_have_class("tiny")
    assert picture.bounding_box()["width"] >= 200
    page = opened(texts)
    text = page.locator("#text")
    expect(text).to_contain_text("=1+1 <b>bold</b>")
    assert text.locator("b").count() == 0
    expect(page.locator("#picture")).to_be_hidden()


@in_browser
def test_a_server_that_stops_loses_nothing_that_was_said_to_be_saved(opened: Open, pictures: Labeller) -> None:
    page = opened(pictures)
    page.keyboard.press("1")
    expect(page.locator("#status")).to_contain_text("1 of 4 labelled")
    page.server.stop()
    page.keyboard.press("2")
    expect(page.locator("#notice")).to_contain_text("this answer is not saved")
    expect(page.locator("#status")).to_contain_text("1 of 4 labelled")
    page.server.start()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#status")).to_contain_text("2 of 4 labelled")
    assert pictures.labels == {"bkzt-01": "cat", "bkzt-02": "dog"}


@in_browser
def test_on_a_phone_and_without_sight(opened: Open, pictures: Labeller) -> None:
    for scheme in ("light", "dark"):
        page = opened(
            pictures, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, color_scheme=scheme
        )
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        for button in page.locator("button").filter(visible=True).all():
            box = button.bounding_box()
            assert min(box["width"], box["height"]) >= 39, button.inner_text()
        assert page.get_by_role("heading", level=1).count() == 1
        assert page.locator("#status").get_attribute("role") == "status"
        names = page.locator("#classes").get_by_role("button").all_inner_texts()
        assert [name.split("\n")[0] for name in names] == [*CLASSES, "none of these"]
        for text in ("h1", "#status", "#where", "#classes button", "#back + button"):
            assert contrast(page, text) >= 4.5, (scheme, text)
    page.locator("#classes").get_by_role("button", name="owl").tap()
    expect(page.locator("#example-heading")).to_have_text("Example 2 of 4")
    page.get_by_role("button", name="Back").tap()
    expect(page.locator("#classes button[aria-pressed=true]")).to_contain_text("owl")
    assert contrast(page, "#classes button[aria-pressed=true]") >= 4.5


def test_a_sheet_of_another_audit_is_not_gone_on_with(pictures: Labeller) -> None:
    pl.DataFrame({"item": ["wxzz-01"], "label": ["cat"]}).write_csv(pictures.path)
    assert Labeller(pictures.asked, pictures.path, "…").labels == {}
