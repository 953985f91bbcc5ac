"""The `acclimate` command."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import acclimate
from acclimate.cli import (
    adapt,
    audit,
    benchmark,
    choose,
    compare,
    data,
    demo,
    diagnose,
    doctor,
    encode,
    export,
    folds,
    index,
    lists,
    search,
    serve,
    translate,
    use,
)
from acclimate.cli.console import err
from acclimate.cli.work import process_number
from acclimate.errors import AcclimateError, RequestError, disk_advice

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"acclimate {acclimate.__version__}")
        raise typer.Exit


def _hush(wanted: bool) -> None:
    err.quiet = wanted


@app.callback()
def _main(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", callback=_hush, help="No progress and no notes: results and errors.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Adapt a classifier from labelled data to data that look different.

    Start with `acclimate demo`, or with your own folders:

    acclimate adapt --source labelled/ --target photos/ --method mcd
    """


app.command()(demo.demo)
app.command()(diagnose.diagnose)
app.command()(adapt.adapt)
app.command()(adapt.resume)
app.command()(encode.encode)
app.command()(use.evaluate)
app.command()(use.predict)
app.command()(choose.choose)
app.command()(audit.audit)
app.command()(folds.cross_validate)
app.command()(translate.translate)
app.command()(export.export)
app.command()(benchmark.benchmark)
app.command()(index.index)
app.command()(search.search)
app.command()(serve.serve)
app.command()(use.report)
app.command()(compare.compare)
app.command()(lists.methods)
app.command()(lists.tasks)
app.command()(doctor.doctor)
app.add_typer(data.app, name="data")


def main() -> None:
    """Run the command; mistakes become one sentence and an exit code, not a traceback."""
    debug = "--debug" in sys.argv[1:]
    try:
        _check_words(sys.argv[1:])
        _check_command(sys.argv[1:])
        app(prog_name="acclimate")  # as it is called, also under python -m
    except AcclimateError as error:
        if debug:
            raise
        err.quiet = False
        number = process_number()
        where = f"Error in process {number}:" if number else "Error:"
        err.print(f"[bold red]{where}[/] {_escaped(str(error))}")
        sys.exit(error.exit_code)
    except OSError as error:
        # The last resort, where no sentence of its own was written for a path that cannot be used.
        if debug or error.errno is None:
            raise
        err.quiet = False
        place = f": {error.filename!r:.120}" if error.filename else ""
        said = f"{error.strerror}{place}. {disk_advice(error, 'choose another place')}"
        err.print(f"[bold red]Error:[/] {_escaped(said)}")
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("Stopped.")
        sys.exit(130)


def _check_words(words: list[str]) -> None:
    """Refuse what could be neither recorded nor printed: bytes that are no UTF-8."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise RequestError(
                "the command", "must be UTF-8 text", ascii(word), "Rename that file or folder."
            ) from None


def _check_command(words: list[str]) -> None:
    """Refuse a method in the place of a command, and say where it belongs."""
    first = next((word for word in words if not word.startswith("-")), "")
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    if not first or first in commands:
        return
    from acclimate.cli.completion import methods

    if first in methods():
        fix = f"Let it adapt: acclimate adapt --method {first} --source labelled/ --target photos/"
        raise RequestError("the command", "must not be a method's name", repr(first), fix)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
