"""The commands that keep a bench in order; each imports what it needs when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["add_upkeep"]

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else.")]


def add_upkeep(app: typer.Typer) -> None:
    """Add drivers, devices, doctor, calibrate and schema to the command line."""
    for command in (drivers, devices, doctor, calibrate, schema):
        app.command()(command)


def drivers(json: JsonOption = False) -> None:
    """List the drivers a bench file may name, those of other packages too."""
    from .drivers import drivers_command

    raise typer.Exit(drivers_command(json=json))


def devices(
    modbus: Annotated[
        str | None,
        typer.Option(
            "--modbus", metavar="PORT[@BAUD,8N1]", help="Ask this segment who is on it, e.g. /dev/ttyUSB0@9600,8N1."
        ),
    ] = None,
    units: Annotated[str, typer.Option(metavar="RANGE", help="Units to ask, e.g. 1-20.")] = "1-20",
    json: JsonOption = False,
) -> None:
    """Find serial ports, CAN interfaces and (with --modbus) Modbus units, and suggest bench-file lines."""
    from .devices import devices_command

    raise typer.Exit(devices_command(modbus, units=units, json=json))


def doctor(
    bench: Annotated[
        Path | None, typer.Option("--bench", metavar="FILE", help="Bench file (default: the virtual bench).")
    ] = None,
    watch: Annotated[str, typer.Option(metavar="TIME", help="How long to listen to the devices.")] = "3 s",
    json: JsonOption = False,
) -> None:
    """Open every device, make it safe, listen, and say what is wrong and what would mend it."""
    from .doctor import doctor_command

    raise typer.Exit(doctor_command(bench, watch, json=json))


def calibrate(
    bench: Annotated[Path, typer.Option("--bench", metavar="FILE", help="Bench file.")],
    device: Annotated[str | None, typer.Argument(metavar="[DEVICE]", help="Left out: show all.")] = None,
    values: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE…]", help="What was found, e.g. accuracy='0.5 %'.")
    ] = None,
    due: Annotated[str | None, typer.Option(metavar="DATE", help="Until when it counts, e.g. 2027-11-21.")] = None,
    on: Annotated[str | None, typer.Option(metavar="DATE", help="When it was done (default: today).")] = None,
    operator: Annotated[str | None, typer.Option(metavar="NAME", help="Who did it (default: the user).")] = None,
    certificate: Annotated[str | None, typer.Option(metavar="TEXT", help="Number of its certificate.")] = None,
) -> None:
    """Store what a calibration found, with date, due date and operator; without values show what is stored."""
    from .calibrate import calibrate_command

    code = calibrate_command(bench, device, values or (), due=due, on=on, operator=operator, certificate=certificate)
    raise typer.Exit(code)


def schema() -> None:
    """Print the JSON Schema of bench files, for editors."""
    from ..upkeep.schema import bench_schema
    from .output import write_document

    write_document(bench_schema())
