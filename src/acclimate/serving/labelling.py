"""The page on which the examples of an audit are labelled: one at a time, saved at every answer, taken up again."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

import acclimate
from acclimate.errors import RequestError
from acclimate.runs.answer_sheet import NONE_OF_THESE, read_sheet, write_sheet
from acclimate.runs.audits import Asked
from acclimate.serving import problems
from acclimate.serving.guard import Guard
from acclimate.serving.problems import Problem
from acclimate.serving.searching import Limits
from acclimate.serving.slots import Slots
from acclimate.serving.static import PAGE, PICTURE_TYPES, showing

PAGE_OF_LABELS = Path(__file__).parent / "label_page"
_SHARED = ("style.css", "icon.svg", "api.js")


class Labeller:
    """The labels of an audit as they are given, in a CSV that `acclimate audit --answers` reads.

    Args:
        asked: the audit.
        path: of the CSV; what stands in one that is there already is gone on with.
        command: reads it when it is full.

    Raises:
        DataError: if the CSV that is there is of another audit.
    """

    def __init__(self, asked: Asked, path: Path, command: str) -> None:
        self.asked, self.path, self.command = asked, path, command
        self._saving = threading.Lock()
        given = read_sheet(path)[1] if path.is_file() else {}
        known = {item.name for item in asked.items}
        self._labels = {name: label for name, label in given.items() if name in known and label}

    @property
    def labels(self) -> dict[str, str]:
        """Those that were given, by item."""
        return dict(self._labels)

    def give(self, name: str, label: str | None) -> int:
        """Keep the label of an item, or none, on disk before this returns.

        Returns:
            How many items have one.

        Raises:
            RequestError: for an unknown item, or a label that is no class.
            WorkError: if it cannot be written; the label is not kept then.
        """
        if name not in {item.name for item in self.asked.items}:
            raise RequestError("item", "must be one of this audit", repr(name)[:100], "Load the page again.")
        if label is not None and label not in (*self.asked.classes, NONE_OF_THESE):
            raise RequestError(
                "label", "must be one of the audit's classes", repr(label)[:100], "Load the page again."
            )
        with self._saving:
            labels = {one: said for one, said in self._labels.items() if one != name}
            if label is not None:
                labels[name] = label
            write_sheet(self.path, self.asked, labels)
            self._labels = labels
        return len(labels)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Example(_Answer):
    """An example to label."""

    name: str
    id: str = Field(description="Where it stands in the target.")
    kind: Literal["text", "file", "values", "nothing"] = Field(description="What there is to look at.")
    text: str = Field(description="The text or the values; empty for a picture, at /api/pictures/{name}.")
    label: str | None


class Questions(_Answer):
    """An audit: what is asked, and what has been answered."""

    title: str
    classes: list[str] = Field(description="Answers there are, the last of which is for none of the others.")
    items: list[Example]
    command: str = Field(description="Tells the accuracy when all are labelled.")
    saved: str = Field(description="The file that every answer is saved to.")


class Given(_Answer):
    """An answer to a question."""

    label: str | None = Field(description="A class; null takes the answer back.")


class Kept(_Answer):
    """That an answer is on disk."""

    labelled: int = Field(description="How many examples have a label.")


def _labeller(request: Request) -> Labeller:
    labeller: Labeller = request.app.state.labeller
    return labeller


Of = Annotated[Labeller, Depends(_labeller)]
api = APIRouter(prefix="/api")


@api.get("/health")
async def health() -> dict[str, str]:
    """Tell that the server answers."""
    return {"status": "ok"}


@api.get("/questions")
async def questions(request: Request, labeller: Of) -> Questions:
    """Tell what is asked, and what has been answered."""
    asked, labels = labeller.asked, labeller.labels
    return Questions(
        title=request.app.state.title,
        classes=[*asked.classes, NONE_OF_THESE],
        items=[
            Example(
                name=item.name,
                id=item.id,
                kind=item.kind,
                text="" if item.kind == "file" else item.shown,
                label=labels.get(item.name),
            )
            for item in asked.items
        ],
        command=labeller.command,
        saved=str(labeller.path),
    )


@api.put("/questions/{name}")
def give(labeller: Of, name: str, given: Given) -> Kept:
    """Answer a question; the answer is on disk when this returns."""
    return Kept(labelled=labeller.give(name, given.label))


@api.get("/pictures/{name}", response_class=Response)
async def picture(labeller: Of, name: str) -> Response:
    """Show a picture that is asked about."""
    item = next((one for one in labeller.asked.items if one.name == name and one.kind == "file"), None)
    path = None if item is None else Path(item.shown)
    if path is None or not path.is_file() or path.suffix.lower() not in PICTURE_TYPES:
        raise Problem(404, f"There is no picture of {name!r:.100}. Put its file back, or label it in a spreadsheet.")
    return FileResponse(path, media_type=PICTURE_TYPES[path.suffix.lower()], headers={"Cache-Control": "no-cache"})


def create_label_app(
    labeller: Labeller, title: str, *, limits: Limits | None = None, hosts: Iterable[str] = ()
) -> FastAPI:
    """The app of an audit.

    Args:
        labeller: keeps the labels.
        title: of the run.
        limits: as of `app.create_app`.
        hosts: likewise.
    """
    limits = limits or Limits()

    app = FastAPI(
        title="acclimate serve --audit",
        version=acclimate.__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.labeller, app.state.title = labeller, title
    problems.install(app)
    app.include_router(api)
    for path in (*(PAGE / name for name in _SHARED), *sorted(PAGE_OF_LABELS.iterdir())):
        app.add_route("/" if path.name == "index.html" else f"/{path.name}", showing(path))
    app.add_middleware(Guard, hosts=tuple(hosts), slots=Slots(limits.requests), limits=limits)
    return app
