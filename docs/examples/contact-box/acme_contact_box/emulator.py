"""An emulator of the contact box on a pseudo terminal: `python -m acme_contact_box.emulator box`.

`box` becomes a link to the port. It writes what it is told and what it does to standard output. A closed port says
nothing to it; only its own watchdog opens the contactor.
"""

from __future__ import annotations

import os
import select
import sys
import time
import tty
from pathlib import Path

WATCHDOG_S = 2.0


def main(link: Path) -> None:
    """Serve until standard input ends."""
    master, slave = os.openpty()  # the slave is kept open, so that clients may come and go
    tty.setraw(slave)
    link.symlink_to(os.ttyname(slave))
    print("ready", flush=True)
    closed, stuck, rest, fed = False, False, b"", time.monotonic()
    while True:
        ready, _, _ = select.select([master, sys.stdin], [], [], 0.05)
        if sys.stdin in ready:
            word = os.read(sys.stdin.fileno(), 64)
            if not word:
                break
            stuck = word.strip() == b"stuck"  # the contactor welds
        if master in ready:
            rest += os.read(master, 1024)
        *lines, rest = rest.split(b"\n")
        for line in lines:
            fed = time.monotonic()
            answer = b"ERR"
            match line.strip():
                case b"":
                    continue
                case b"ID?":
                    answer = b"ACME CB1 0042 1.3"
                case b"K?":
                    answer = b"K 1" if closed else b"K 0"
                case b"T?":
                    answer = b"T 31.5" if closed else b"T 23.4"
                case b"K 0" | b"K 1":
                    wanted = line.strip() == b"K 1"
                    if wanted is not closed and not stuck:
                        closed = wanted
                        print("closed" if closed else "open", flush=True)
                    answer = b"OK"
            os.write(master, answer + b"\n")
        if closed and not stuck and time.monotonic() - fed > WATCHDOG_S:
            closed = False
            print("open, by the watchdog", flush=True)
    link.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
