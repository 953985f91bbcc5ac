"""`acclimate data`: which public data sets there are, what to know about them, and how to bring them here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acclimate.cli import completion
from acclimate.cli.console import err, out, print_json, print_notes, table
from acclimate.cli.paths import check_new_file, check_new_folder
from acclimate.errors import RequestError

if TYPE_CHECKING:
    from acclimate.data.catalog.base import Dataset
    from acclimate.data.packs import Imported

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="List, explain, download and import public data sets."
)

_NAME = "Name of the data set, as in `acclimate data list`."
JsonFlag = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


@app.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """List the public data sets and which are here."""
    from acclimate.discovery import datasets

    facts = [_overview(component.load()()) for component in datasets().values()]
    if as_json:
        print_json(facts)
        return
    rows = table("name", "data set", "splits", "here")
    rows.columns[0].no_wrap = True
    rows.columns[1].max_width = 19  # leaves the longest split its line on a screen of 80 columns
    rows.columns[2].min_width = max(len(split) + 1 for fact in facts for split in fact["splits"])
    for fact in facts:
        rows.add_row(fact["name"], fact["title"], ", ".join(fact["splits"]), _in_words(fact["splits"].values()))
    out.print(rows)
    out.print("\nMore on one of them: acclimate data info NAME")


@app.command()
def info(
    name: Annotated[str, typer.Argument(help=_NAME, autocompletion=completion.datasets)],
    as_json: JsonFlag = False,
) -> None:
    """Explain a data set.

    What it holds, where it comes from, under which terms, and what goes wrong with it.
    """
    from acclimate.data import catalog
    from acclimate.data.home import raw_folder

    data = catalog.dataset(name)
    if as_json:
        print_json(_details(data))
        return
    out.print(f"[bold]{data.title}[/] ({data.name})")
    out.print(_summary(data), markup=False)
    out.print()
    facts = table("", "")
    facts.show_header = False
    for label, value in (
        ("source", data.source),
        ("page", data.page),
        ("licence", data.licence),
        ("classes", f"{len(data.classes)}: {', '.join(data.classes)}"),
        ("folder", str(raw_folder(name)) if data.needs else ""),
    ):
        if value:
            facts.add_row(label, _plain(value))
    out.print(facts)
    out.print()
    rows = table("split", "examples", "here", "official files", numbers=("examples",))
    for split in data.splits:
        files = " and ".join(names[0] for names in data.needs.get(split, ())) or "none needed"
        rows.add_row(split, _count(data, split), _here(data, split), files)
    out.print(rows)
    _print_list("\nWhat to know:", data.traps)
    absent = [split for split in data.splits if not data.is_here(split) and split not in data.optional]
    if absent:
        out.print()
        out.print(data.how_to_get(*absent), markup=False, soft_wrap=not out.is_terminal)


@app.command()
def get(
    name: Annotated[str, typer.Argument(help=_NAME, autocompletion=completion.datasets)],
    split: Annotated[
        list[str] | None,
        typer.Option("--split", help="Only this split; repeat for several. Default: the usual ones."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Download and check a data set's official files.

    A download that was cut off goes on where it stopped.
    """
    from acclimate.data import catalog, download
    from acclimate.data.home import arrays_folder

    data = catalog.dataset(name)
    if size := download.size_left(data, split):
        err.print(f"Getting {data.title}, {size / 1e6:,.0f} MB.")
    found = download.get(data, split)
    if as_json:
        parts = {
            part: {"examples": len(domain), "folder": str(arrays_folder(name, part))}
            for part, domain in found.items()
        }
        print_json({"name": name, "splits": parts})
        return
    for part, domain in found.items():
        out.print(f"{part}: {len(domain):,} examples in {arrays_folder(name, part)}", markup=False, soft_wrap=True)


