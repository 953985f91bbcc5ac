"""Errors as the HTTP interface tells them: problem details (RFC 9457) with a sentence each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from acclimate.errors import RequestError, WorkError

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818  # RFC 9457's name for it
    """What was asked for cannot be had.

    Args:
        status: of the answer.
        detail: a sentence with the next move.
        headers: of the answer.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})

    @classmethod
    def of(cls, error: Exception, status: int) -> Problem:
        """An error's own sentence under a status."""
        return cls(status, str(error))

    def body(self) -> bytes:
        """The problem as JSON."""
        title = HTTPStatus(self.status).phrase
        found = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}
        return json.dumps(found, ensure_ascii=False).encode()

    def response(self, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
        """The problem as an answer, with some headers more."""
        found = {"Cache-Control": "no-store", **self.headers, **headers}
        return Response(self.body(), self.status, found, MEDIA_TYPE)


def crashed() -> Problem:
    """For what nobody foresaw; what it was stands in the server's own output, not in the answer."""
    return Problem(500, "The server made a mistake; its output says which. It goes on; try again, or something else.")


def install(app: FastAPI) -> None:
    """Let the app answer with problems whatever goes wrong on purpose."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestError, _refused)
    app.add_exception_handler(WorkError, _failed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


def _refused(_request: Request, error: Exception) -> Response:
    return Problem.of(error, 400).response()


def _failed(_request: Request, error: Exception) -> Response:
    return Problem.of(error, 500).response()


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return Problem(400, " ".join(_sentence(found) for found in error.errors())).response()


def _sentence(found: Mapping[str, Any]) -> str:
    """`"k must be …; got 0."` of what pydantic found."""
    name = ".".join(str(part) for part in found["loc"][1:]) or "the request"
    rule = str(found["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
    return f"{name} must be {rule}; got {found.get('input')!r:.80}."


def _http(request: Request, error: Exception) -> Response:
    """What the router refuses."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    details = {
        404: f"There is nothing at {path:.200}. /api/openapi.json lists what there is.",
        405: f"{path:.200} does not take {request.method:.20}. /api/openapi.json says what it takes.",
    }
    detail = details.get(error.status_code, str(error.detail))
    return Problem(error.status_code, detail, error.headers).response()
