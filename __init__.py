"""pilotbench: a hardware-in-the-loop test bench controller for EV chargers.

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_EXPORTS = {
    "Bench": "bench.host",
    "BenchError": "errors",
    "ConfigError": "errors",
    "CsmsError": "errors",
    "DeviceError": "errors",
    "DeviceLost": "errors",
    "RecordingError": "errors",
    "RuleError": "errors",
    "SafetyError": "errors",
    "StationTimeout": "errors",
    "TwinError": "errors",
}

__all__ = ["__version__", *_EXPORTS]


def __getattr__(name: str) -> Any:
    try:
        module = _EXPORTS[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(f".{module}", __name__), name)
