"""The HTTP interface and the page of a run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, cast

import numpy as np
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from starlette.convertors import Convertor, register_url_convertor

import acclimate
from acclimate.data.readers.pictures import Form, reason
from acclimate.errors import RequestError
from acclimate.serving import problems
from acclimate.serving.answers import (
    Found,
    Health,
    Info,
    Prediction,
    Predictions,
    found_of,
    info_of,
    predictions_of,
)
from acclimate.serving.arrivals import Arrivals
from acclimate.serving.bodies import received
from acclimate.serving.description import described, may_fail
from acclimate.serving.encoder import Classifier, Examiner
from acclimate.serving.examples import examine, form_of, read_examples
from acclimate.serving.guard import Guard
from acclimate.serving.problems import Problem
from acclimate.serving.searching import MOST_RESULTS, Limits, Photos, Served
from acclimate.serving.slots import Slots, client_of
from acclimate.serving.static import PAGE, PAGE_TYPES, PICTURE_TYPES, WholeFile, showing
from acclimate.serving.thumbnails import Thumbnails
from acclimate.serving.uploads import is_form, read_upload, read_uploads
from acclimate.serving.work import Workers

# A photo's name says nothing of its content, so it is not kept for long.
_BRIEFLY = {"Cache-Control": "private, max-age=300"}
_K = 24


@dataclass(frozen=True, slots=True)
class _State:
    served: Served
    limits: Limits
    slots: Slots
    arrivals: Arrivals
    workers: Workers
    thumbnails: Thumbnails


def _state(request: Request) -> _State:
    return cast("_State", request.app.state.of_run)


State = Annotated[_State, Depends(_state)]
K = Annotated[int, Query(ge=1, le=MOST_RESULTS, description="How many results.")]
_PICTURES = ("image/png", "image/jpeg", "image/webp", "image/bmp")
_PICTURE = {"type": "string", "format": "binary"}
_UPLOAD = {
    "requestBody": {
        "required": True,
        "description": "A picture: PNG, JPEG, WebP or BMP.",
        "content": {
            **{name: {"schema": _PICTURE} for name in _PICTURES},
            "multipart/form-data": {"schema": {"type": "object", "properties": {"image": _PICTURE}}},
        },
    }
}


_IMAGES = {"type": "array", "items": _PICTURE, "description": "Several pictures."}
_JSON = {
    "type": "object",
    "properties": {
        "texts": {"type": "array", "items": {"type": "string"}, "description": "Where the run reads texts."},
        "rows": {
            "type": "array",
            "items": {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "number"}}]},
            "description": "Where it reads a table, whose columns `/api/info` names, or features in their order.",
        },
    },
}
_QUESTIONS = {
    "requestBody": {
        "required": True,
        "description": "What the run reads: a picture (PNG, JPEG, WebP or BMP), a form of several, texts or rows.",
        "content": {
            **{name: {"schema": _PICTURE} for name in _PICTURES},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"image": _PICTURE, "images": _IMAGES}}
            },
            "application/json": {"schema": _JSON},
        },
    }
}
_OF_UPLOADS = {
    "s400": "No picture, or a wrong k.",
    "s408": "It took too long to arrive.",
    "s413": "Too many bytes or pixels.",
    "s415": "Not a picture.",
    "s422": "A picture that is damaged or shows nothing.",
    "s504": "It took too long.",
}


class _PhotoId(Convertor[str]):
    """A name of any letters, where the path of Starlette's own ends at a line break."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        """As it is."""
        return value

    def to_string(self, value: str) -> str:
        """As it is."""
        return value


register_url_convertor("photo", _PhotoId())
_OF_NAMES = {"s404": "No such photo is indexed."}
api = APIRouter(prefix="/api")


@api.get("/health")
async def health() -> Health:
    """Tell that the server answers."""
    return Health()


@api.get("/info")
async def info(state: State) -> Info:
    """Tell what is served, and its limits."""
    return info_of(state.served, state.limits)


@api.post("/search", openapi_extra=_UPLOAD, responses=may_fail(**_OF_UPLOADS, s409="Nothing is indexed."))
async def search(request: Request, state: State, k: K = _K) -> Found:
    """Find the photos that are most similar to a sketch."""
    photos = _photos(state)
    wanted = min(k, len(photos))
    assert state.served.form is not None  # photos are searched by pictures
    async with _asked(request, state, state.served.form) as picture:
        return await state.workers.together(
            wanted, picture, lambda pictures: [found_of(hits) for hits in photos.search(np.stack(pictures), wanted)]
        )


@api.post("/predict", openapi_extra=_QUESTIONS, responses=may_fail(**_OF_UPLOADS, s409="Photos are searched here."))
async def predict(request: Request, state: State) -> Prediction | Predictions:
    """Tell what an example is, before adaptation and after: a picture, or several pictures, texts or rows."""
    served = state.served
    if served.examiner is not None:
        return await _examined(request, state, served.examiner)
    if served.classifier is None:
        fix = "Ask /api/search, or serve a run that classifies and has no index."
        raise Problem(409, f"Photos are searched here, and no classes are told apart. {fix}")
    return await _classified(request, state, served.classifier)


async def _classified(request: Request, state: _State, classifier: Classifier) -> Prediction | Predictions:
    contents, several = await read_uploads(request, state.limits, state.arrivals)
    form = classifier.form("target")
    with state.slots.take(client_of(request.scope)):
        async with state.workers.patience(request):
            pictures = [await state.workers.decoded(request, content, form) for content in contents]
            if several:
                found = await state.workers.with_model(lambda: predictions_of(classifier, np.stack(pictures)))
                return Predictions(predictions=found, notes=[])
            return await state.workers.together(
                "predictions", pictures[0], lambda together: predictions_of(classifier, np.stack(together))
            )


