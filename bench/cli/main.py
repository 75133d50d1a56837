"""`pilotbench …`: the commands. Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ... import __version__
from ...errors import BenchError, ConfigError
from .rules import LimitsOption, PackOption, rules_app
from .twin import twin_app
from .upkeep import add_upkeep

__all__ = ["app", "main"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Hardware-in-the-loop test bench controller for EV chargers.",
)

app.add_typer(rules_app, name="rules")
app.add_typer(twin_app, name="twin")
add_upkeep(app)

BenchOption = Annotated[
    Path | None, typer.Option("--bench", metavar="FILE", help="Bench file (default: the virtual bench).")
]
OcppOption = Annotated[
    str | None,
    typer.Option("--ocpp", metavar="VERSION", help="What the station speaks: 1.6, 2.0.1, 2.1."),
]


@app.command()
def run(
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE…]", help="Cases to run (default: session).")
    ] = None,
    bench: BenchOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write into exactly this folder (default: runs/…).")
    ] = None,
    station_fault: Annotated[
        str | None, typer.Option(metavar="NAME", help="Let the simulated station misbehave; 'list' shows the names.")
    ] = None,
    station_oddity: Annotated[
        str | None, typer.Option(metavar="NAME", help="Let the simulated station be strange but conforming.")
    ] = None,
    twin_fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:arg=value,…]",
            help="Break the twin, from the start or as once=, after_s= and for_s= say; may be given several times.",
        ),
    ] = None,
    ocpp: OcppOption = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the twin's noise and delays.")] = None,
    wait_station: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long to wait for the station, e.g. '3 min'.")
    ] = None,
    attach: Annotated[
        bool, typer.Option("--attach", help="The simulated station connects without a boot, as one that was on before.")
    ] = False,
    external_station: Annotated[
        bool,
        typer.Option(
            "--external-station", help="Start no simulated station: wait for yours on the DUT port (docs/dut-port.md)."
        ),
    ] = False,
    keep_state: Annotated[
        bool,
        typer.Option(
            "--keep-state", help="Leave transactions, profiles and reservations of earlier runs in the station."
        ),
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document with verdicts and digest, and nothing else.")
    ] = False,
) -> None:
    """Run cases on a bench, judge the rules, and leave a run folder behind."""
    from .run import RunRequest, run_command

    request = RunRequest(
        cases=tuple(cases or ("session",)),
        bench=bench,
        out=out,
        station_fault=station_fault,
        station_oddity=station_oddity,
        seed=seed,
        wait_station=wait_station,
        attach=attach,
        external_station=external_station,
        keep_state=keep_state,
        json=json,
        ocpp=ocpp,
        twin_fault=tuple(twin_fault or ()),
    )
    raise typer.Exit(run_command(request))


@app.command()
def check(
    recording: Annotated[Path, typer.Argument(metavar="RUN.mcap", help="A recording, or the folder of a run.")],
    pack: PackOption = None,
    limits: LimitsOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else.")] = False,
) -> None:
    """Judge a recording again, offline: the same verdicts, the same digest; or with other packs."""
    from .check import check_command

    raise typer.Exit(check_command(recording, pack or (), limits or (), json=json))


@app.command()
def show(
    recording: Annotated[Path, typer.Argument(metavar="RUN.mcap", help="A recording, or the folder of a run.")],
    at: Annotated[str | None, typer.Option("--at", metavar="EVENT", help="An event by its id, e.g. pilot#42.")] = None,
    before: Annotated[
        str | None, typer.Option(metavar="TIME", help="How much to show before it, e.g. '2 s' (default: 500 ms).")
    ] = None,
    after: Annotated[str | None, typer.Option(metavar="TIME", help="How much to show after it.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else.")] = False,
) -> None:
    """Show what a recording holds: its sessions and marks, or one event and what is around it."""
    from .show import show_command

    raise typer.Exit(show_command(recording, at, before=before, after=after, json=json))


@app.command()
def csms(
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Where to listen; port 0: any free one.")
    ] = "127.0.0.1:9000",
    record: Annotated[
        Path | None, typer.Option("--record", metavar="DIR", help="Record everything into this folder (run.mcap).")
    ] = None,
    security_profile: Annotated[
        int, typer.Option(metavar="N", help="The least security profile: 0 none, 1 password, 2 TLS, 3 mutual TLS.")
    ] = 0,
    accept: Annotated[
        str, typer.Option(metavar="any|FILE", help="Who may connect and charge; FILE is TOML, see docs/csms.md.")
    ] = "any",
    strict: Annotated[
        bool, typer.Option("--strict", help="Answer every violation by an error, not only those that must be.")
    ] = False,
    boot: Annotated[
        list[str] | None,
        typer.Option(
            "--boot", metavar="STATUS", help="Answer to the first boots, in order: Accepted, Pending, Rejected."
        ),
    ] = None,
    heartbeat: Annotated[
        int, typer.Option(metavar="SECONDS", min=1, help="Interval given with an accepted boot.")
    ] = 60,
    public_host: Annotated[
        str | None, typer.Option(metavar="HOST", help="How stations reach this machine, if not by --listen.")
    ] = None,
    files_port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="Of the file exchange; 0: any free one.")
    ] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not print what comes.")] = False,
) -> None:
    """Run the back end alone for a real charger: show and record what comes, answer everything, sign certificates."""
    from .csms import CsmsRequest, csms_command

    request = CsmsRequest(
        listen=listen,
        record=record,
        security_profile=security_profile,
        accept=accept,
        strict=strict,
        boots=tuple(boot or ()),
        heartbeat_s=heartbeat,
        public_host=public_host,
        files_port=files_port,
        quiet=quiet,
    )
    raise typer.Exit(csms_command(request))


@app.command()
def station(
    url: Annotated[str, typer.Option("--url", metavar="URL", help="Of the back end, e.g. ws://127.0.0.1:9000/CP001.")],
    ocpp: Annotated[str, typer.Option("--ocpp", metavar="VERSION", help="1.6, 2.0.1 or 2.1.")] = "1.6",
    password: Annotated[
        str | None, typer.Option(metavar="TEXT", help="For Basic authentication (security profiles 1 and 2).")
    ] = None,
    ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PEM: roots of the back end's certificate (wss).")
    ] = None,
    cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PEM: the station's certificate chain (security profile 3).")
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM: its key.")] = None,
    fault: Annotated[str | None, typer.Option(metavar="NAME", help="Let it misbehave.")] = None,
    oddity: Annotated[str | None, typer.Option(metavar="NAME", help="Let it be strange but conforming.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of delays and waits.")] = 1,
    session: Annotated[bool, typer.Option("--session", help="Play one session by itself, then end.")] = False,
    card: Annotated[str, typer.Option(metavar="ID", help="The card of that session.")] = "04A2B3C4D5",
) -> None:
    """Run the simulated station alone against any back end: plug, card ID, charge, pause, unplug, quit on stdin."""
    from .station import StationRequest, station_command

    request = StationRequest(
        url=url,
        ocpp=ocpp,
        password=password,
        ca=ca,
        cert=cert,
        key=key,
        fault=fault,
        oddity=oddity,
        seed=seed,
        session=session,
        card=card,
    )
    raise typer.Exit(station_command(request))


@app.command()
def arm(
    bench: Annotated[Path | None, typer.Option("--bench", metavar="FILE", help="Bench file.")] = None,
    duration: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="For how long, e.g. 8h; at most 24h.")
    ] = None,
    faults: Annotated[
        str, typer.Option(metavar="A,B", help="Faults and relays beside a plain session, e.g. diode,rcd.")
    ] = "",
    csms: Annotated[
        str, typer.Option(metavar="A,B", help="What the back end may do to the station: firmware, reset, security.")
    ] = "",
    at_the_bench: Annotated[
        str | None,
        typer.Option("--yes-i-am-at-the-bench", metavar="NAME", help="The bench's name, where nobody can type it."),
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="Show what is armed, and do nothing else.")] = False,
) -> None:
    """Permit a bench with real hardware to energise, for a while; whoever does it stands at the bench."""
    from .arm import ArmRequest, arm_command, status_command

    if status:
        raise typer.Exit(status_command(bench))
    if bench is None or duration is None:
        raise ConfigError("give the bench and the time: pilotbench arm --bench FILE --for 8h.")
    words = [tuple(word.strip() for word in text.split(",") if word.strip()) for text in (faults, csms)]
    raise typer.Exit(arm_command(ArmRequest(bench, duration, words[0], words[1], at_the_bench)))


@app.command()
def disarm(
    bench: Annotated[Path, typer.Option("--bench", metavar="FILE", help="Bench file.")],
) -> None:
    """End the permission to energise; a run that is up makes its bench safe."""
    from .arm import disarm_command

    raise typer.Exit(disarm_command(bench))


@app.command()
def tui(
    bench: BenchOption = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write into exactly this folder.")] = None,
    station_fault: Annotated[
        str | None, typer.Option(metavar="NAME", help="Let the simulated station misbehave.")
    ] = None,
    ocpp: OcppOption = None,
) -> None:
    """Open the screen on a running bench."""
    from .screen import tui_command

    raise typer.Exit(tui_command(bench, out, station_fault, ocpp))


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"pilotbench {__version__}")
        raise typer.Exit


def main() -> None:
    """Entry point of the `pilotbench` command: one clear paragraph for what goes wrong, and its exit code."""
    from .output import keep_streams

    keep_streams()
    try:
        app()
    except BenchError as error:
        sys.stderr.write(f"pilotbench: {error}\n")
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - whatever it is, a user reads a sentence
        from .closing import one_line

        sys.stderr.write(f"pilotbench: {one_line(error)}\n")
        sys.exit(BenchError.exit_code)
