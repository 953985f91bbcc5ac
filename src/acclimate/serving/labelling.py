"""The page on which the examples of an audit are labelled: one at a time, saved at every answer, taken up again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

import acclimate
from acclimate.errors import RequestError
from acclimate.runs.answer_sheet import NONE_OF_THESE, read_sheet, write_sheet
from acclimate.runs.audits import Asked
from acclimate.serving import problems
from acclimate.serving.arrivals import Arrivals
from acclimate.serving.bodies import received
from acclimate.serving.description import described, may_fail
from acclimate.serving.guard import Guard
from acclimate.serving.problems import Problem
from acclimate.serving.searching import Limits
from acclimate.serving.slots import Slots, client_of
from acclimate.serving.static import PAGE, PICTURE_TYPES, WholeFile, showing

PAGE_OF_LABELS = Path(__file__).parent / "label_page"
# Of an answer: the name of a class, and JSON around it.
_MOST_BYTES = 10_000
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


@dataclass(frozen=True, slots=True)
class _State:
    title: str
    labeller: Labeller
    slots: Slots
    arrivals: Arrivals


def _state(request: Request) -> _State:
    return cast("_State", request.app.state.of_audit)


State = Annotated[_State, Depends(_state)]
api = APIRouter(prefix="/api")


@api.get("/health")
async def health() -> dict[str, str]:
    """Tell that the server answers."""
    return {"status": "ok"}


@api.get("/questions", responses=may_fail())
async def questions(state: State) -> Questions:
    """Tell what is asked, and what has been answered."""
    labeller = state.labeller
    asked, labels = labeller.asked, labeller.labels
    return Questions(
        title=state.title,
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


@api.put(
    "/questions/{name}",
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": Given.model_json_schema()}}}
    },
    responses=may_fail(
        s400="An unknown item or label, or no JSON.",
        s408="It took too long to arrive.",
        s413="Too many bytes.",
        s500="It cannot be kept.",
    ),
)
async def give(request: Request, state: State, name: str) -> Kept:
    """Answer a question; the answer is on disk when this returns."""
    content = await received(request, state.arrivals, _MOST_BYTES, "answer")
    try:
        label = Given.model_validate_json(content).label
    except ValidationError:
        example = json.dumps({"label": state.labeller.asked.classes[0]}, ensure_ascii=False)
        detail = (
            f"label must be a class or null, in JSON such as {example}; got {content!r:.80}. Load the page again."
        )
        raise Problem(400, detail) from None
    with state.slots.take(client_of(request.scope)):
        return Kept(labelled=await run_in_threadpool(state.labeller.give, name, label))


@api.get("/pictures/{name}", response_class=Response, responses=may_fail(s404="There is no such picture."))
async def picture(state: State, name: str) -> Response:
    """Show a picture that is asked about."""
    item = next((one for one in state.labeller.asked.items if one.name == name and one.kind == "file"), None)
    path = None if item is None else Path(item.shown)
    if path is None or not path.is_file() or path.suffix.lower() not in PICTURE_TYPES:
        raise Problem(404, f"There is no picture of {name!r:.100}. Put its file back, or label it in a spreadsheet.")
    return WholeFile(path, media_type=PICTURE_TYPES[path.suffix.lower()], headers={"Cache-Control": "no-cache"})


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
    state = _State(title, labeller, Slots(limits.requests), Arrivals(limits))
    app = FastAPI(
        title="acclimate serve --audit",
        version=acclimate.__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.openapi = lambda: described(app)  # type: ignore[method-assign]
    app.state.of_audit = state
    problems.install(app)
    app.include_router(api)
    for path in (*(PAGE / name for name in _SHARED), *sorted(PAGE_OF_LABELS.iterdir())):
        app.add_route("/" if path.name == "index.html" else f"/{path.name}", showing(path))
    app.add_middleware(Guard, hosts=tuple(hosts), slots=state.slots, limits=limits)
    return app
