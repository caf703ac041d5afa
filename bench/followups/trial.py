"""One run of one system: its hosts work on the same number of due mails and are killed by the same schedule."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from statistics import quantiles
from typing import Protocol

from bench.followups.sink import CountingSink
from bench.report import console

HOSTS = 5
QUIET_SECONDS = 150
"""After so long without a mail nothing comes any more: every system looks at least every minute."""
PROGRESS_SECONDS = 15
SEED = 20261130
REACHED = 0.93
"""Share of the mails that every system hands over."""


class Host(Protocol):
    """One process that hands mails over."""

    def start(self) -> None:
        """Start it, for the first time or again, and wait until it works."""
        ...

    def kill(self) -> None:
        """As kill -9 does, and wait for its end."""
        ...


class System(Protocol):
    """What is measured: its hosts, and its books of who was sent what."""

    title: str

    def hosts(self) -> Sequence[Host]: ...
    def plan(self, mails: int, due: float) -> None:
        """Plan a mail to each of the addresses that `address` gives, due at that Unix time."""
        ...

    def waiting(self) -> int:
        """How many mails it will still try to hand over."""
        ...

    def unresolved(self) -> set[str]:
        """The addresses whose mails its books do not show as sent, now that it has come to rest."""
        ...


@dataclass(frozen=True)
class Kill:
    """`host` is killed as soon as so many addresses have had their mail, and started again at once."""

    after: int
    host: int


@dataclass(frozen=True)
class Figures:
    """What came of it; seconds are from when a mail was due to its first hand-over."""

    title: str
    handed_over: int
    twice: int
    lost: int
    unresolved: int
    kills: int
    median: float
    p99: float


def address(number: int) -> str:
    """Whom the mail of that number goes to."""
    return f"client-{number}@bench.example.com"


def schedule(mails: int, kills: int) -> list[Kill]:
    """The same for everybody: evenly over the run, each time a host that chance picks.

    The last comes before a system that leaves mails to a person has come to its end.
    """
    chance = random.Random(SEED)
    most = int(mails * REACHED)
    return [Kill(after=most * number // kills, host=chance.randrange(HOSTS)) for number in range(1, kills + 1)]


def run(system: System, sink: CountingSink, mails: int, kills: Sequence[Kill]) -> Figures:
    """Plan the mails for the next full minute, let the hosts work and die, and count when all is at rest."""
    sink.forget()
    hosts = system.hosts()
    with ThreadPoolExecutor(len(hosts)) as pool:
        ready = [pool.submit(host.start) for host in hosts]
        try:
            for one in ready:
                one.result()
            due = (time.time() // 60 + 1) * 60
            system.plan(mails, due)
            due = max(due, time.time())  # where planning took longer than the rest of the minute
            sink.last = time.time()
            done = _play(system, sink, Crew(hosts, ready, pool), kills)
        finally:
            for one in ready:
                one.exception()
            for host in hosts:
                host.kill()
    return _figures(system, sink, mails, due, done)


@dataclass(frozen=True)
class Crew:
    """The hosts, and for each whether it works."""

    hosts: Sequence[Host]
    ready: list[Future[None]]
    pool: ThreadPoolExecutor

    def hit(self, number: int) -> None:
        """Kill that host, once it works, and start it again."""
        self.ready[number].result()
        self.hosts[number].kill()
        self.ready[number] = self.pool.submit(self.hosts[number].start)


def _play(system: System, sink: CountingSink, crew: Crew, kills: Sequence[Kill]) -> int:
    """Kill as the schedule says until nothing waits any more; how many were killed."""
    left = list(kills)
    asked = said = began = time.time()
    while True:
        if time.time() - said > PROGRESS_SECONDS:
            said = time.time()
            killed = f"{len(kills) - len(left)} of {len(kills)} kills"
            console.print(f"{system.title}: {len(sink.times):,} mails, {killed}, {said - began:,.0f} s")
        if left and len(sink.times) >= left[0].after:
            crew.hit(left.pop(0).host)
        elif time.time() - asked > 1:
            asked = time.time()
            if time.time() - sink.last > QUIET_SECONDS or (len(sink.times) and not system.waiting()):
                return len(kills) - len(left)
        else:
            time.sleep(0.01)


def _figures(system: System, sink: CountingSink, mails: int, due: float, kills: int) -> Figures:
    wanted = {address(number) for number in range(mails)}
    unresolved = system.unresolved()
    waits = [moments[0] - due for moments in sink.times.values()] or [0.0, 0.0]
    cuts = quantiles(waits, n=100)
    return Figures(
        title=system.title,
        handed_over=len(sink.times),
        twice=sum(len(moments) > 1 for moments in sink.times.values()),
        lost=len(wanted - sink.times.keys() - unresolved),
        unresolved=len(unresolved),
        kills=kills,
        median=cuts[49],
        p99=cuts[98],
    )
