"""How the hand-overs are counted, and that everybody is killed alike."""

from collections import defaultdict

from bench.followups.sink import CountingSink
from bench.followups.trial import HOSTS, _figures, address, run, schedule


class Hosts:
    """A system whose hosts hand over what they are planned, one mail each time it is asked what waits."""

    title = "a system"

    def __init__(self, sink, twice=(), never=(), told=()):
        self.sink, self.twice, self.never, self.told = sink, twice, never, told
        self.starts = defaultdict(int)
        self.left = []

    def hosts(self):
        return [Host(self.starts, number) for number in range(HOSTS)]

    def plan(self, mails, due):
        """The first is handed over at once."""
        self.left = [number for number in range(mails) if number not in self.never]
        self.hand_over(self.left.pop(0))

    def waiting(self):
        while self.left:
            self.hand_over(self.left.pop(0))
        return 0

    def hand_over(self, number):
        for _ in range(1 + (number in self.twice)):
            self.sink.times.setdefault(address(number), []).append(self.sink.last)

    def unresolved(self):
        return {address(number) for number in self.told}


class Host:
    def __init__(self, starts, number):
        self.starts, self.number = starts, number

    def start(self):
        self.starts[self.number] += 1

    def kill(self):
        pass


def test_the_schedule_is_the_same_each_time_and_ends_before_the_mails_do():
    planned = schedule(1000, 20)
    assert planned == schedule(1000, 20)
    assert len(planned) == 20
    assert [kill.after for kill in planned] == sorted(kill.after for kill in planned)
    assert planned[-1].after < 1000
    assert {kill.host for kill in planned} <= set(range(HOSTS))


def test_what_was_handed_over_twice_never_or_is_unresolved_is_counted_at_the_sink(tmp_path):
    sink = CountingSink(tmp_path, 0)
    system = Hosts(sink, twice=(3, 4), never=(5, 6, 7), told=(1, 7))
    system.plan(10, 0)
    system.waiting()
    found = _figures(system, sink, 10, 0.0, kills=2)
    assert (found.handed_over, found.twice, found.lost, found.unresolved, found.kills) == (7, 2, 2, 2, 2)


def test_a_run_ends_when_nothing_waits_and_every_host_was_started(tmp_path):
    sink = CountingSink(tmp_path, 0)
    system = Hosts(sink)
    sink.times = {"of an earlier run": [1.0]}
    found = run(system, sink, 10, [])
    assert (found.handed_over, found.lost, found.kills) == (10, 0, 0)
    assert dict(system.starts) == dict.fromkeys(range(HOSTS), 1)
