"""agree: what the patterns that compare numbers of one transaction have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Sequence

from ...timeline import Event, Interval
from ..language.rule import Agree
from ..verdict import Outcome, Reason
from ..world.energy import went_dead_ns
from ..world.mark import NEVER, Mark
from ..world.tri import Tri
from ..world.world import Edge
from .base import Context, Monitor, Seen

__all__ = ["CLOSED", "OPEN", "PLACELESS", "Transaction", "TransactionMonitor"]

WAIT_NS = 5_000_000_000
"""How long after the end of a transaction a sample of the bench meter, or a last register, is waited for."""
OPEN = 1000
"""Transactions that are kept while they run, per rule; of more, the oldest is given up."""
PLACELESS = 100
"""Transactions that have not named their outlet; of more, the oldest one's begin is forgotten."""
CLOSED = 10_000
"""Transactions that are known to be judged already; what comes later for an older one makes it a new one."""


class Transaction:
    """What is known of one transaction."""

    def __init__(self, n: int, evse: int, tx: str) -> None:
        self.n = n
        self.evse = evse
        self.tx = tx
        self.started: Event | None = None
        self.ended: Event | None = None
        self.begin: Event | None = None
        self.end: Event | None = None
        self.open = True


class TransactionMonitor(Monitor):
    """Waits for both ends of a transaction, and for the bench meter to have been read after them."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = context.named.rule
        assert isinstance(rule, Agree)
        self.rule = rule
        self._known: OrderedDict[str, Transaction] = OrderedDict()
        self._placeless: OrderedDict[str, list[Event]] = OrderedDict()
        self._waiting: OrderedDict[str, Transaction] = OrderedDict()
        self._closed: OrderedDict[str, None] = OrderedDict()

    @abstractmethod
    def compare(self, known: Transaction, *, final: bool, cut: bool) -> bool:
        """Say how the two agree; False while something may still come. `cut`: the record ends before it did."""

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        topic = event.topic
        if self.arming is not None:
            self.arming.take(event)
        if topic in ("ocpp.tx.started", "ocpp.tx.ended", "ocpp.register"):
            self._heard(event)
        if topic in ("meter.sample", "ocpp.register"):
            for known in list(self._waiting.values()):
                self._judge(known, final=False)

    def _heard(self, event: Event) -> None:
        tx = str(event.data.get("tx"))
        if tx in self._closed:
            return
        known = self._known.get(tx)
        if known is None:
            if event.evse is None:
                self._keep(tx, event)
                return
            if event.evse not in self.world.facts.evses:
                return
            known = self._known[tx] = Transaction(self.context.next_number(), event.evse, tx)
            if len(self._known) > OPEN:
                self._give_up(next(iter(self._known.values())))
            for early in self._placeless.pop(tx, ()):
                self._note(known, early)
        self._note(known, event)

    def _keep(self, tx: str, event: Event) -> None:
        """How a transaction began, until it names its outlet: with a card it may begin before there is a vehicle."""
        if event.topic != "ocpp.tx.started" and event.data.get("context") != "Transaction.Begin":
            return
        kept = self._placeless.setdefault(tx, [])
        if all(event.topic != other.topic for other in kept):
            kept.append(event)
        if len(self._placeless) > PLACELESS:
            self._placeless.popitem(last=False)

    def _note(self, known: Transaction, event: Event) -> None:
        tx = known.tx
        if event.topic == "ocpp.tx.started":
            known.started = known.started or event
        elif event.topic == "ocpp.tx.ended":
            if known.ended is None:
                known.ended = event
                self._waiting[tx] = known
                wait_ns = event.stamp.order_ns + WAIT_NS
                self.context.schedule(wait_ns, lambda: self._judge(known, final=True))
        elif event.data.get("context") == "Transaction.Begin":
            known.begin = known.begin or event
        elif event.data.get("context") == "Transaction.End":
            known.end = event

    def _give_up(self, known: Transaction) -> None:
        self.lack(known, f"given up: more than {OPEN} transactions at once", Reason.LIMIT)
        self._close(known)

    def finish(self, end_ns: int, truncated: bool) -> None:
        for known in list(self._known.values()):
            self._judge(known, final=True, cut=known.ended is None or truncated)

    def open_deadlines(self) -> int:
        return len(self._waiting)

    def _judge(self, known: Transaction, *, final: bool, cut: bool = False) -> None:
        if not known.open:
            return
        first = known.started or known.begin or known.ended or known.end
        refused = first is not None and self.given(known.evse, Mark.of(first))[0] is Tri.FALSE
        if refused or self.compare(known, final=final, cut=cut):
            self._close(known)

    def _close(self, known: Transaction) -> None:
        known.open = False
        self._known.pop(known.tx, None)
        self._waiting.pop(known.tx, None)
        self._closed[known.tx] = None
        if len(self._closed) > CLOSED:
            self._closed.popitem(last=False)

    # ---- when the station read its register

    def read_at(self, known: Transaction, event: Event, *, begin: bool) -> Interval:
        """When the station read its register: before the message came, and as its claim says.

        A claim that lies before what caused it comes from a clock that was set: it says nothing.
        """
        arrived = float(event.stamp.hi_ns)
        claimed = self.world.claims.when(event)
        if claimed is not None:
            lo, hi = claimed.lo, min(arrived, max(claimed.hi, claimed.lo))
            lo = self._not_before(known, begin, lo, hi)
            if lo <= hi:
                return Interval(lo, hi)
        return Interval(min(self._not_before(known, begin, -NEVER, arrived), arrived), arrived)

    def _not_before(self, known: Transaction, begin: bool, lo: float, hi: float) -> float:
        """The lower bound with what is known besides; above `hi` where the two contradict each other."""
        if begin:
            # not before the outlet last went dead: the register does not move while it is
            dead = went_dead_ns(self.world, known.evse, hi)
            lo = max(lo, dead if dead is not None else -NEVER)
        else:
            arrived_ns = known.started.stamp.lo_ns if known.started is not None else 0
            asked = self.world.claims.stop_cause_ns(known.evse, arrived_ns)
            began = self.world.claims.when(known.started) if known.started is not None else None
            # a start that waited in a queue arrived after its transaction was over: only what it claims bounds the end
            lo = max(lo, float(asked) if asked is not None else began.lo if began is not None else -NEVER)
        if lo == -NEVER:
            lo = float(self.world.energy[known.evse][0].stamp.hi_ns) if self.world.energy[known.evse] else hi
        return lo

    # ---- what is said

    def lack(
        self,
        known: Transaction,
        because: str,
        reason: Reason | None,
        outcome: Outcome = Outcome.INCONCLUSIVE,
    ) -> None:
        """Say why it cannot be compared."""
        events = (known.started, known.begin, known.end, known.ended)
        seen: list[Seen] = [(event, event.topic) for event in events if event is not None]
        opened_ns = seen[0][0].stamp.order_ns if seen else 0
        self.context.say(
            known.n, known.evse, outcome, because, opened_ns=opened_ns, reason=reason, seen=seen, lengthened=False
        )
