"""`pilotbench twin …`: what the virtual bench can do, and what can be wrong with it."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["twin_app"]

twin_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at the virtual bench and its faults.")


@twin_app.command("faults")
def faults(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables of docs/twin-faults.md.")] = False,
) -> None:
    """List the faults and oddities, the case in which each shows, and the rules that should see it."""
    from .twin_faults import faults_command

    raise typer.Exit(faults_command(json=json, markdown=markdown))
