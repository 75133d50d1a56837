"""`pilotbench rules …`: the commands around rules. What they need is imported when one is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["LimitsOption", "PackOption", "rules_app"]

rules_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at rules, check packs, ask a bench.")

PackOption = Annotated[
    list[str] | None,
    typer.Option("--pack", metavar="NAME|FILE", help="A shipped pack or a file; may be given several times."),
]
LimitsOption = Annotated[
    list[str] | None,
    typer.Option("--limits", metavar="NAME|FILE", help="A limits file; may be given several times (default: shipped)."),
]
BenchOption = Annotated[Path | None, typer.Option("--bench", metavar="FILE", help="Take packs and limits of a bench.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else.")]


@rules_app.command("list")
def list_rules(
    pack: PackOption = None,
    limits: LimitsOption = None,
    bench: BenchOption = None,
    bounds: Annotated[bool, typer.Option("--bounds", help="How much each rule keeps in memory at most.")] = False,
    names: Annotated[bool, typer.Option("--names", help="The signals and events that a rule may name.")] = False,
    json: JsonOption = False,
) -> None:
    """List the rules of packs (default: of all that are shipped)."""
    from .rules_list import list_command

    raise typer.Exit(list_command(pack or (), limits or (), bench, bounds=bounds, names=names, json=json))


@rules_app.command()
def show(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The name of a rule.")],
    pack: PackOption = None,
    limits: LimitsOption = None,
    bench: BenchOption = None,
    json: JsonOption = False,
) -> None:
    """Show everything about one rule: its sentence, options, limits, what it reads and keeps."""
    from .rules_show import show_command

    raise typer.Exit(show_command(rule, pack or (), limits or (), bench, json=json))


@rules_app.command()
def fmt(
    pack: Annotated[str, typer.Argument(metavar="PACK", help="A shipped pack, or a file.")],
    rule: Annotated[list[str] | None, typer.Argument(metavar="[RULE…]", help="Only these rules.")] = None,
    to: Annotated[str, typer.Option("--to", metavar="python|toml", help="In which spelling.")] = "python",
    limits: LimitsOption = None,
) -> None:
    """Print a pack as Python, or in canonical TOML."""
    from .rules_show import fmt_command

    raise typer.Exit(fmt_command(pack, rule or (), to, limits or ()))


@rules_app.command()
def check(
    pack: Annotated[list[str], typer.Argument(metavar="PACK…", help="Shipped packs, or files.")],
    limits: LimitsOption = None,
    json: JsonOption = False,
) -> None:
    """Read packs with their limits, and say what is wrong, where, and what was meant."""
    from .rules_list import check_command

    raise typer.Exit(check_command(pack, limits or (), json=json))


@rules_app.command()
def doctor(
    bench: Annotated[
        Path | None, typer.Option("--bench", metavar="FILE", help="Bench file (default: the virtual bench).")
    ] = None,
    pack: PackOption = None,
    limits: LimitsOption = None,
    ocpp: Annotated[str | None, typer.Option(metavar="VERSION", help="What the station speaks.")] = None,
    json: JsonOption = False,
) -> None:
    """Say, before a run, which rules this bench can decide, how finely, and which it never can."""
    from .rules_doctor import doctor_command

    raise typer.Exit(doctor_command(bench, pack or (), limits or (), json=json, ocpp=ocpp))