@app.command()
def export(
    name: Annotated[str, typer.Argument(help=_NAME, autocompletion=completion.datasets)],
    folder: Annotated[Path, typer.Argument(help="New or empty folder for the pictures.")],
    split: Annotated[str | None, typer.Option(help="Which split. [the first]")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write a data set's images as PNG files, one folder for each class.

    What commands for folders of pictures can be tried on.
    """
    from acclimate.data import catalog
    from acclimate.data.readers.pictures_out import write_pictures

    data = catalog.dataset(name)
    domain = data.load(split or next(iter(data.splits)))
    if domain.kind != "images":
        fix = "`acclimate data info NAME` tells what a data set holds."
        raise RequestError("name", "must be of a data set of images", f"{name!r}: {domain.in_words}", fix)
    check_new_folder("folder", folder)
    write_pictures(domain, folder)
    if as_json:
        print_json({"name": name, "pictures": len(domain), "folder": str(folder)})
        return
    out.print(f"Wrote {len(domain):,} pictures to {folder}.", soft_wrap=True, markup=False, highlight=False)


@app.command()
def encode(as_json: JsonFlag = False) -> None:
    """Compute features of the Office-Caltech-10 photos.

    MobileNetV2's, for the tasks `office_features:…`. For photos of your own: acclimate encode PHOTOS OUT.npz
    """
    from acclimate.data.catalog.office_features import OfficeCaltech10Encoded
    from acclimate.inputs.encode import encode_office

    counts = {}
    for split in OfficeCaltech10Encoded.splits:
        with err.status(f"{split}: encoding") as status:
            features = encode_office(split, lambda done, s=split: status.update(f"{s}: {done:,} photos encoded"))  # type: ignore[misc]
        counts[split] = len(features)
        if not as_json:
            out.print(f"{split}: {len(features):,} photos encoded", highlight=False)
    if as_json:
        print_json({"photos": counts})


@app.command("encode-texts")
def encode_texts(
    data: Annotated[str, typer.Argument(help="Texts: whatever `acclimate adapt` reads them from.")],
    encoder: Annotated[
        str, typer.Option(help="Folder of a transformers model, or its name on the Hugging Face Hub.")
    ],
    output: Annotated[Path, typer.Option("--out", help="File to write, .npz; it must not exist yet.")],
    text_column: Annotated[
        str | None, typer.Option(help="Column that holds the texts, of a table or JSON lines.")
    ] = None,
    label_column: Annotated[str | None, typer.Option(help="Column that holds the labels.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Turn texts into features with a pretrained sentence encoder.

    Labels and ids go with them; give the file to `acclimate adapt` as --source or --target.
    """
    from acclimate.data.readers import read
    from acclimate.data.readers.arrays_out import write_arrays
    from acclimate.inputs import encode
    from acclimate.networks.sentence_encoder import load_sentence_encoder
    from acclimate.runs.files import write_atomically

    check_new_file("out", output, ".npz")
    texts = read(data, text_column=text_column, label_column=label_column, name="data")
    network = load_sentence_encoder(encoder)
    with err.status("encoding") as status:
        features = encode.encode_texts(texts, network, lambda done: status.update(f"{done:,} texts encoded"))
    write_atomically(output, lambda path: write_arrays(features, path))
    if as_json:
        shape = {"n": len(features), "width": int(features.array.shape[1])}
        print_json({"out": str(output), **shape, "notes": list(features.notes)})
        return
    print_notes(features.notes)
    out.print(f"Wrote {features.in_words} to {output}.", soft_wrap=True, markup=False, highlight=False)


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="Folder of packs, with images/, features/ and encoders/.")],
    as_json: JsonFlag = False,
) -> None:
    """Take over data sets from a folder of packs.

    Encoders too. What is here already is left alone.
    """
    from acclimate.data import packs
    from acclimate.data.home import data_home

    def show(done: Imported) -> None:
        if done.gives and not as_json:
            out.print(f"{done.outcome:<13} {done.gives} ({done.file})", markup=False, soft_wrap=True)

    done = packs.import_folder(folder, show)
    if as_json:
        print_json({"data": str(data_home()), "packs": [asdict(item) for item in done]})
        return
    unused = [item.file for item in done if not item.gives]
    _print_list("\nNot needed yet:", unused)
    out.print(f"\nEverything is in {data_home()}", markup=False, soft_wrap=True)


def _overview(data: Dataset) -> dict[str, Any]:
    return {
        "name": data.name,
        "title": data.title,
        "summary": _summary(data),
        "splits": {split: data.is_here(split) for split in data.splits},
    }


def _details(data: Dataset) -> dict[str, Any]:
    from acclimate.data.home import raw_folder

    return {
        **_overview(data),
        "source": data.source,
        "page": data.page,
        "licence": data.licence,
        "classes": list(data.classes),
        "examples": dict(data.sizes),
        "content_hashes": dict(data.content_hashes),
        "traps": list(data.traps),
        "folder": str(raw_folder(data.name)),
        "files": [
            {"name": file.name, "urls": list(file.urls), "checksum": file.checksum, "bytes": file.size or None}
            for file in data.files
        ],
    }


def _summary(data: Dataset) -> str:
    return (type(data).__doc__ or "").partition("\n")[0]


def _count(data: Dataset, split: str) -> str:
    return f"{data.sizes[split]:,}" if split in data.sizes else "–"


def _in_words(here: Iterable[bool]) -> str:
    known = list(here)
    return "yes" if all(known) else "some" if any(known) else "no"


def _here(data: Dataset, split: str) -> str:
    """`"yes"`, `"no"`, or how many examples are here if not all are."""
    stored = data.stored_examples(split)
    if stored is not None and stored != data.sizes.get(split, stored):
        return f"{stored:,}"
    return "yes" if data.is_here(split) else "no"


def _plain(text: str) -> Any:
    from rich.text import Text

    return Text(text, overflow="fold")


def _print_list(heading: str, items: Iterable[str]) -> None:
    """A heading and one dash a line, with hanging indents; nothing if there are no items."""
    rows = table("", "")
    rows.show_header = False
    rows.padding = (0, 1, 0, 0)
    for item in items:
        rows.add_row("-", _plain(item))
    if rows.row_count:
        out.print(heading)
        out.print(rows)
