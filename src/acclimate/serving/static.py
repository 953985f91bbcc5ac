"""The files of a page, as they lie in the package."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import FileResponse

PAGE = Path(__file__).parent / "page"
PICTURE_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
}
# Not left to the machine: some know no other type than text/plain for scripts, which browsers then do not run.
PAGE_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def showing(path: Path) -> Callable[[Request], Awaitable[Response]]:
    """What answers with a file of a page."""

    async def show(_request: Request) -> Response:
        return FileResponse(path, headers={"Cache-Control": "no-cache"}, media_type=PAGE_TYPES[path.suffix])

    return show
