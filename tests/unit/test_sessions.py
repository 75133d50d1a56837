"""Which session does an event belong to? Stories of one and two outlets, OCPP 1.6 and 2.x."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.correlation import Facts
from pilotbench.bench.correlation.sessions.resolver import Sessions
from pilotbench.bench.correlation.sessions.session import MEMBERS, ChargingSession, Transaction
from pilotbench.bench.timeline import Event, Stamp

from traces import Trace

MS = 1_000_000
TWO = Facts(station="CP001", evses=(1, 2))


class Story:
    """Events of a station with two outlets, one after the other, 10 ms apart unless `at_s` says when."""

    def __init__(self, **kept: int) -> None:
        self.sessions = Sessions(TWO, **kept)
        self.now_ns = 0
        self._seqs: dict[str, int] = {}
        self._messages = 0

    def add(self, source: str, topic: str, evse: int | None = None, *, lo_ns: int | None = None, **data: Any) -> str:
        self.now_ns += 10 * MS
        seq = self._seqs[source] = self._seqs.get(source, 0) + 1
        stamp = Stamp.host(self.now_ns, lo_ns=lo_ns)
        event = Event(topic, source, seq, stamp, data, evse)
        self.sessions.take(event)
        return event.id

    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)

    # the bench

    def cp(self, evse: int, state: str) -> str:
        return self.add(f"pilot{evse}", "cp.state", evse, state=state, pwm=state in "CD")

    def live(self, evse: int, live: bool) -> str:
        return self.add(f"pilot{evse}", "output", evse, live=live)

    def card(self, evse: int, token: str) -> str:
        return self.add(f"pilot{evse}", "stimulus", evse, device="pilot", verb="token", args={"id": token})

    # the station

    def said(self, topic: str, evse: int | None = None, **data: Any) -> str:
        return self.add("csms", topic, evse, station="CP001", **data)

    def online(self, online: bool = True) -> str:
        return self.said("ocpp.connected" if online else "ocpp.disconnected")

    def authorize(self, token: str, *, accepted: bool = True) -> str:
        return self.said("ocpp.authorized", id_tag=token, accepted=accepted, how="authorize")

    def started(self, evse: int | None, tx: int | str | None, token: str, **more: Any) -> str:
        return self.said("ocpp.tx.started", evse, tx=tx, id_tag=token, **more)

    def ended(self, tx: int | str | None, evse: int | None = None, **more: Any) -> str:
        return self.said("ocpp.tx.ended", evse, tx=tx, **more)

    def request(
        self, action: str, payload: dict[str, Any], answer: dict[str, Any], *, by: str = "rx"
    ) -> tuple[str, str]:
        """A call and its result, without the facts that are read out of it."""
        self._messages += 1
        name = f"m{self._messages}"
        head: dict[str, Any] = {"action": action, "message_id": name}
        call = self.said("ocpp.call", dir=by, payload=payload, **head)
        back = "tx" if by == "rx" else "rx"
        return call, self.said("ocpp.result", dir=back, payload=answer, **head)

    def of(self, event: str) -> str | None:
        found = self.sessions.of(event)
        return None if found is None else found.id

    def all(self) -> list[ChargingSession]:
        return self.sessions.all()


def take(trace: Trace) -> Sessions:
    sessions = Sessions(Facts(station="CP001"))
    for event in trace.events:
        sessions.take(event)
    return sessions


def find(trace: Trace, topic: str, **data: Any) -> str:
    return next(
        event.id
        for event in trace.events
        if event.topic == topic and all(event.data.get(key) == value for key, value in data.items())
    )


def test_a_session_of_ocpp_16_is_one_from_plug_in_to_unplug() -> None:
    trace = Trace()
    trace.charging()
    trace.remote_stop(6000)
    trace.cp(6200, "B", pwm=False)
    trace.output(6250, False)
    trace.tx_ended(6300, 5010)
    trace.status(6350, "Finishing")
    trace.cp(7000, "A", pwm=False)
    trace.status(7200, "Available")
    sessions = take(trace)
    (one,) = sessions.all()
    assert (one.id, one.evse, one.tx, one.keys["token"]) == ("s1", 1, "7", ["04a2"])
    assert one.plugged == find(trace, "cp.state", state="B")
    assert one.unplugged is not None
    assert not one.ambiguous
    wanted = {
        ("physical", "plug-in"): "stimulus",
        ("physical", "authorise"): "stimulus",
        ("physical", "energise"): "cp.pwm",
        ("physical", "unplug"): "cp.state",
        ("protocol", "authorise"): "ocpp.authorized",
        ("protocol", "start"): "ocpp.call",
        ("protocol", "meter"): "ocpp.register",
        ("protocol", "stop"): "csms.remote_stop",
        ("protocol", "unplug"): "ocpp.status",
    }
    first: dict[tuple[str, str], str] = {key: member.topic for key, member in one.milestones.items()}
    assert {key: first.get(key) for key in wanted} == wanted
    assert sessions.of(find(trace, "ocpp.status", status="Available")) is not one  # the one of the boot
    assert sessions.of(find(trace, "ocpp.tx.ended")) is one


def test_samples_are_counted_and_still_found() -> None:
    trace = Trace()
    trace.charging()
    trace.meters(3200, 4000, 10.0, 1.0)
    sessions = take(trace)
    during = [event.id for event in trace.events if event.topic == "meter.sample" and event.stamp.order_ns > 3500 * MS]
    before = [event.id for event in trace.events if event.topic == "meter.sample" and event.stamp.order_ns < 900 * MS]
    assert {sessions.of(name) for name in during} == set(sessions.all())
    assert {sessions.of(name) for name in before} == {None}
    assert not any(member.topic == "meter.sample" for member in sessions.all()[0].members)


@pytest.mark.parametrize("shown_at_the_outlet", [True, False])
def test_the_card_before_the_plug_joins_when_the_plug_comes(shown_at_the_outlet: bool) -> None:
    story = Story()
    story.online()
    story.cp(1, "A")
    card = story.card(1, "AA") if shown_at_the_outlet else None
    allowed = story.authorize("aa")
    assert story.of(allowed) is None
    plug = story.cp(1, "B")
    (one,) = story.all()
    member = one.member(allowed)
    assert member is not None
    assert member.sure is shown_at_the_outlet  # else only the time says so
    assert card is None or story.of(card) == one.id
    story.started(1, 5, "AA")
    member = one.member(allowed)
    assert member is not None
    assert member.sure
    assert one.plugged == plug


def test_a_card_whose_time_has_run_out_joins_nothing() -> None:
    story = Story()
    story.online()
    story.said("station.config", values={"ConnectionTimeOut": "30"})
    story.cp(1, "A")
    allowed = story.authorize("AA")
    story.wait(31)
    story.cp(1, "B")
    assert story.of(allowed) is None


def test_a_remote_start_joins_by_its_id_and_a_refused_one_binds_no_token() -> None:
    story = Story()
    story.online()
    for evse in (1, 2):
        story.cp(evse, "A")
        story.cp(evse, "B")
    asked = story.said("csms.remote_start", id_tag="AA", remote_start_id=17, accepted=True)
    refused = story.said("csms.remote_start", 1, id_tag="AA", remote_start_id=18, accepted=False)
    assert story.of(asked) is None  # two outlets could take it
    begun = story.started(2, "t-9", "AA", remote_start_id=17, seq_no=0)
    assert story.of(asked) == story.of(begun) == "s2"
    assert story.of(refused) == "s1"
    assert not any(session.ambiguous for session in story.all())
    link = next(link for link in story.sessions.links(begun) if link.origin == asked)
    assert (link.kind, link.basis, link.solid) == ("stimulus", "id", True)


def test_a_remote_start_for_one_outlet_that_comes_at_the_other_mixes_nothing_and_is_told() -> None:
    story = Story()
    story.online()
    for evse in (1, 2):
        story.cp(evse, "A")
        story.cp(evse, "B")
    story.said("csms.remote_start", 2, id_tag="AA", remote_start_id=17, accepted=True)
    begun = story.started(1, "t-9", "AA", remote_start_id=17)
    assert story.of(begun) == "s1"
    assert all("remote start 17" in session.why for session in story.all())


def test_an_offline_transaction_has_a_placeholder_until_it_is_answered() -> None:
    story = Story()
    story.online()
    story.cp(1, "A")
    story.online(False)
    story.cp(1, "B")
    story.card(1, "AA")
    story.cp(1, "C")
    story.online()
    started = {"connectorId": 1, "idTag": "AA", "meterStart": 1}
    story.said("ocpp.call", dir="rx", action="StartTransaction", message_id="x1", payload=started)
    (one,) = story.all()
    assert one.keys["tx"] == ["?"]
    queued = story.said("ocpp.register", 1, tx=-1, value_wh="1")
    story.said("ocpp.result", dir="tx", action="StartTransaction", message_id="x1", payload={"transactionId": 33})
    assert one.keys["tx"] == ["33"]
    end, _ = story.request("StopTransaction", {"transactionId": 33, "meterStop": 9}, {})
    assert story.of(end) == story.of(queued) == one.id
    assert one.transactions[0].ended == end
    assert len(story.all()) == 1


def test_what_was_queued_offline_goes_to_the_session_that_its_claim_names() -> None:
    story = Story()
    story.add("bench", "clock.anchor", mono_ns=0, wall_ns=1_700_000_000 * 10**9)
    story.online()
    story.said("ocpp.clock", offset_lo_s=-0.1, offset_hi_s=1.0)
    story.cp(1, "A")
    story.online(False)
    story.cp(1, "B")
    story.wait(20)
    story.cp(1, "A")  # 20 s: s1 is over, and nobody was told
    story.wait(20)
    story.cp(1, "B")  # 40 s: s2
    story.wait(5)
    story.online()
    queued = story.started(1, 5, "AA", claim="2023-11-14T22:13:30Z")  # 10 s after the anchor
    today = story.started(1, 6, "AA", claim="2023-11-14T22:14:04Z")
    assert (story.of(queued), story.of(today)) == ("s1", "s2")
    story.ended(5)
    assert story.all()[0].transactions[0].ended is not None


def test_without_a_claim_a_queued_transaction_is_ambiguous_and_not_guessed() -> None:
    story = Story()
    story.online()
    story.cp(1, "A")
    story.online(False)
    story.cp(1, "B")
    story.cp(1, "A")
    story.cp(1, "B")
    story.online()
    queued = story.started(1, 5, "AA")
    own = story.sessions.of(queued)
    assert own is not None
    assert own.id == "s3"
    assert own.ambiguous
    assert "s1, s2" in own.why


def test_one_token_at_two_outlets_is_ambiguous_until_a_transaction_tells() -> None:
    story = Story()
    story.online()
    for evse in (1, 2):
        story.cp(evse, "A")
        story.cp(evse, "B")
        story.card(evse, "AA")
    allowed = story.authorize("AA")
    assert story.of(allowed) is None
    assert story.sessions.why_none(allowed).startswith("AMBIGUOUS")
    assert [session.ambiguous for session in story.all()] == [True, True]
    first, second = story.started(1, 5, "AA"), story.started(2, 6, "AA")
    assert (story.of(first), story.of(second)) == ("s1", "s2")
    assert story.of(allowed) is None
    assert all("in use at outlets 1 and 2 at once" in session.why for session in story.all())
    assert not [link for link in story.sessions.links(allowed) if link.solid and link.basis == "key"]


def test_an_authorisation_is_taken_back_when_a_second_outlet_starts_with_the_same_token() -> None:
    story = Story()
    story.online()
    for evse in (1, 2):
        story.cp(evse, "A")
        story.cp(evse, "B")
    allowed = story.authorize("AA")
    story.started(1, 5, "AA")
    assert story.of(allowed) == "s1"  # by the key, but outlet 2 waits for a token as well
    story.started(2, 6, "AA")
    assert story.of(allowed) is None
    assert [session.ambiguous for session in story.all()] == [True, True]


def test_distinct_tokens_resolve_a_doubt() -> None:
    story = Story()
    story.online()
    for evse in (1, 2):
        story.cp(evse, "A")
        story.cp(evse, "B")
    a, b = story.authorize("AA"), story.authorize("BB")
    assert [session.ambiguous for session in story.all()] == [True, True]
    story.started(2, 5, "AA")
    story.started(1, 6, "BB")
    assert (story.of(a), story.of(b)) == ("s2", "s1")
    assert [session.ambiguous for session in story.all()] == [False, False]


def test_an_end_that_never_started_is_an_entity_of_its_own() -> None:
    story = Story()
    story.online()
    story.cp(1, "A")
    story.cp(1, "B")
    story.started(1, 5, "AA")
    end = story.ended(99, orphan=True)
    own = story.sessions.of(end)
    assert own is not None
    assert (own.id, own.orphan, own.evse) == ("s2", True, None)
    assert own.closed is not None
    assert story.of(story.ended(5)) == "s1"
    assert not story.all()[0].orphan


def test_a_reset_in_the_middle_ends_no_session() -> None:
    story = Story()
    story.online()
    story.cp(1, "A")
    story.cp(1, "B")
    story.started(1, 5, "AA")
    story.cp(1, "C")
    story.live(1, True)
    reset = story.said("csms.reset", type="Hard", accepted=True)
    lost = story.online(False)
    story.live(1, False)
    story.online()
    boot = story.said("ocpp.boot")
    end = story.ended(5, reason="PowerLoss")
    again = story.started(1, 6, "AA")
    (one,) = story.all()
    assert one.closed is None
    assert one.interruptions[:2] == [reset, lost]
    assert boot in one.interruptions
    assert {story.of(name) for name in (reset, boot, end, again)} == {"s1"}
    assert one.keys["tx"] == ["5", "6"]
    story.cp(1, "A")
    assert one.closed is not None


def test_a_session_of_ocpp_2_begins_before_the_plug_and_counts_its_sequence() -> None:
    story = Story()
    story.online()
    story.cp(1, "A")
    allowed = story.authorize("AA")
    begun = story.started(1, "t-1", "AA", seq_no=0, trigger="Authorized")
    plug = story.cp(1, "B")
    (one,) = story.all()
    assert {story.of(name) for name in (allowed, begun, plug)} == {"s1"}
    assert one.plugged == plug
    story.said("ocpp.tx.updated", None, tx="t-1", seq_no=1, trigger="CablePluggedIn")
    story.said("ocpp.tx.updated", None, tx="t-1", seq_no=4, offline=True)
    story.ended("t-1", seq_no=6)
    (transaction,) = one.transactions
    assert transaction.missing == [(2, 3), (5, 5)]
    assert transaction.offline
    story.cp(1, "A")
    assert one.closed is not None


def test_an_outlet_that_is_told_later_makes_two_entities_one() -> None:
    story = Story()
    story.online()
    story.cp(2, "A")
    plug = story.cp(2, "B")
    begun = story.started(None, "t-1", "AA", seq_no=0)
    assert story.of(begun) == "s2"  # where, nobody said: a missing connector is not connector 1
    story.said("ocpp.tx.updated", 2, tx="t-1", seq_no=1)
    (one,) = story.all()
    assert story.of(plug) == story.of(begun) == one.id == "s1"
    assert (one.evse, one.tx) == (2, "t-1")
    end = story.ended("t-1", seq_no=2)
    story.cp(2, "A")
    assert story.of(end) == "s1"
    assert one.closed is not None


def test_raw_messages_alone_are_enough() -> None:
    story = Story()
    story.online()
    story.cp(1, "A")
    story.cp(1, "B")
    info = {"transactionId": "t-1", "remoteStartId": 4}
    began = {
        "eventType": "Started",
        "transactionInfo": info,
        "evse": {"id": 1},
        "seqNo": 0,
        "idToken": {"idToken": "AA"},
    }
    call, result = story.request("TransactionEvent", began, {"idTokenInfo": {"status": "Accepted"}})
    status, _ = story.request("StatusNotification", {"evseId": 1, "connectorId": 2, "connectorStatus": "Occupied"}, {})
    other, _ = story.request("StatusNotification", {"evseId": 2, "connectorId": 1, "connectorStatus": "Occupied"}, {})
    heartbeat, _ = story.request("Heartbeat", {}, {})
    stop, _ = story.request("RequestStopTransaction", {"transactionId": "t-1"}, {"status": "Accepted"}, by="tx")
    assert {story.of(name) for name in (call, result, status, stop)} == {"s1"}
    assert story.of(other) != "s1"
    assert story.of(heartbeat) is None
    assert story.all()[0].keys == {"evse": ["1"], "token": ["aa"], "remote_start": ["4"], "tx": ["t-1"]}


def test_a_message_without_keys_goes_where_its_fact_goes() -> None:
    story = Story()
    story.online()
    for evse in (1, 2):
        story.cp(evse, "A")
        story.cp(evse, "B")
        story.started(evse, evse, f"T{evse}")
    call = story.said("ocpp.call", dir="rx", action="StopTransaction", message_id="9", payload={})
    story.now_ns -= 10 * MS  # a fact bears the stamp of its message
    end = story.ended(2)
    result = story.said("ocpp.result", dir="tx", action="StopTransaction", message_id="9", payload={})
    assert {story.of(name) for name in (call, end, result)} == {"s2"}
    assert len(story.all()) == 2


def test_an_answer_goes_to_the_request_of_the_other_side() -> None:
    story = Story()
    story.online()
    for evse in (1, 2):
        story.cp(evse, "A")
        story.cp(evse, "B")
    status = {"connectorId": 1, "status": "Preparing", "errorCode": "NoError"}
    for by, action, payload in (
        ("rx", "StatusNotification", status),
        ("tx", "UnlockConnector", {"connectorId": 2}),
    ):
        story.said("ocpp.call", dir=by, action=action, message_id="7", payload=payload)
    unlocked = story.said("ocpp.result", dir="rx", action="UnlockConnector", message_id="7", payload={})
    noted = story.said("ocpp.result", dir="tx", action="StatusNotification", message_id="7", payload={})
    assert (story.of(noted), story.of(unlocked)) == ("s1", "s2")
    assert [link.kind for link in story.sessions.links(unlocked)] == ["response"]


def test_without_a_pilot_the_status_opens_and_closes() -> None:
    story = Story()
    story.online()
    busy = story.said("ocpp.status", 1, status="Preparing", logical="occupied")
    story.started(1, 5, "AA")
    free = story.said("ocpp.status", 1, status="Available", logical="available")  # after a boot: it still runs
    story.ended(5)
    (one,) = story.all()
    assert story.of(busy) == story.of(free) == one.id


def test_of_many_sessions_only_summaries_are_kept_and_then_nothing() -> None:
    story = Story(keep=2, summaries=4)
    story.online()
    story.cp(1, "A")
    plugs: list[str] = []
    details: list[str] = []
    for n in range(8):
        plugs.append(story.cp(1, "B"))
        story.started(1, n, "AA")
        story.said("ocpp.register", 1, tx=n, value_wh="1")
        details.append(story.said("ocpp.register", 1, tx=n, value_wh="2"))
        story.ended(n)
        story.cp(1, "A")
    assert [session.id for session in story.all()] == ["s5", "s6", "s7", "s8"]
    assert story.sessions.forgotten == 4
    assert [story.of(name) for name in plugs] == [None] * 4 + ["s5", "s6", "s7", "s8"]
    assert [story.of(name) for name in details] == [None] * 6 + ["s7", "s8"]
    assert story.all()[0].tx == "4"


def test_a_session_lists_so_many_facts_and_counts_the_rest() -> None:
    story = Story()
    story.cp(1, "A")
    story.cp(1, "B")
    for n in range(MEMBERS + 10):
        story.live(1, n % 2 == 0)
    end = story.cp(1, "A")
    (one,) = story.all()
    assert len(one.members) == MEMBERS
    assert one.unlisted == 12
    assert one.unplugged == end
    assert one.milestones["physical", "unplug"].id == end


@given(st.lists(st.integers(0, 40), max_size=60))
def test_missing_sequence_numbers_are_the_holes(seen: list[int]) -> None:
    transaction = Transaction()
    for number in seen:
        transaction.saw(number)
    holes = {n for lo, hi in transaction.missing for n in range(lo, hi + 1)}
    assert holes == set(range(max(seen, default=-1) + 1)) - set(seen)


def course(
    story: Story, evse: int, tx: str, token: str, remote: int | None, version: int, card_first: bool
) -> Iterator[Callable[[], list[str]]]:
    """The steps of one session; each yields the ids of its events that its session must hold."""
    before = [lambda: [story.card(evse, token)], lambda: [story.authorize(token)]]
    plug = [lambda: [story.cp(evse, "B")]]
    asked = {"id_tag": token, "accepted": True, "remote_start_id": remote}
    if remote is not None:
        before = [lambda: [story.said("csms.remote_start", evse, **asked)]]
    start = {"remote_start_id": remote, "seq_no": 0} if version == 2 else {}
    yield from before + plug if card_first else plug + before
    yield lambda: [story.started(evse, tx, token, **start)]
    yield lambda: [story.cp(evse, "C"), story.live(evse, True)]
    yield lambda: [story.said("ocpp.register", None, tx=tx, value_wh="5")]
    yield lambda: [story.said("ocpp.status", evse, status="Charging", logical="occupied")]
    if version == 2:
        yield lambda: [story.said("ocpp.tx.updated", None, tx=tx, seq_no=1)]
    yield lambda: [story.said("csms.remote_stop", None, tx=tx, accepted=True)]
    yield lambda: [story.live(evse, False), story.cp(evse, "B")]
    yield lambda: [story.ended(tx)]
    yield lambda: [story.cp(evse, "A")]


@given(
    order=st.lists(st.booleans(), max_size=40),
    versions=st.sampled_from([1, 2]),
    firsts=st.tuples(st.booleans(), st.booleans()),
    remotes=st.tuples(st.booleans(), st.booleans()),
)
def test_two_outlets_with_distinct_keys_never_mix(
    order: list[bool], versions: int, firsts: tuple[bool, bool], remotes: tuple[bool, bool]
) -> None:
    story = Story()
    story.online()
    story.cp(1, "A")
    story.cp(2, "A")
    ids: tuple[list[str], list[str]] = ([], [])
    courses = [
        list(course(story, n + 1, f"t{n}", f"TOKEN{n}", 70 + n if remotes[n] else None, versions, firsts[n]))
        for n in (0, 1)
    ]
    for which in [*order, *[False] * 20, *[True] * 20]:
        if courses[which]:
            ids[which].extend(courses[which].pop(0)())
    owners = [{story.of(name) for name in each} for each in ids]
    assert [len(each) for each in owners] == [1, 1]
    assert None not in owners[0] | owners[1]
    assert owners[0] != owners[1]
    sessions = story.all()
    assert sorted(session.keys["token"] for session in sessions) == [["token0"], ["token1"]]
    assert sorted(session.keys["tx"] for session in sessions) == [["t0"], ["t1"]]
    assert not any(session.ambiguous for session in sessions)
    assert all(session.closed for session in sessions)
    for session in sessions:
        for link in story.sessions.links_in(session):
            assert {story.of(link.origin), story.of(link.target)} == {session.id}


ANYTHING = st.one_of(
    st.tuples(st.just("cp"), st.sampled_from([1, 2]), st.sampled_from("ABCDEF")),
    st.tuples(st.just("card"), st.sampled_from([1, 2]), st.sampled_from(["X", "Y"])),
    st.tuples(st.just("authorize"), st.sampled_from(["X", "Y"])),
    st.tuples(
        st.just("started"),
        st.sampled_from([None, 1, 2]),
        st.sampled_from([None, -1, 1, 2]),
        st.sampled_from(["X", "Y"]),
    ),
    st.tuples(st.just("ended"), st.sampled_from([None, -1, 1, 2, 9]), st.sampled_from([None, 1, 2])),
    st.tuples(st.just("updated"), st.sampled_from([None, 1, 2, 9]), st.sampled_from([None, 1, 2])),
    st.tuples(st.just("remote"), st.sampled_from([None, 1, 2]), st.sampled_from([None, 4, 5]), st.booleans()),
    st.tuples(st.just("online"), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([1, 200])),
)


def tell(story: Story, steps: list[tuple[Any, ...]]) -> dict[str, int]:
    """Play the steps; returns the outlet of every event of the bench."""
    outlets: dict[str, int] = {}
    for name, *args in steps:
        if name == "updated":
            story.said("ocpp.tx.updated", args[1], tx=args[0], seq_no=1)
        elif name == "remote":
            story.said("csms.remote_start", args[0], id_tag="X", remote_start_id=args[1], accepted=args[2])
        else:
            made = getattr(story, name)(*args)
            if name in ("cp", "card"):
                outlets[made] = args[0]
    return outlets


@given(st.lists(ANYTHING, max_size=50))
def test_whatever_is_told_no_session_holds_two_outlets_or_two_unplugs(steps: list[tuple[Any, ...]]) -> None:
    story, again = Story(keep=2, summaries=3), Story()
    tell(story, steps)
    outlets = tell(again, steps)
    for session in again.all():
        assert {outlets[item.id] for item in session.members if item.id in outlets} <= {session.evse}
        assert sum(item.topic == "cp.state" and item.phase == "unplug" for item in session.members) <= 1
        assert len({item.id for item in session.members}) == len(session.members)
        for item in session.members:
            assert again.of(item.id) == session.id
    assert [item.id for item in again.all()] == sorted(
        (item.id for item in again.all()), key=lambda name: int(name[1:])
    )
    for session in story.all():
        for item in session.members:
            assert story.of(item.id) == session.id
    assert len([session for session in story.all() if session.closed]) <= 3
