"""Which packs and limits a command is about: by name, by file, or those of a bench."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ...errors import ConfigError, RuleError
from ..config import HW_CONFIGS, data_file, load_bench_file
from ..correlation import NamedRule, Pack, load_pack
from ..timeline import did_you_mean

__all__ = ["Loaded", "limit_files", "load_packs", "one_rule", "pack_file", "shipped_packs"]


class Loaded(NamedTuple):
    """One pack with the file it was read from."""

    name: str
    file: Path
    pack: Pack


def shipped_packs() -> list[str]:
    """Names of the packs that come with the program."""
    return sorted(path.stem for path in (HW_CONFIGS / "rules").glob("*.toml"))


def pack_file(name: str) -> Path:
    """The file of a pack: a shipped one by its name, or any by its path.

    Raises:
        ConfigError: there is none; lists the shipped ones.
    """
    return _file(name, "rules", "pack")


def limit_files(names: Sequence[str]) -> list[Path]:
    """The files of limits, by name or path; all the shipped ones where none is named.

    Raises:
        ConfigError: one is not there.
    """
    if not names:
        return sorted((HW_CONFIGS / "limits").glob("*.toml"))
    return [_file(name, "limits", "limits file") for name in names]


def load_packs(names: Sequence[str], limits: Sequence[str] = (), bench: Path | None = None) -> list[Loaded]:
    """Read packs, each by itself, with all limits of the bench (without a bench: the shipped ones).

    Without `names` those of the bench, and without a bench all that are shipped.

    Raises:
        ConfigError, RuleError: something is not there or wrong.
    """
    files = [pack_file(name) for name in names]
    known = limit_files(limits)
    if bench is not None:
        about = load_bench_file(bench)
        files = files or [data_file(about, "rules", name, ".toml") for name in about.rules.packs]
        if not limits:
            known = [data_file(about, "limits", name, ".toml") for name in about.rules.limits]
    if not files:
        files = [pack_file(name) for name in shipped_packs()]
    return [Loaded(file.stem, file, load_pack([file], known)) for file in dict.fromkeys(files)]


def one_rule(loaded: Sequence[Loaded], rule_id: str) -> list[tuple[Loaded, NamedRule]]:
    """The rules of this name, one from each pack that has it.

    Raises:
        RuleError: no pack has it; names the nearest.
    """
    found = [(item, rule) for item in loaded for rule in item.pack.rules if rule.id == rule_id]
    if not found:
        known = {rule.id for item in loaded for rule in item.pack.rules}
        packs = ", ".join(item.name for item in loaded)
        raise RuleError(f"no rule {rule_id!r}{did_you_mean(rule_id, known)} in {packs}; see `pilotbench rules list`")
    return found


def _file(name: str, folder: str, what: str) -> Path:
    path = Path(name)
    if path.is_file():
        return path
    shipped = {item.stem: item for item in (HW_CONFIGS / folder).glob("*.toml")}
    if name in shipped:
        return shipped[name]
    hint = did_you_mean(name, shipped)
    raise ConfigError(
        f"there is no {what} {name!r}{hint}. Give the name of a shipped one ({', '.join(sorted(shipped))}) or a file."
    )