async def _examined(request: Request, state: _State, examiner: Examiner) -> Predictions:
    if is_form(request):
        raise Problem(415, f"The body must be JSON, {form_of(examiner)}; got a form. This run reads no pictures.")
    content = await received(request, state.arrivals, state.limits.bytes, "request")
    with state.slots.take(client_of(request.scope)):
        async with state.workers.patience(request):
            examples = await state.workers.parsed(lambda: read_examples(content, examiner, state.limits))
            return await state.workers.with_model(lambda: examine(examiner, examples))


@asynccontextmanager
async def _asked(request: Request, state: _State, form: Form) -> AsyncIterator[np.ndarray]:
    """The picture of a request, decoded; from when it is there to the end the request has a slot, and a time."""
    content = await read_upload(request, state.limits, state.arrivals)
    with state.slots.take(client_of(request.scope)):
        async with state.workers.patience(request):
            yield await state.workers.decoded(request, content, form)


@api.get("/like/{id:photo}", responses=may_fail(**_OF_NAMES, s400="A wrong k.", s409="Nothing is indexed."))
async def like(request: Request, state: State, id: str, k: K = _K) -> Found:  # noqa: A002  # as in the address
    """Find the photos that are most similar to one of them."""
    photos = _photos(state)
    _path(photos, id)
    async with state.workers.patience(request):
        return await state.workers.with_model(lambda: found_of(photos.like(id, min(k, len(photos)))))


@api.get(
    "/photos/{id:photo}",
    response_class=Response,
    responses={
        200: {"content": {name: {} for name in sorted({*PICTURE_TYPES.values()})}, "description": "The picture."},
        **may_fail(**_OF_NAMES, s409="Nothing is indexed."),
    },
)
async def photo(
    request: Request,
    state: State,
    id: str,  # noqa: A002  # as in the address
    size: Annotated[
        Literal["thumbnail", "full"], Query(description="At most 320 pixels a side, or the file as it is.")
    ] = "thumbnail",
) -> Response:
    """Show an indexed photo."""
    path = _path(_photos(state), id)
    if not path.is_file():
        raise Problem(404, f"The photo {id!r:.200} is indexed, but its file is gone. Put it back, or index again.")
    if size == "full":
        return WholeFile(path, headers=_BRIEFLY, media_type=PICTURE_TYPES.get(path.suffix.lower()))
    async with state.workers.patience(request):
        content, media_type = await state.workers.with_pictures(_thumbnail(state.thumbnails, path, id))
    return Response(content, headers=_BRIEFLY, media_type=media_type)


def _thumbnail(thumbnails: Thumbnails, path: Path, name: str) -> Callable[[], tuple[bytes, str]]:
    def work() -> tuple[bytes, str]:
        try:
            return thumbnails.of(path)
        except Exception as error:  # Pillow raises errors of many types on damaged files
            detail = f"The photo {name!r:.200} is indexed, but its file cannot be read: {reason(error):.200}."
            raise Problem(404, f"{detail} Put it back, or index again.") from None

    return work


def _photos(state: _State) -> Photos:
    photos = state.served.photos
    if photos is None or len(photos) == 0:
        detail = f"Nothing is indexed yet. Run {state.served.index_command}, then start the server again."
        raise Problem(409, detail)
    return photos


def _path(photos: Photos, name: str) -> Path:
    try:
        return photos.path(name)
    except RequestError as error:
        raise Problem.of(error, 404) from None


def create_app(served: Served, *, limits: Limits | None = None, hosts: Iterable[str] = ()) -> FastAPI:
    """The app of a run.

    Args:
        served: what there is to offer.
        limits: of what may be asked for; the default ones if None.
        hosts: names and addresses by which the server may be asked, besides this machine's own.
    """
    limits = limits or Limits()
    state = _State(
        served, limits, Slots(limits.requests), Arrivals(limits), Workers(limits), Thumbnails(limits.thumbnail_bytes)
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        state.workers.stop()

    # The pages that FastAPI brings to show OpenAPI load scripts from elsewhere; page/api.html is our own.
    app = FastAPI(
        title="acclimate serve",
        version=acclimate.__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.openapi = lambda: described(app)  # type: ignore[method-assign]
    app.state.of_run = state
    problems.install(app)
    app.include_router(api)
    front = "index.html" if served.examiner is None else "ask.html"
    for path in sorted(PAGE.iterdir()):
        if path.suffix in PAGE_TYPES:
            app.add_route("/" if path.name == front else f"/{path.name}", showing(path))
    app.add_middleware(Guard, hosts=tuple(hosts), slots=state.slots, limits=limits)
    return app


def warm_up(served: Served, most: int = Limits().batch) -> None:
    """Ask once alone and once with others, so that no visitor waits for what is set up only then.

    Args:
        served: what is asked.
        most: questions in one go.
    """
    if served.form is None:
        return
    picture = np.zeros(served.form.shape, dtype=np.uint8)
    picture[: served.form.size // 2] = 255
    for count in (1, most):
        pictures = np.stack([picture] * count)
        if served.photos is not None and len(served.photos):
            served.photos.search(pictures, 1)
        if served.classifier is not None:
            served.classifier.after(pictures)
            served.classifier.before(pictures)
