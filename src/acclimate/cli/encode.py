"""`acclimate encode`: photos of the user's own as features of a frozen encoder."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acclimate.cli.console import duration, err, out, print_json, print_notes, table
from acclimate.cli.paths import check_new_file
from acclimate.errors import DataError, RequestError

if TYPE_CHECKING:
    from acclimate.data.domain import Domain
    from acclimate.networks.encoder import PhotoEncoder


def encode(
    photos: Annotated[
        str, typer.Argument(help="Folder of photos, one sub-folder per class or loose; or a .npz of images.")
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT.npz", help="File to write; it must not exist yet.")],
    encoder: Annotated[
        str, typer.Option(help="mobilenetv2, or timm:<model> for one of timm's, such as timm:resnet50.")
    ] = "mobilenetv2",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, …")] = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what there is and how long it takes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Turn photos into features with a pretrained encoder, once; every method for vectors takes them from there.

    Class folders become labels and paths ids. Give the files to `acclimate adapt` as --source and --target. What is
    encoded is kept: stopped, the same command goes on.
    """
    from acclimate.runs.files import write_atomically
    from acclimate.training.trainer import Interrupted

    check_new_file("out", output, ".npz")
    _check_photos(photos)
    network = _encoder(encoder, device)
    if dry_run:
        _print_plan(photos, network, as_json)
        return
    try:
        features = _features(photos, network, quiet=as_json)
    except Interrupted as stop:
        again = shlex.join(["acclimate", "encode", photos, str(output), "--encoder", encoder])
        said = f"Stopped: {stop.step:,} of {stop.steps:,} photos are encoded and kept. Go on with: {again}"
        err.print(said, markup=False, soft_wrap=True)
        raise typer.Exit(130) from None
    from acclimate.data.readers.arrays_out import write_arrays

    write_atomically(output, lambda path: write_arrays(features, path))
    _print_result(features, network, output, as_json)


def _encoder(name: str, device: str) -> PhotoEncoder:
    """The encoder of that name, where it is to run."""
    from acclimate.errors import AbsentError
    from acclimate.networks.photo_encoder import load_photo_encoder
    from acclimate.training.processes import Processes

    try:
        found = load_photo_encoder(name)
    except RequestError as error:  # which speaks of the training option of that name
        fix = error.fix.replace("--set photo_encoder=", "--encoder ")
        kind = AbsentError if isinstance(error, AbsentError) else RequestError
        raise kind(
            "encoder" if error.argument == "photo_encoder" else error.argument, error.rule, error.got, fix
        ) from None
    found.network.to(Processes(device).device)
    return found


def _check_photos(photos: str) -> None:
    """Refuse what holds no photos, each with where it belongs, before an encoder is loaded."""
    from acclimate.data.places import place
    from acclimate.data.readers import holds_texts

    path = place(photos, "photos")
    if path.is_dir():
        if not holds_texts(path):
            return
        fix = "For texts there is: acclimate data encode-texts"
        raise DataError("photos", "must hold photos", f"{photos!r}, a folder of texts", fix)
    if not path.exists():
        fix = "Check the spelling and the current folder."
        raise RequestError("photos", "must exist", repr(photos), fix)
    if path.suffix.lower() not in (".npz", ".mat"):
        packed = path.suffix.lower() in (".tar", ".gz", ".tgz", ".zip")
        fix = f"Unpack it first, for example with: tar -xf {photos}" if packed else "Give the folder that holds them."
        raise DataError("photos", "must hold photos: a folder of them, or a .npz of images", repr(photos), fix)


def _features(photos: str, encoder: PhotoEncoder, quiet: bool) -> Domain:
    from acclimate.cli.progress import LiveProgress
    from acclimate.cli.work import stop_signals
    from acclimate.running.photos import encode_folder
    from acclimate.training.hooks import Progress

    with LiveProgress(quiet, unit=("photo", "photos")) as live, stop_signals() as stopped:
        if not Path(photos).expanduser().is_dir():
            return _of_arrays(photos, encoder, lambda done, total: live(Progress("Encoding", done, total, {})))
        return encode_folder(
            photos,
            encoder,
            progress=lambda done, total: live(Progress("Encoding", done, total, {})),
            stopped=stopped,
        )


def _of_arrays(photos: str, encoder: PhotoEncoder, progress: Any) -> Domain:
    """Features of the images in a file."""
    from acclimate.data.readers import read
    from acclimate.inputs.encode import encode as encode_domain

    images = read(photos, name="photos")
    if images.kind != "images":
        fix = "Features need no encoder: give the file to `acclimate adapt` as it is."
        raise DataError("photos", "must hold images", images.in_words, fix)
    return encode_domain(images, lambda done: progress(done, len(images)), encoder)


def _print_plan(photos: str, encoder: PhotoEncoder, as_json: bool) -> None:
    from acclimate.data.readers import read
    from acclimate.data.readers.folders import labels_of
    from acclimate.data.readers.images import find_images
    from acclimate.running.photos import seconds_per_photo, width

    if Path(photos).expanduser().is_dir():
        images = find_images(photos)
        count, classes = len(images.files), labels_of(images.files)[1]
        seconds = count * seconds_per_photo(images, encoder)
    else:
        domain = read(photos, name="photos")
        count, classes, seconds = len(domain), domain.classes, None
    facts = {
        "photos": count,
        "classes": list(classes),
        "encoder": encoder.name,
        "features": width(encoder),
        "seconds": None if seconds is None else round(seconds, 1),
    }
    if as_json:
        print_json(facts)
        return
    rows = table("", "")
    for key, value in facts.items():
        shown = f"{value:,}" if isinstance(value, int) else ", ".join(value) if isinstance(value, list) else value
        if key != "seconds":
            rows.add_row(key, str(shown or "none: loose photos"))
    out.print(rows)
    if seconds is not None:
        out.print(
            f"\nAbout {duration(seconds)} on this machine; what is kept from before takes none. Nothing was written."
        )


def _print_result(features: Domain, encoder: PhotoEncoder, output: Path, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "out": str(output),
                "n": len(features),
                "features": features.array.shape[1],
                "labelled": features.num_labelled,
                "classes": list(features.classes),
                "encoder": encoder.name,
                "weights": encoder.digest,
                "notes": list(features.notes),
            }
        )
        return
    print_notes(features.notes)
    out.print(f"Wrote {features.in_words} to {output}.", soft_wrap=True, markup=False, highlight=False)
    pair = ("--source", str(output), "--target", "OTHER.npz")
    if not features.num_labelled:
        pair = ("--source", "LABELLED.npz", "--target", str(output))
    out.print(f"Go on with: {shlex.join(['acclimate', 'adapt', *pair])}", soft_wrap=True, markup=False)
