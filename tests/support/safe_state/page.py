"""The head of `docs/safe-state.md`: what the figures say and what they do not."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

__all__ = ["HEAD", "TITLES", "measured_on"]

TITLES = {
    "guardian": "Guardian alone: no emulator has a working watchdog",
    "watchdog": "Watchdog alone: the guardian is stopped just before the cause, and killed after it",
    "both": "Both",
}

HEAD = """# Safe state, measured

`make safe-state` wrote this page; do not edit it. It answers one question: when the program that runs the bench
dies, hangs, fails or is told to stop, how long does it take until nothing is energised any more?

## What was done

Each run is a pytest session of its own on the virtual bench, on the plugin's own fixtures. It is brought to a
*state*, and then the *cause* happens, with the instant written down:

- idle; plugged (CP at B); charging (output live, more than 6 A); welded (charging, and the contactor's contacts
  stick; the pilot emulator of this bench has a relay in the station's supply).
- SIGTERM, SIGHUP, SIGINT, SIGKILL, to the process or to its whole process group; hung loop (the bench's event loop
  never comes back from a call); hung device thread (the pilot's reader never comes back from its read); an
  exception in the test; an exception in a fixture's teardown; unplugged pilot (its serial port is gone while the
  pilot runs on); full disk (neither the owner nor the guardian can write another byte to a file).

All of this three times, since one net can hide that the other one is torn: with the guardian alone, with the
firmware watchdog alone (1 s at the pilot, 0.5 s at the EV simulator), and with both. In the second the guardian is
stopped by a signal right before the cause, so that the bench does not miss it first. What hangs then hangs on, since
nobody is left to end it: the harness does, 2.5 s later. A bench whose event loop still runs notices that its guardian
is gone, and makes itself safe at once; so in this part SIGKILL and hung loop are those where the watchdog has to act.

SIGKILL, hung loop and hung device thread while charging are played 30 times, everything else 5 times.

## What was judged

By the log of the model and its emulators alone; what the bench says of itself counts for nothing. Each figure is
the time from the cause until it held **and went on to hold until the end**, in milliseconds, as median / worst:

- *CP at A*: the pilot emulator has taken its resistor off, or the model's vehicle is unplugged.
- *load off*: the vehicle draws nothing.
- *output dead*: no phase is live behind the contactor. 0 where nothing was on before.

A run **failed** when one of the three never held or held later than the *limit*, a process was left behind, a lock
of a port or a bench was still held, the run ended with exit code 0, or, welded, the station's supply was not opened
or nobody said why. It failed as well when the state had not been reached, so that
nothing was tried.

The limits: SIGKILL 250 ms and a hang 850 ms (600 ms of silence, then 250 ms) where there is a guardian; 1100 ms
(the watchdog's second, and 100 ms) where there is none. Where the bench itself still can make safe in order, it
does so, which takes as long as its current takes to fall, its contactor to open and its proof to come: at most 10
s.

*Out of reach*: an unplugged pilot without a watchdog is a pilot that nobody can command. There the load has to go
off, and the run has to end by saying NOT SAFE; that CP stays where it was is not held against it, and it is
printed.

*Late*: later than the limit, but by no more than the time in which the machine did not let the model or the harness
run (they note each gap of more than 20 ms). Lateness is excused by that and printed; an output that stays live
never is. A machine that stands still while a bench starts may have its guardian end it before the state is reached:
that run is begun anew, and counted.

## What this does not prove

- It is the virtual bench. The model's contactor opens 10 to 30 ms after CP is at A; a station may take 100 ms (IEC
  61851-1), a relay in a supply and its contactor as long again. On copper that comes on top.
- Serial ports here are pseudo-terminals on the same machine. A USB adapter adds its latency (up to 16 ms a step), a
  remote port its network; and what is remote may be out of the guardian's reach.
- The operating system works. A kernel that hangs, a machine without power: only the firmware watchdog and the
  hard-wired stop help there, and the second of them is no part of this.
- The figures are those of a machine with nothing else to do but these benches. On one that is overloaded everything is
  later, and a guardian may end a bench that was only slow. See [safety](safety.md) for the layers.

## The figures

"""


def measured_on(jobs: int, minutes: float) -> str:
    """On what, and how; the last words of the head."""
    return (
        f"Measured with pilotbench {version('pilotbench')}, Python {platform.python_version()} on "
        f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, {jobs} benches at once, "
        f"{minutes:.0f} minutes.\n\n"
    )
