"""Faults of the twin in words: the command line's form, the arguments of each, and the bench that has no twin."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.assembly import RunOptions
from pilotbench.bench.config import load_bench_file, virtual_bench
from pilotbench.bench.host import BenchHost
from pilotbench.bench.twin.faults import COMMON, FAULTS, FaultError, complete, table
from pilotbench.bench.twin.model.defects import DEFECTS
from pilotbench.bench.twin_control import parse_fault
from pilotbench.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cp-open", {"name": "cp-open"}),
        ("cp-short:ohm=80", {"name": "cp-short", "ohm": 80}),
        ("pp-changing: ohm=680 , over_s=2.5", {"name": "pp-changing", "ohm": 680, "over_s": 2.5}),
        ("contactor-welded:at_once=true,evse=2", {"name": "contactor-welded", "at_once": True, "evse": 2}),
        ("lock-blocked:direction=open", {"name": "lock-blocked", "direction": "open"}),
        ("serial-noise:device=pilot", {"name": "serial-noise", "device": "pilot"}),
    ],
)
def test_a_fault_on_the_command_line(text, message):
    assert parse_fault(text) == {"type": "fault", "on": True, **message}


@pytest.mark.parametrize("text", ["", ":ohm=80", "cp-short:80", "cp-short:=80", "cp-short:on=false", "cp-short:name=x"])
def test_what_is_no_fault_is_told_how_to_write_one(text):
    with pytest.raises(ConfigError, match="Write NAME"):
        parse_fault(text)


@given(st.text(max_size=40))
def test_any_text_is_a_fault_or_refused(text):
    try:
        message = parse_fault(text)
    except ConfigError:
        return
    assert message["name"]
    json.dumps(message)


def test_what_happens_at_an_outlet_is_done_by_the_model():
    assert {name for name, fault in FAULTS.items() if fault.of == "outlet"} == set(DEFECTS)


@pytest.mark.parametrize("name", FAULTS)
def test_defaults_are_in_range_and_the_list_is_plain_data(name):
    args = complete(name, {})
    assert complete(name, args) == args
    entry = next(one for one in table() if one["name"] == name)
    assert json.loads(json.dumps(entry)) == entry
    assert set(entry["arguments"]) == set(args) - set(COMMON)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_bench_never_blames_the_station(name):
    fault = FAULTS[name]
    if fault.whose in ("bench instrument", "mains", "vehicle", "cable"):
        assert fault.outcome != "station FAIL"
    assert (fault.outcome == "station FAIL") <= bool(fault.rules)
    assert (fault.outcome == "supervisor trip") == bool(fault.trip)


@given(
    st.sampled_from(sorted(FAULTS)), st.dictionaries(st.sampled_from(["ohm", "ma", "share", "for_s", "x"]), st.floats())
)
def test_arguments_are_complete_and_in_range_or_refused(name, args):
    try:
        done = complete(name, args)
    except FaultError:
        return
    assert set(done) == {*FAULTS[name].arguments, *COMMON}
    for key, value in args.items():
        assert done[key] == value == value  # never NaN


def test_a_real_bench_has_none_of_this(tmp_path):
    file = load_bench_file(virtual_bench().with_name("home-made-pilot.toml"))
    assert file.twin is None
    options = RunOptions(directory=tmp_path, twin_faults=(parse_fault("cp-open"),))
    with pytest.raises(ConfigError, match="needs the twin; this bench is real"):
        BenchHost(file, options=options)
