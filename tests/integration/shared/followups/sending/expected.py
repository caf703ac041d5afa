"""What must become of each mail, as far as anybody can know, and a provider whose answers decide it."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from shared.followups.events.inbox import MOST_DEFERRALS
from shared.followups.sending.settling import MOST_ATTEMPTS
from shared.followups.steps import Outcome

GRAVITY = {"deferred": 1, "delivered": 2, "bounced": 3, "complained": 4}
CLOSED = {"unsubscribed", "suppressed", "client-deleted", "task-cancelled"}


@dataclass
class Expected:
    """All that was done and told, and so where each mail must be; mails are known by number, clients by address.

    Attributes:
        closed: who must not be written to any more.
        putting_off: whose mailbox has put off too many mails that did not arrive since.
        once_putting_off: the same, and those of whom a mail has arrived since.
        held: mails that wait for the agent.
        maybe: mails that may have been handed over, and of which the app was told nothing since.
    """

    paused: bool = False
    approving: bool = False
    closed: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    held: set[int] = field(default_factory=set)
    approved: set[int] = field(default_factory=set)
    maybe: set[int] = field(default_factory=set)
    accepted: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    postponed: Counter[int] = field(default_factory=Counter)
    worst: dict[int, str] = field(default_factory=dict[int, str])
    deferred: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    putting_off: set[str] = field(default_factory=set)
    once_putting_off: set[str] = field(default_factory=set)

    def began(self, email_id, found):
        """A worker was given the mail, or a reason: one that holds."""
        if not isinstance(found, str):
            self.maybe.add(email_id)
            return
        needs_approval = self.approving and email_id not in self.approved
        holds = {"agent-paused": self.paused, "approval": needs_approval, "claim-lost": True, "not-composed": True}
        holds["not-due"] = True  # the clock was set back
        assert holds.get(found, found in CLOSED and bool(self.closed | self.once_putting_off)), found
        if found == "approval":
            self.held.add(email_id)

    def answered(self, email_id, kind, *, repeated):
        """The app learns what came of a hand-over."""
        if kind == "postponed" and not repeated:
            self.maybe.discard(email_id)
            self.postponed[email_id] += 1
            kind = "refused" if self.postponed[email_id] == MOST_ATTEMPTS else kind
        if kind in ("accepted", "refused"):
            self.maybe.discard(email_id)
            (self.accepted if kind == "accepted" else self.failed).add(email_id)

    def told(self, email_id, kind: str, address):
        """The app learns that the provider had the mail, and what happened to it then."""
        self.answered(email_id, "accepted", repeated=True)
        self.worst[email_id] = max(self.worst.get(email_id, kind), kind, key=lambda one: GRAVITY.get(one) or 0)
        if kind == "deferred":
            self.deferred[address].add(email_id)
        often = sum(self.worst[mail] == "deferred" for mail in self.deferred[address]) >= MOST_DEFERRALS
        if kind == "complained":
            self.closed.add(address)
        if kind == "deferred" and often:
            self.putting_off.add(address)
            self.once_putting_off.add(address)
        elif kind == "delivered" and not often:
            self.putting_off.discard(address)

    def state(self, email_id, address):
        """Where the mail is when all has come to rest; None: there may be none."""
        if email_id in self.accepted:
            return "sent"
        if email_id in self.failed:
            return "failed"
        if email_id in self.maybe:
            return "unknown"
        if email_id in self.held and address not in self.deleted:
            return "held"
        assert address in self.closed | self.once_putting_off, f"nothing keeps mail {email_id} from being sent"
        return "cancelled" if email_id else None

    def may_be_handed_over(self, mail):
        assert not self.paused
        assert mail.recipient not in self.closed | self.putting_off
        assert not self.approving or mail.email_id in self.approved


class Provider:
    """Counts what it was handed over, by mail; answers as it is told.

    It remembers the mails it took, takes each key once, both or neither. `nobody_hears`: the worker dies meanwhile.
    """

    name = "fake"

    def __init__(self):
        self.handed_over, self.answer = Counter(), "accepted"
        self.remembers = self.keyed = self.nobody_hears = False
        self.expected = Expected()

    async def send(self, mail):
        self.expected.may_be_handed_over(mail)
        number, answer = mail.email_id, self.answer
        repeated = mail.sending_at is not None
        if self.keyed and self.handed_over[number]:
            answer = "accepted" if answer == "refused" else answer
        elif answer in ("accepted", "answer lost"):
            self.handed_over[number] += 1
        kinds = {"answer lost": "unknown", "timed out": "unknown", "throttled": "postponed"}
        kind: Any = kinds.get(answer, answer)
        if not self.nobody_hears:
            self.expected.answered(number, kind, repeated=repeated)
        return Outcome(kind=kind, provider=self.name, code=None if kind == "accepted" else "x", text=None)

    def may_repeat(self, mail):
        return self.keyed

    async def find_out(self, mail):
        if not self.remembers or not self.handed_over[mail.email_id]:
            return None
        self.expected.answered(mail.email_id, "accepted", repeated=True)
        return Outcome(kind="accepted", provider=self.name)
