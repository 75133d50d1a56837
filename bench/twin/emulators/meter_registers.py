"""What the twin's meters have in their registers, model by model.

Written from the data sheets' lists, and from nothing that the bench reads its meters by: a number that is wrong on one
side must not be wrong on the other. Power factor is 1 and reactive power 0 everywhere.

Sources: Eastron "Modbus Protocol Implementation" (SDM630, SDM120, SDM72); ABB 2CMC485003M0201 chapter 9; Carlo Gavazzi
"EM24-DIN" and "EM300 series" communication protocols; Schneider DOCA0005EN; Siemens L1V30415167B tables A-3 and A-11;
Janitza 1.033.034; SunSpec models 1, 203 and 213.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..model.energy_meter import Reading

__all__ = ["MODELS", "Model", "Value"]

Value = tuple[int, int, tuple[int, ...]]
"""Function, first address, and the words of one value."""


@dataclass(frozen=True, slots=True)
class Model:
    """One make of meter.

    Attributes:
        values: what it shows.
        areas: (function, first address, registers) that exist; what no value fills is 0.
        most: registers that it gives at once.
        whole: it refuses a request that begins or ends within a value.
    """

    values: Callable[[Reading], Iterator[Value]]
    areas: tuple[tuple[int, int, int], ...]
    most: int = 125
    whole: bool = False


def _words(layout: str, *numbers: float | int | bytes) -> tuple[int, ...]:
    data = struct.pack(layout, *numbers)
    return struct.unpack(f">{len(data) // 2}H", data)


def _float(value: float) -> tuple[int, ...]:
    return _words(">f", value)


def _low_first(value: float, step: float) -> tuple[int, ...]:
    """Carlo Gavazzi: a signed number of steps, its low word first."""
    high, low = _words(">i", round(value / step))
    return low, high


def _hertz(reading: Reading) -> float:
    return 50.0 if max(reading.voltage_v) > 0.0 else 0.0


def _text(text: str, registers: int) -> tuple[int, ...]:
    return _words(f">{2 * registers}s", text.encode())


def _sdm630(reading: Reading) -> Iterator[Value]:
    for phase in range(3):
        step = 2 * phase
        yield 4, 0x00 + step, _float(reading.voltage_v[phase])
        yield 4, 0x06 + step, _float(reading.current_a[phase])
        yield 4, 0x0C + step, _float(reading.power_w[phase])
        yield 4, 0x12 + step, _float(reading.power_w[phase])
        yield 4, 0x1E + step, _float(1.0)
        yield 4, 0x15A + step, _float(reading.phase_energy_wh[phase] / 1000.0)
    total_w = sum(reading.power_w)
    yield 4, 0x34, _float(total_w)
    yield 4, 0x38, _float(total_w)
    yield 4, 0x3E, _float(1.0)
    yield 4, 0x46, _float(_hertz(reading))
    yield 4, 0x48, _float(reading.energy_wh / 1000.0)
    yield 4, 0x156, _float(reading.energy_wh / 1000.0)


def _sdm120(reading: Reading) -> Iterator[Value]:
    yield 4, 0x00, _float(reading.voltage_v[0])
    yield 4, 0x06, _float(reading.current_a[0])
    yield 4, 0x0C, _float(reading.power_w[0])
    yield 4, 0x12, _float(reading.power_w[0])
    yield 4, 0x1E, _float(1.0)
    yield 4, 0x46, _float(_hertz(reading))
    yield 4, 0x48, _float(reading.energy_wh / 1000.0)
    yield 4, 0x156, _float(reading.energy_wh / 1000.0)


def _sdm72(reading: Reading) -> Iterator[Value]:
    yield 4, 0x34, _float(sum(reading.power_w))
    yield 4, 0x48, _float(reading.energy_wh / 1000.0)
    yield 4, 0x156, _float(reading.energy_wh / 1000.0)


def _b23(reading: Reading) -> Iterator[Value]:
    yield 3, 0x5000, _words(">Q", round(reading.energy_wh / 10.0))
    yield 3, 0x5004, (0, 0, 0, 0)
    for phase in range(3):
        yield 3, 0x5B00 + 2 * phase, _words(">I", round(reading.voltage_v[phase] * 10))
        yield 3, 0x5B0C + 2 * phase, _words(">I", round(reading.current_a[phase] * 100))
        yield 3, 0x5B16 + 2 * phase, _words(">i", round(reading.power_w[phase] * 100))
        yield 3, 0x5460 + 4 * phase, _words(">Q", round(reading.phase_energy_wh[phase] / 10.0))
    yield 3, 0x5B12, (0xFFFF, 0xFFFF)  # neutral current: this type has none
    yield 3, 0x5B14, _words(">i", round(sum(reading.power_w) * 100))
    yield 3, 0x5B2C, (round(_hertz(reading) * 100),)
    yield 3, 0x8900, _words(">I", 20261121)
    yield 3, 0x8960, _text("B23 112-100", 6)


def _em(reading: Reading, *, factor: int, hertz: int, energy: int) -> Iterator[Value]:
    for phase in range(3):
        step = 2 * phase
        yield 4, 0x00 + step, _low_first(reading.voltage_v[phase], 0.1)
        yield 4, 0x0C + step, _low_first(reading.current_a[phase], 0.001)
        yield 4, 0x12 + step, _low_first(reading.power_w[phase], 0.1)
        yield 4, factor + phase, (1000,)
    yield 4, 0x28, _low_first(sum(reading.power_w), 0.1)
    yield 4, factor + 3, (1000,)
    yield 4, hertz, (round(_hertz(reading) * 10),)
    yield 4, energy, _low_first(reading.energy_wh / 1000.0, 0.1)


def _em24(reading: Reading) -> Iterator[Value]:
    yield from _em(reading, factor=0x32, hertz=0x37, energy=0x42)


def _em340(reading: Reading) -> Iterator[Value]:
    yield from _em(reading, factor=0x2E, hertz=0x33, energy=0x34)


def _em24_e1(reading: Reading) -> Iterator[Value]:
    yield from _em340(reading)
    yield 4, 0x0B, (1648,)


def _iem3155(reading: Reading) -> Iterator[Value]:
    yield 3, 29, _text("Energy Meter", 20)
    yield 3, 49, _text("iEM3155", 20)
    yield 3, 69, _text("Schneider Electric", 20)
    for phase in range(3):
        step = 2 * phase
        yield 3, 2999 + step, _float(reading.current_a[phase])
        yield 3, 3027 + step, _float(reading.voltage_v[phase])
        yield 3, 3053 + step, _float(reading.power_w[phase] / 1000.0)
    yield 3, 3059, _float(sum(reading.power_w) / 1000.0)
    yield 3, 3109, _float(_hertz(reading))
    yield 3, 3203, _words(">q", int(reading.energy_wh))
    yield 3, 3207, _words(">q", 0)


def _pac2200(reading: Reading) -> Iterator[Value]:
    for function in (3, 4):
        for offset in range(1, 42, 2):
            yield function, offset, _float(0.0)
        for offset in range(55, 72, 2):
            yield function, offset, _float(0.0)
        for phase in range(3):
            step = 2 * phase
            yield function, 1 + step, _float(reading.voltage_v[phase])
            yield function, 13 + step, _float(reading.current_a[phase])
            yield function, 25 + step, _float(reading.power_w[phase])
        yield function, 55, _float(_hertz(reading))
        yield function, 65, _float(sum(reading.power_w))
        yield function, 801, _words(">d", reading.energy_wh)
        yield function, 809, _words(">d", 0.0)
        yield function, 64001, (42, *_text("7KM2200-2EA30-1EA1", 10), *(0,) * 16)


def _umg604(reading: Reading) -> Iterator[Value]:
    for phase in range(3):
        step = 2 * phase
        for voltage, current, power in ((19000, 19012, 19020), (1317, 1325, 1333)):
            yield 3, voltage + step, _float(reading.voltage_v[phase])
            yield 3, current + step, _float(reading.current_a[phase])
            yield 3, power + step, _float(reading.power_w[phase])
        yield 3, 19062 + step, _float(reading.phase_energy_wh[phase])
    for power, hertz in ((19026, 19050), (1369, 1439)):
        yield 3, power, _float(sum(reading.power_w))
        yield 3, hertz, _float(_hertz(reading))
    yield 3, 19068, _float(reading.energy_wh)


_ABSENT = (0x8000,)


def _sunspec(meter: Callable[[Reading, int], Iterator[Value]], number: int, length: int) -> Model:
    """The marker, the common model, one of somebody else, the meter's, the end."""

    def values(reading: Reading) -> Iterator[Value]:
        yield 3, 40000, _text("SunS", 2)
        yield 3, 40002, (1, 66)
        for at, text, registers in ((2, "Twin", 16), (18, f"SM{number}", 16), (42, "1.0", 8), (50, "SN-0042", 16)):
            yield 3, 40002 + at, _text(text, registers)
        yield 3, 40070, (64110, 4)
        yield 3, 40076, (number, length)
        yield from meter(reading, 40076)
        yield 3, 40078 + length, (0xFFFF, 0)

    return Model(values, ((3, 40000, 80 + length),))


