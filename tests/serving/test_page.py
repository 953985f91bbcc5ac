"""The page in a real browser: drawn on, dropped on, used by keyboard and on a phone, and left alone by its server."""

from __future__ import annotations

import base64
import io
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from acclimate.errors import WorkError
from acclimate.serving.searching import Limits, Served
from served import FORM, Album, Judge, Running, photo_album, png, sketch

pytest.importorskip("fastapi")
from acclimate.serving.app import create_app

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on the PATH")
# Generous, for a machine that does other work too.
WAIT = 60_000
expect.set_options(timeout=WAIT)
LIMITS = Limits(bytes=100_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        # Without a sandbox, which root and most containers cannot have: it only sees our own page.
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def album(tmp_path: Path) -> Album:
    made = photo_album(tmp_path)
    shutil.copy(made.root / "a.jpg", made.root / "100%2F.jpg")
    made.names.append("100%2F.jpg")
    return made


Serve = Callable[[Served], Running]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers = []

    def start(served: Served) -> Running:
        servers.append(Running(lambda: create_app(served, limits=LIMITS)))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def search(serve: Serve, album: Album) -> Running:
    return serve(Served("Sketches", "dann", FORM, photos=album))


@pytest.fixture
def digits(serve: Serve) -> Running:
    return serve(Served("Digits", "mcc", FORM, classifier=Judge(), ink="light"))


Open = Callable[..., Any]


@pytest.fixture
def opened(browser: Any, serve: Serve) -> Iterator[Open]:
    """Open a page; at the end, nothing may have been said on its console, nor forbidden by its policy.

    It asks for `serve`, so that pages are closed before their servers stop.
    """
    contexts, said = [], []

    def open_page(server: Running, calm: bool = True, **options: Any) -> Any:
        context = browser.new_context(**options)
        context.set_default_timeout(WAIT)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation', e => console.error('policy', e.blockedURI));"
        )
        if calm:
            page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(server.url)
        expect(page.locator("#status")).to_contain_text("Draw something", timeout=WAIT)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


