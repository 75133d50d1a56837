"""Names of variables of OCPP 2.x: what is written is read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.csms.v2x.names import component_entry, variable_entry
from pilotbench.bench.csms.v2x.variables import variable_name
from pilotbench.errors import CsmsError

NAME = st.text("abcXYZ019_-", min_size=1, max_size=8)
INSTANCE = st.none() | st.text("abc.019@#: ", min_size=1, max_size=6)
PLACE = st.none() | st.tuples(st.integers(0, 9), st.none() | st.integers(0, 9))
KIND = st.sampled_from(["Actual", "Target", "MinSet", "MaxSet"])


@given(NAME, INSTANCE, PLACE, NAME, INSTANCE, KIND)
def test_what_is_written_is_read_back(
    name: str,
    instance: str | None,
    place: tuple[int, int | None] | None,
    variable: str,
    of_variable: str | None,
    kind: str,
) -> None:
    entry: dict[str, dict[str, object]] = {"component": {"name": name}, "variable": {"name": variable}}
    if instance:
        entry["component"]["instance"] = instance
    if place:
        evse = {"id": place[0], "connectorId": place[1]}
        entry["component"]["evse"] = {key: value for key, value in evse.items() if value is not None}
    if of_variable:
        entry["variable"]["instance"] = of_variable
    whole = entry if kind == "Actual" else {**entry, "attributeType": kind}
    assert variable_entry(variable_name(whole)) == whole
    assert component_entry(variable_name(entry)) == entry


def test_a_component_alone_is_one_in_a_report() -> None:
    assert component_entry("EVSE@2") == {"component": {"name": "EVSE", "evse": {"id": 2}}}
    assert component_entry("A[b.c]") == {"component": {"name": "A", "instance": "b.c"}}


@pytest.mark.parametrize("name", ["", "A", "A.", ".B", "A.B#Never", "A@x.B", "A[.B", "A.B[c"])
def test_what_is_no_name_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(CsmsError, match=r"Write Component\.Variable"):
        variable_entry(name)