def _model203(reading: Reading, at: int) -> Iterator[Value]:
    def whole(value: float) -> tuple[int, ...]:
        return _words(">h", round(value))

    for phase in range(3):
        yield 3, at + 3 + phase, whole(reading.current_a[phase] * 100)
        yield 3, at + 8 + phase, whole(reading.voltage_v[phase] * 10)
        yield 3, at + 19 + phase, whole(reading.power_w[phase])
    yield 3, at + 2, whole(sum(reading.current_a) * 100)
    yield 3, at + 6, whole(-2)
    yield 3, at + 7, whole(sum(reading.voltage_v) * 10 / 3)
    yield 3, at + 15, whole(-1)
    yield 3, at + 16, whole(_hertz(reading) * 100)
    yield 3, at + 17, whole(-2)
    yield 3, at + 18, whole(sum(reading.power_w))
    yield 3, at + 22, whole(0)
    for offset in range(23, 37):
        yield 3, at + offset, _ABSENT  # apparent and reactive power
    yield 3, at + 37, _ABSENT
    yield 3, at + 46, _words(">I", int(reading.energy_wh))
    yield 3, at + 54, whole(0)


def _model213(reading: Reading, at: int) -> Iterator[Value]:
    for offset in range(2, 124, 2):
        yield 3, at + offset, (0x7FC0, 0)  # not a number
    for phase in range(3):
        step = 2 * phase
        yield 3, at + 4 + step, _float(reading.current_a[phase])
        yield 3, at + 12 + step, _float(reading.voltage_v[phase])
        yield 3, at + 30 + step, _float(reading.power_w[phase])
    yield 3, at + 2, _float(sum(reading.current_a))
    yield 3, at + 26, _float(_hertz(reading))
    yield 3, at + 28, _float(sum(reading.power_w))
    yield 3, at + 60, _float(0.0)
    yield 3, at + 68, _float(reading.energy_wh)


