"""`acclimate index`: a folder of photos made ready to be searched."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acclimate.cli.console import err, out, print_json, print_notes
from acclimate.cli.use import JsonFlag, RunArgument, check_run

if TYPE_CHECKING:
    from acclimate.running.picture_models import RunEncoder
    from acclimate.serving.gallery import Gallery, Update

IndexOption = Annotated[Path | None, typer.Option("--index", help="Folder of the index. [RUN/index]")]

FOLDER = "index"


def index(
    run: RunArgument,
    photos: Annotated[Path, typer.Argument(help="Folder of photos, with any folders in it.")],
    folder: IndexOption = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Start anew: the index is damaged, or of another model or other photos.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Index a folder of photos for `acclimate search`, or bring its index up to date.

    Only photos that are new or have changed are encoded. The photos themselves are never touched.
    """
    check_run(run)
    from acclimate.cli.progress import LiveProgress
    from acclimate.cli.work import stop_signals
    from acclimate.serving.gallery import Gallery
    from acclimate.serving.ledger import refuse_used
    from acclimate.serving.photos import photo_folder

    photo_folder(photos)
    folder = folder or run / FOLDER
    refuse_used(folder)
    encoder = run_encoder(run)
    with LiveProgress(quiet=as_json, unit=("photo", "photos")) as live, stop_signals() as stopped:
        gallery, update = Gallery.build(
            photos, folder, encoder, rebuild=rebuild, progress=_shown_by(live), stopped=stopped
        )
    if as_json:
        print_json(_as_json(gallery, update, folder))
    else:
        _print_update(gallery, update, folder)
    if update.left:
        again = shlex.join(["acclimate", "index", str(run), str(photos), "--index", str(folder)])
        kept = f"{len(gallery):,} photos are indexed and can be searched; {update.left:,} are left."
        err.print(f"Stopped: {kept} Go on with: {again}", markup=False, soft_wrap=True)
        raise typer.Exit(130)
    if not as_json:
        again = shlex.join(["acclimate", "search", str(run), *index_words(run, folder)])
        out.print(f"Search them with: {again} sketch.png", markup=False, soft_wrap=True)


def run_encoder(run: Path) -> RunEncoder:
    """The model of a run of images."""
    from acclimate.running.adaptation import load
    from acclimate.running.picture_models import RunEncoder

    return RunEncoder(load(run))


def _shown_by(live: Any) -> Any:
    """What tells the live line of each phase's progress."""
    from acclimate.training.hooks import Progress

    return lambda phase, done, total: live(Progress(phase, done, total, {}))


def index_words(run: Path, folder: Path) -> list[str]:
    """The words that name an index, unless it is the run's own."""
    return [] if folder == run / FOLDER else ["--index", str(folder)]


def _as_json(gallery: Gallery, update: Update, folder: Path) -> dict[str, Any]:
    return {
        "index": str(folder),
        "photos": str(gallery.root),
        "n": len(gallery),
        "new": len(update.new),
        "changed": len(update.changed),
        "unchanged": len(update.unchanged),
        "removed": list(update.removed),
        "moved": update.moved,
        "copies": update.copies,
        "failed": update.failed,
        "others": update.others,
        "left": update.left,
        "photos_per_second": update.rate,
    }


def _print_update(gallery: Gallery, update: Update, folder: Path) -> None:
    from acclimate.serving.sync import reasons

    rate = f" {update.rate:,.0f} photos a second." if update.rate else ""
    out.print(f"{len(gallery):,} photos in {folder}: {update}.{rate}", markup=False, soft_wrap=True)
    if update.failed:
        out.print(f"Not indexed: {len(update.failed):,}", markup=False)
        for line in reasons(update.failed.items()):
            out.print(f"  {line}", markup=False, soft_wrap=True)
    if update.others:
        kinds = ", ".join(f"{count:,} {suffix or 'without a suffix'}" for suffix, count in update.others.items())
        print_notes([f"files left out because they are no photos: {kinds}."])
