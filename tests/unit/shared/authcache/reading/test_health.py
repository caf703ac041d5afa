"""The figures of an instance: exact with the tail of the log, and as of the base without it."""

from __future__ import annotations

from shared.authcache.base.manifest import Counts, Manifest, Segment
from shared.authcache.log.records import Drop, Put
from shared.authcache.reading.health import figures, figures_without_rows
from shared.authcache.reading.holding import Holding
from shared.authcache.reading.instance import Instance
from shared.authcache.reading.levels import Overlay
from shared.authcache.reading.view import View
from shared.authcache.tables import SHARES, USERS
from tests.unit.shared.authcache.rows import AT, share, user

BASE = (
    Put(USERS, user("ann")),
    Put(USERS, user("bob")),
    Put(SHARES, share("s1", "ann", "x")),
    Put(SHARES, share("s2", "ann", "y")),
    Put(SHARES, share("s3", "bob", "x")),
)


class BaseOf(Holding):
    """A holding whose base is in memory: two users, who share three times."""

    def __init__(self) -> None:
        super().__init__()
        counts = Counts(users=2, shares=3, owners=2)
        everything = Segment(name="base/5", after=0, lsn=5, tables={}, files=())
        self.manifest = Manifest(
            lsn=5, hash_key="0" * 32, segments=(everything,), counts=counts, whole=counts, epoch=3, folded_at=AT
        )
        self._rows = Overlay()
        self._rows.apply(BASE)

    def base(self) -> View:
        return View(5, (self._rows,), ())

    def view(self) -> View:
        return View(self.lsn, (self.tail, self._rows), ())


def instance() -> Instance:
    made = Instance()
    made.holding = BaseOf()
    return made


async def test_what_changed_since_the_base_is_counted_once() -> None:
    made = instance()
    made.holding.tail.apply(
        [
            Put(USERS, user("ann", last_name="New")),
            Drop(USERS, "bob"),
            Put(USERS, user("cy")),
            Put(USERS, user("dan")),
            Put(SHARES, share("s1", "ann", "x", level="edit")),
            Drop(SHARES, "s3"),
            Put(SHARES, share("s4", "cy", "x")),
            Drop(SHARES, "never was"),
        ]
    )
    now = await figures(made)
    assert (now.users_count, now.shares_count, now.users_with_shares) == (3, 3, 2)
    assert (now.base_lsn, now.tail_rows, now.epoch) == (5, 8, 3)


async def test_without_a_look_at_rows_the_counts_are_those_of_the_base() -> None:
    made = instance()
    made.holding.tail.apply([Drop(USERS, "bob"), Drop(SHARES, "s3")])
    base = figures_without_rows(made)
    assert (base.users_count, base.shares_count, base.users_with_shares) == (2, 3, 2)
    assert not base.initialized


async def test_an_instance_that_knows_nothing_has_nothing() -> None:
    now = await figures(Instance())
    assert (now.initialized, now.users_count, now.base_lsn, now.folds, now.age_seconds) == (False, 0, 0, [], None)
