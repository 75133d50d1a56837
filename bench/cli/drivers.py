"""`pilotbench drivers`: what a bench file may name, built in and from other packages."""

from __future__ import annotations

import inspect
import sys

from ...drivers.registry import driver_class, kinds, origin, shadowed
from ...errors import BenchError
from .output import write_document

__all__ = ["drivers_command"]


def drivers_command(*, json: bool) -> int:
    """List them; one that cannot be imported is told, and makes the exit code 4."""
    told: list[dict[str, str]] = []
    for kind in kinds():
        entry = {"driver": kind, "from": origin(kind)}
        try:
            made = driver_class(kind)
            summary = (inspect.getdoc(made) or "").splitlines()
            entry |= {"role": made.role, "energises": "yes" if made.energising else "no"}
            entry["text"] = summary[0] if summary else ""
        except BenchError as error:
            entry["error"] = str(error)
        told.append(entry)
    for point in shadowed():
        package = "another package" if point.dist is None else f"{point.dist.name} {point.dist.version}"
        error = f"{point.value} is never used: pilotbench has a driver of this name itself. Give it another one."
        told.append({"driver": point.name, "from": package, "error": error})
    code = BenchError.exit_code if any("error" in entry for entry in told) else 0
    if json:
        write_document({"drivers": told, "exit_code": code})
        return code
    width = max(len(entry["driver"]) for entry in told)
    for entry in told:
        text = entry.get("error") or f"{entry['role']:8} {entry['text']}"
        other = "" if entry["from"] == "pilotbench" else f"  ({entry['from']})"
        sys.stdout.write(f"{entry['driver']:{width}}  {text}{other}\n")
    return code