def draw(page: Any, *points: tuple[float, float]) -> None:
    """A stroke through points, as shares of the board's side."""
    canvas = page.locator("#canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def until(page: Any, condition: str) -> None:
    """Wait for it; Playwright's own way would need what the page's policy forbids."""
    page.evaluate(f"async () => {{ while (!({condition})) await new Promise(done => setTimeout(done, 20)); }}")


def board(page: Any) -> np.ndarray:
    """The pixels on show."""
    # Painted in the frame after the change.
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    url = page.evaluate("document.getElementById('canvas').toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("L"))


def results(page: Any) -> Any:
    return page.locator("#photos > li")


def seen(page: Any, count: int) -> None:
    expect(results(page)).to_have_count(count, timeout=WAIT)
    expect(page.locator("#photos")).to_be_visible(timeout=WAIT)


def test_photos_appear_while_drawing(opened: Open, search: Running, album: Album) -> None:
    page = opened(search)
    draw(page, (0.2, 0.2), (0.8, 0.8))
    seen(page, len(album))
    expect(page.locator("#status")).to_have_text("7 photos, the most similar first.")
    assert board(page).min() == 0
    # Every one of them can be seen, whatever its name.
    until(page, "[...document.querySelectorAll('.photo img')].every(i => i.complete && i.naturalWidth > 0)")
    names = page.locator(".photo img").evaluate_all("all => all.map(image => image.alt)")
    assert sorted(names) == sorted(f"Photo {name}" for name in album.names)
    assert page.get_by_role("list").first.get_by_role("button").count() == len(album)


def test_undo_redo_and_clear(opened: Open, search: Running) -> None:
    page = opened(search)
    for name in ("Undo", "Redo", "Clear"):
        expect(page.get_by_role("button", name=name)).to_be_disabled()
    draw(page, (0.2, 0.2), (0.8, 0.2))
    one = board(page)
    draw(page, (0.2, 0.7), (0.8, 0.7))
    two = board(page)
    assert (two < 128).sum() > 1.5 * (one < 128).sum()
    page.get_by_role("button", name="Undo").click()
    assert np.array_equal(board(page), one)
    page.keyboard.press("Control+z")
    assert board(page).min() == 255
    expect(page.locator("#status")).to_contain_text("Draw something", timeout=WAIT)
    expect(page.locator("#photos")).to_be_hidden()
    page.get_by_role("button", name="Redo").click()
    assert np.array_equal(board(page), one)
    page.keyboard.press("Control+Shift+z")
    assert np.array_equal(board(page), two)
    page.get_by_role("button", name="Clear").click()
    assert board(page).min() == 255
    page.keyboard.press("Control+z")
    assert np.array_equal(board(page), two)


def test_strokes_are_as_wide_as_asked_and_a_click_is_a_dot(opened: Open, search: Running) -> None:
    page = opened(search)
    inked = []
    for width in ("1", "10"):
        page.locator("#width").fill(width)
        draw(page, (0.2, 0.5), (0.8, 0.5))
        inked.append((board(page) < 128).sum())
        page.get_by_role("button", name="Clear").click()
    assert inked[1] > 5 * inked[0]
    draw(page, (0.5, 0.5))
    assert board(page)[board(page).shape[0] // 2, board(page).shape[1] // 2] == 0


def test_a_pen_that_is_pressed_draws_broadly(opened: Open, search: Running) -> None:
    page = opened(search)
    stroke = """([pressure, y]) => {
        const canvas = document.getElementById('canvas'), box = canvas.getBoundingClientRect();
        canvas.setPointerCapture = () => {};
        const send = (name, x) => canvas.dispatchEvent(new PointerEvent(name, {pointerId: 7, pointerType: 'pen',
            isPrimary: true, pressure, bubbles: true,
            clientX: box.left + x * box.width, clientY: box.top + y * box.height}));
        send('pointerdown', .2); send('pointermove', .5); send('pointermove', .8); send('pointerup', .8);
    }"""
    page.evaluate(stroke, [0.1, 0.25])
    page.evaluate(stroke, [1.0, 0.75])
    shown = board(page) < 128
    middle = len(shown) // 2
    assert shown[middle:].sum() > 2 * shown[:middle].sum() > 0


def test_stale_answers_are_dropped(opened: Open, search: Running, album: Album) -> None:
    page = opened(search)
    held: list[Any] = []
    page.route("**/api/search*", lambda route: held.append(route) if not held else route.continue_())
    draw(page, (0.2, 0.2), (0.8, 0.8))
    until(page, "document.getElementById('answers').classList.contains('busy')")
    while not held:
        page.wait_for_timeout(20)
    draw(page, (0.8, 0.2), (0.2, 0.8))
    seen(page, len(album))
    with_both = page.locator("#photos").inner_text()
    with suppress(playwright.Error):  # the browser has given it up already
        held[0].fulfill(json={"results": [{"id": "a.jpg", "similarity": 1}]})
    page.wait_for_timeout(200)
    assert page.locator("#photos").inner_text() == with_both


def test_more_like_a_photo_and_back(opened: Open, search: Running, album: Album) -> None:
    page = opened(search)
    draw(page, (0.2, 0.2), (0.8, 0.8))
    seen(page, len(album))
    page.get_by_role("button", name="Photo a.jpg").click()
    expect(page.get_by_role("heading", name="More like this")).to_be_focused()
    expect(page.locator(".photo img").first).to_have_attribute("alt", "Photo b.jpg", timeout=WAIT)
    assert page.locator("#model").get_attribute("href") == "api/photos/a.jpg?size=full"
    with page.context.expect_page() as full:
        page.locator("#model").click()
    full.value.wait_for_load_state()
    assert full.value.evaluate("document.images[0].naturalWidth") == 640
    page.get_by_role("button", name="Back to the drawing").click()
    expect(page.get_by_role("heading", name="Photos", exact=True)).to_be_visible()
    expect(page.locator("#model")).to_be_hidden()
    seen(page, len(album))
    # The picture of 100%2F.jpg, whose name must be quoted with care.
    page.get_by_role("button", name="Photo 100%2F.jpg").click()
    expect(page.locator(".photo img").first).to_have_attribute("alt", "Photo a.jpg", timeout=WAIT)


def test_a_picture_is_chosen_dropped_or_pasted(opened: Open, search: Running, album: Album, tmp_path: Path) -> None:
    page = opened(search)
    path = tmp_path / "mine.png"
    path.write_bytes(png(sketch("RGB")))
    page.set_input_files("#file", str(path))
    seen(page, len(album))
    expect(page.get_by_role("img", name="The picture mine.png")).to_be_visible()
    page.get_by_role("button", name="Back to the drawing").click()
    expect(page.locator("#chosen")).to_be_hidden()
    expect(page.locator("#photos")).to_be_hidden(timeout=WAIT)

    transfer = """([name, content]) => {
        const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0)), data = new DataTransfer();
        data.items.add(new File([bytes], 'mine.png', {type: 'image/png'}));
        const board = document.getElementById('canvas');
        if (name === 'drop') {
            board.dispatchEvent(new DragEvent('dragover', {dataTransfer: data, bubbles: true, cancelable: true}));
            board.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
        } else document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true}));
    }"""
    content = base64.b64encode(path.read_bytes()).decode()
    for name in ("drop", "paste"):
        page.evaluate(transfer, [name, content])
        seen(page, len(album))
        expect(page.locator("#chosen")).to_be_visible()
        page.locator("#draw-again").click()
        expect(page.locator("#photos")).to_be_hidden(timeout=WAIT)
    # Drawing takes the place of a picture.
    page.evaluate(transfer, ["drop", content])
    seen(page, len(album))


def test_what_is_refused_is_said(opened: Open, search: Running, album: Album, tmp_path: Path) -> None:
    page = opened(search, calm=False)
    notice = page.locator("#notice")
    (tmp_path / "big.png").write_bytes(bytes(LIMITS.bytes + 1))
    page.set_input_files("#file", str(tmp_path / "big.png"))
    expect(notice).to_contain_text("must have at most", timeout=WAIT)
    (tmp_path / "text.png").write_text("hello")
    page.set_input_files("#file", str(tmp_path / "text.png"))
    expect(notice).to_contain_text("must be a PNG, JPEG, WebP or BMP picture", timeout=WAIT)
    (tmp_path / "white.png").write_bytes(png(Image.new("L", (64, 64), "white")))
    page.set_input_files("#file", str(tmp_path / "white.png"))
    expect(notice).to_contain_text("must show something", timeout=WAIT)
    # The server's own limit, for whoever comes past the page's.
    page.evaluate("""async () => {
        const {ask} = await import('./api.js');
        const body = new Blob([new Uint8Array(150000)]);
        await ask('search', {method: 'POST', body}).catch(e => document.title = e.message);
    }""")
    assert "at most" in page.title()
    (tmp_path / "good.png").write_bytes(png(sketch()))
    page.set_input_files("#file", str(tmp_path / "good.png"))
    seen(page, len(album))
    expect(notice).to_be_hidden()


def test_a_crash_is_said_and_drawing_goes_on(opened: Open, search: Running, album: Album) -> None:
    def fail(_pictures: np.ndarray) -> None:
        raise WorkError("The disk is full.")

    page = opened(search, calm=False)
    album.before = fail
    draw(page, (0.2, 0.2), (0.8, 0.8))
    expect(page.locator("#notice")).to_contain_text("The disk is full.", timeout=WAIT)
    album.before = lambda _: None
    page.get_by_role("button", name="Try again").click()
    seen(page, len(album))
    expect(page.locator("#notice")).to_be_hidden()


def test_a_server_that_stops_is_missed_and_found_again(opened: Open, search: Running, album: Album) -> None:
    page = opened(search, calm=False)
    draw(page, (0.2, 0.2), (0.8, 0.8))
    seen(page, len(album))
    search.stop()
    draw(page, (0.8, 0.2), (0.2, 0.8))
    expect(page.locator("#notice")).to_contain_text("The server does not answer", timeout=WAIT)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    search.start()
    expect(page.locator("#notice")).to_be_hidden(timeout=WAIT)
    seen(page, len(album))


def test_before_anything_is_indexed(serve: Serve, album: Album, browser: Any) -> None:
    album.names.clear()
    server = serve(Served("S", "dann", FORM, photos=album, index_command="acclimate index r photos/"))
    page = browser.new_page()
    page.goto(server.url)
    expect(page.locator("#notice-text")).to_have_text(
        "Nothing is indexed yet. Run acclimate index r photos/, then start the server again.", timeout=WAIT
    )
    page.close()


def test_by_keyboard_alone(opened: Open, search: Running, album: Album) -> None:
    page = opened(search)
    names = []
    for _ in range(6):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        outline = page.evaluate("""() => {
            const at = document.activeElement, inside = ['file', 'canvas'].includes(at.id);
            return getComputedStyle(inside ? at.parentElement : at).outlineStyle;
        }""")
        assert outline != "none", names[-1]
    assert names == ["A", "canvas", "width", "file", "SUMMARY", "A"]
    page.keyboard.press("Shift+Tab")
    while page.evaluate("document.activeElement.id") != "canvas":
        page.keyboard.press("Shift+Tab")
    expect(page.locator("#pen")).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#pen")).to_be_visible()
    page.keyboard.press(" ")
    expect(page.locator("#said")).to_have_text("Pen down")
    for key in ("Shift+ArrowRight", "ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    page.keyboard.press(" ")
    expect(page.locator("#said")).to_have_text("Pen up")
    seen(page, len(album))
    rows, columns = np.nonzero(board(page) < 128)
    assert np.ptp(rows) > 0.09 * board(page).shape[0]
    assert np.ptp(columns) > 0.11 * board(page).shape[1]
    # What is drawn can be undone, and what is found can be reached.
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('photo')"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="More like this")).to_be_focused()
    page.keyboard.press("Control+z")
    expect(page.locator("#photos")).to_be_hidden(timeout=WAIT)


def test_before_and_after_adaptation(opened: Open, digits: Running) -> None:
    page = opened(digits)
    assert board(page).max() == 0
    draw(page, (0.5, 0.2), (0.5, 0.8))
    before, after = (page.get_by_role("region", name=name) for name in ("Before adaptation", "After adaptation"))
    expect(after.locator(".answer")).to_have_text("dark", timeout=WAIT)
    expect(before.locator(".answer")).to_have_text("light")
    expect(page.locator("#said")).to_have_text("Before adaptation: light. After adaptation: dark.")
    assert board(page).max() == 255
    shares = [text.removesuffix(" %") for text in after.locator(".share").all_inner_texts()]
    assert math.isclose(sum(map(int, shares)), 100, abs_tol=1)
    assert before.get_by_role("listitem").count() == 2


@pytest.mark.parametrize("kind", ["search", "digits"])
def test_nothing_is_wider_than_a_phone(opened: Open, kind: str, request: pytest.FixtureRequest, album: Album) -> None:
    server = request.getfixturevalue(kind)
    page = opened(server, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    wide = "() => document.documentElement.scrollWidth"
    assert page.evaluate(wide) == 360
    draw(page, (0.2, 0.3), (0.8, 0.3))
    expect(page.locator("#photos, #classes").filter(visible=True)).to_have_count(1, timeout=WAIT)
    assert page.evaluate(wide) == 360
    # Large enough for a finger.
    for button in page.locator("button, .button").filter(visible=True).all():
        box = button.bounding_box()
        assert min(box["width"], box["height"]) >= 39, button.inner_text()
    page.goto(f"{server.url}api.html")
    expect(page.get_by_role("heading", name="/api/search")).to_be_visible(timeout=WAIT)
    assert page.evaluate(wide) == 360


def test_a_finger_draws_and_does_not_scroll(opened: Open, search: Running, album: Album) -> None:
    page = opened(search, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    box = page.locator("#canvas").bounding_box()
    session = page.context.new_cdp_session(page)

    def touch(kind: str, x: float, y: float) -> None:
        points = [] if kind == "touchEnd" else [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 0.5, 0.8)
    for step in range(1, 6):
        touch("touchMove", 0.5, 0.8 - 0.12 * step)
    touch("touchEnd", 0, 0)
    seen(page, len(album))
    assert page.evaluate("window.scrollY") == 0
    rows = np.nonzero((board(page) < 128).any(axis=1))[0]
    assert np.ptp(rows) > 0.5 * board(page).shape[0]


def test_what_cannot_be_told_by_colour_or_sight(opened: Open, search: Running, digits: Running, album: Album) -> None:
    """Names for everything that can be used, one main heading, a live status, and enough contrast in both schemes."""
    for scheme in ("light", "dark"):
        page = opened(search, color_scheme=scheme, reduced_motion="reduce")
        draw(page, (0.2, 0.2), (0.8, 0.8))
        seen(page, len(album))
        assert page.get_by_role("heading", level=1).count() == 1
        assert page.locator("html").get_attribute("lang") == "en"
        unnamed = page.evaluate("""() => [...document.querySelectorAll('button, a, input, canvas, img')]
            .filter(e => e.checkVisibility() && !(e.textContent.trim() || e.ariaLabel || e.alt || e.labels?.length
                || e.querySelector('img[alt]')))
            .map(e => e.outerHTML)""")
        assert unnamed == []
        assert page.locator("#status").get_attribute("role") == "status"
        assert page.evaluate("getComputedStyle(document.getElementById('photos')).transitionDuration") == "0s"
        for text in (".brand", "h1", "#about", "#status", "#undo", ".button", ".caption span", "footer a", "summary"):
            assert contrast(page, text) >= 4.5, (scheme, text)


def contrast(page: Any, selector: str) -> float:
    """WCAG's, of a text and what is painted behind it."""
    found = page.locator(selector).first.evaluate("""element => {
        const colour = getComputedStyle(element).color;
        for (let at = element; at; at = at.parentElement) {
            const behind = getComputedStyle(at).backgroundColor;
            if (!behind.startsWith('rgba(') || !behind.endsWith(', 0)')) return [colour, behind];
        }
    }""")

    def luminance(colour: str) -> float:
        values = [float(v) / 255 for v in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted(map(luminance, found), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_a_small_drawing_is_sent_as_large_as_the_data_have_it(opened: Open, serve: Serve, album: Album) -> None:
    sent: list[np.ndarray] = []
    album.before = lambda pictures: sent.append(pictures.copy())
    page = opened(serve(Served("Digits", "dann", FORM, photos=album, ink="light", reach=0.9)))
    draw(page, (0.1, 0.1), (0.3, 0.1), (0.2, 0.3))
    expect(page.locator("#photos")).to_be_visible(timeout=WAIT)
    before = -1
    while len(sent) > before:  # where the machine is slow, half a drawing may have been asked about first
        before = len(sent)
        page.wait_for_timeout(1000)
    pixels = sent[-1][0, ..., 0] > 128
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    extent = max(np.ptp(rows), np.ptp(columns)) + 1
    assert abs(extent - 0.9 * len(pixels)) <= 1.5  # of 16 pixels; drawn a fifth as large, in a corner
    assert abs((rows[0] + rows[-1] + 1) / 2 - len(pixels) / 2) <= 1
