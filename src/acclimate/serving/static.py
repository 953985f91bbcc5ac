"""The files of a page, as they lie in the package."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send

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


class WholeFile(FileResponse):
    """A file, of which no part is given alone: pages need none, and wrong ones would be refused without a problem."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as if no part had been asked for."""
        self.headers["Accept-Ranges"] = "none"
        headers = [(name, value) for name, value in scope["headers"] if name not in (b"range", b"if-range")]
        await super().__call__({**scope, "headers": headers}, receive, send)


def showing(path: Path) -> Callable[[Request], Awaitable[Response]]:
    """What answers with a file of a page."""

    async def show(_request: Request) -> Response:
        return WholeFile(path, headers={"Cache-Control": "no-cache"}, media_type=PAGE_TYPES[path.suffix])

    return show
