"""Transactions that outlive the back end: found again by outlet and by token, in both ways of numbering."""

from __future__ import annotations

from pathlib import Path

from pilotbench.bench.csms.state import KEEP_CLOSED, KEEP_RUNNING, CsmsState, KeptList, KeptTransaction, OpenTransaction


def test_what_runs_on_an_outlet_keeps_the_type_of_its_id(tmp_path: Path) -> None:
    state = CsmsState(tmp_path)
    state.begin(7, OpenTransaction("OLD", 1, "TAG", "0", "t"))
    state.keep("NEW", "7", KeptTransaction(evse=1, id_tag="tag", claim="t"))
    state.keep("NEW", "8", KeptTransaction(evse=2))
    again = CsmsState(tmp_path)
    assert again.recovered is None
    assert (again.open_on("OLD", 1), again.open_on("NEW", 1), again.open_on("NEW", 3)) == (7, "7", None)
    assert again.holders("Tag") == [("OLD", "7", 1), ("NEW", "7", 1)]
    again.keep("NEW", "7", KeptTransaction(evse=1, id_tag="tag", ended="t"))
    assert again.open_on("NEW", 1) is None
    assert again.ended("NEW", "7") is not None
    assert CsmsState(tmp_path).holders("TAG") == [("OLD", "7", 1)]


def test_a_station_that_never_ends_anything_does_not_fill_the_file(tmp_path: Path) -> None:
    state = CsmsState(tmp_path)
    for number in range(KEEP_RUNNING + 5):
        state.keep("CP", f"t{number}", KeptTransaction(evse=1))
    assert len(state.running("CP")) == KEEP_RUNNING
    assert state.open_on("CP", 1) == f"t{KEEP_RUNNING + 4}"
    for number in range(KEEP_CLOSED + 5):
        state.keep("CP", f"e{number}", KeptTransaction(ended="t"))
    assert state.ended("CP", "e0") is None
    assert state.ended("CP", f"e{KEEP_CLOSED + 4}") is not None


def test_nor_does_one_of_1_6(tmp_path: Path) -> None:
    state = CsmsState(tmp_path)
    state.begin(1, OpenTransaction("OTHER", 1, "TAG", "0", "t"))
    for number in range(2, KEEP_RUNNING + 7):
        state.begin(number, OpenTransaction("CP", 1, "TAG", "0", f"t{number}"))
    kept = state.open_transactions
    assert len(kept) == KEEP_RUNNING + 1
    assert {"1", str(KEEP_RUNNING + 6)} <= set(kept)
    assert "2" not in kept


def test_a_file_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    CsmsState(tmp_path).keep_list("CP", KeptList(3, {"a": {"idTag": "A"}}))
    assert CsmsState(tmp_path).local_list("CP") == KeptList(3, {"a": {"idTag": "A"}})
    old = '{"format":1,"next_transaction":5,"open":{"4":{"station":"CP","connector":1,"id_tag":"A",'
    (tmp_path / "csms-state.json").write_text(old + '"meter_wh":"0","claim":"t"}},"closed":{},"stations":{}}')
    state = CsmsState(tmp_path)
    assert state.recovered is None
    assert (state.open_on("CP", 1), state.next_transaction_id(), state.local_list("CP").version) == (4, 5, 0)