_EASTRON = ((4, 0x0000, 0x60), (4, 0x0156, 0x34), (3, 0x0000, 0x10000))
"""It knows no holding register here, but answers with zeros for any."""

MODELS: dict[str, Model] = {
    "sdm630": Model(_sdm630, _EASTRON, most=80),
    "sdm120": Model(_sdm120, _EASTRON, most=80),
    "sdm72": Model(_sdm72, _EASTRON, most=60),
    "sdm72-v2": Model(_sdm630, _EASTRON, most=60),
    "b23": Model(_b23, ((3, 0x5000, 8), (3, 0x5460, 24), (3, 0x5B00, 0x3E), (3, 0x8900, 2), (3, 0x8960, 6))),
    "em24": Model(_em24, ((4, 0x00, 0x5E),), most=11),
    "em340": Model(_em340, ((4, 0x00, 0x50),), most=50),
    "em24-e1": Model(_em24_e1, ((4, 0x00, 0x50),), most=50),
    "iem3155": Model(_iem3155, ((3, 29, 60), (3, 2999, 14), (3, 3027, 6), (3, 3053, 8), (3, 3109, 2), (3, 3203, 8))),
    "pac2200": Model(
        _pac2200,
        tuple((f, first, n) for f in (3, 4) for first, n in ((1, 42), (55, 18), (801, 4), (809, 4), (64001, 27))),
        whole=True,
    ),
    "umg604": Model(_umg604, ((3, 1317, 30), (3, 1333, 20), (3, 1369, 4), (3, 1439, 2), (3, 19000, 122))),
    "sunspec-203": _sunspec(_model203, 203, 105),
    "sunspec-213": _sunspec(_model213, 213, 124),
}
"""Name, as a setting of the emulator, -> the meter."""
