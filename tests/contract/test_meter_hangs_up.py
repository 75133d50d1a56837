"""A gateway that takes the connection and hangs up, as one does whose sessions are all taken."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pilotbench.bench.timeline import ClosedGate
from pilotbench.drivers.meter.map_file import load_map
from pilotbench.drivers.registry import create
from pilotbench.errors import DeviceError

from driver_rig import CONFIGS, Rig


@pytest.fixture(params=[False, True], ids=["at once", "when asked"])
def gateway(request: pytest.FixtureRequest) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)

        def serve() -> None:
            try:
                while True:
                    there, _ = listening.accept()
                    with there:
                        if request.param:
                            there.recv(100)
            except OSError:
                return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)


def test_opening_ends_with_a_sentence(rig: Rig, gateway: str) -> None:
    register_map = load_map(CONFIGS / "meters" / "eastron-sdm630.toml")
    source = rig.timeline.source("meter")
    driver: Any = create("meter.modbus", "meter", source, ClosedGate(), port=gateway, register_map=register_map)
    with pytest.raises(DeviceError, match=r"meter on tcp://"):
        rig.run(driver.open())
    assert not driver.is_open
