"""A shipped bench file of real devices, with each of its ports made by the twin instead."""

from __future__ import annotations

import re

from pilotbench.bench.config import HW_CONFIGS

PORT = re.compile(r'^port = "(.*)"', re.MULTILINE)


def on_the_twin(name: str) -> str:
    """The text of that file: what shares a port shares it here, too, and the back end listens on a free port."""
    text = (HW_CONFIGS / f"{name}.toml").read_text(encoding="utf-8")
    names: dict[str, str] = {}

    def port(found: re.Match[str]) -> str:
        return f'port = "twin:{names.setdefault(found[1], f"wire{len(names)}")}"'

    head, devices = text.split("[device.", 1)
    head = head.replace("#:schema ./bench.schema.json\n", "")
    head = head.replace('listen = "192.168.50.1"\nport = 9000', 'listen = "127.0.0.1"\nport = 0')
    text = f"{head}[device.{PORT.sub(port, devices)}"
    return text if "[twin]" in text else f"{text}\n[twin]\nseed = 1\n"
