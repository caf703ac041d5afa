"""Orchestrations newest first, from a host that lists them by id, some at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.platform.durable import Instance, InstancePage, Place, RunState, newest
from shared.platform.errors import InvalidInput
from tests.hostless import Hostless
from tests.present import present

NOW = datetime.now(UTC).replace(microsecond=0)


def instance(number: int, seconds_ago: int, name: str = "run") -> Instance:
    moment = (NOW - timedelta(seconds=seconds_ago)).isoformat()
    return Instance.model_validate({
        "instanceId": f"i{number:05}", "name": name, "runtimeStatus": "Completed",
        "createdTime": moment, "lastUpdatedTime": moment,
    })  # fmt: skip


class Host(Hostless):
    """Answers pages as the host does: by id, filtered by both ends of the time of creation."""

    def __init__(self, instances: list[Instance], page: int = 3) -> None:
        self.instances = sorted(instances, key=lambda one: one.instance_id)
        self.size = page
        self.asked = 0

    async def page(self, *, top, continuation=None, states=None, prefix=None, since=None, until=None) -> InstancePage:
        self.asked += 1
        fit = [
            one
            for one in self.instances
            if present(since) <= one.created_at <= present(until) and one.instance_id.startswith(prefix or "")
            and (not states or one.state in states)
        ]  # fmt: skip
        start = int(continuation or 0)
        end = start + min(top, self.size)
        return InstancePage(instances=fit[start:end], continuation=str(end) if end < len(fit) else None)


async def every_page(host: Host, limit: int, **chosen) -> list[list[str]]:
    pages, before = [], None
    while True:
        page = await newest(host, limit=limit, before=before, **chosen)
        pages.append([one.instance_id for one in page.instances])
        if page.following is None:
            return pages
        before = Place.read(str(page.following))


ages = st.one_of(st.integers(0, 5), st.integers(0, 4_000), st.integers(0, 900_000_000 // 2))


@settings(max_examples=60, deadline=None)
@given(st.lists(ages, max_size=40), st.integers(1, 7), st.integers(1, 7))
async def test_every_instance_comes_once_and_none_after_an_older_one(seconds, limit, size):
    instances = [instance(number, ago) for number, ago in enumerate(seconds)]
    pages = await every_page(Host(instances, size), limit)
    wanted = [one.instance_id for one in sorted(instances, key=Place.of, reverse=True)]
    assert [id_ for page in pages for id_ in page] == wanted
    assert all(len(page) <= limit for page in pages)


async def test_a_crowded_window_is_narrowed(monkeypatch):
    monkeypatch.setattr("shared.platform.durable.newest_first.MOST_SORTED", 10)
    monkeypatch.setattr("shared.platform.durable.newest_first.PAGE", 5)
    instances = [instance(number, ago) for number, ago in enumerate([*range(100), *[7] * 30])]
    pages = await every_page(Host(instances, 5), 9)
    assert [id_ for page in pages for id_ in page] == [
        one.instance_id for one in sorted(instances, key=Place.of, reverse=True)
    ]


async def test_a_search_that_reads_much_answers_a_short_page_and_goes_on(monkeypatch):
    monkeypatch.setattr("shared.platform.durable.newest_first.MOST_READ", 5)
    instances = [instance(number, 100 * number) for number in range(200)] + [instance(900, 90_000, "rare")]
    host = Host(instances, 50)
    first = await newest(host, limit=1, fits=lambda one: one.name == "rare")
    assert (first.instances, first.following is None) == ([], False)
    pages = await every_page(host, 1, fits=lambda one: one.name == "rare")
    assert [page for page in pages if page] == [["i00900"]]


async def test_filters_reach_the_host():
    host = Host([instance(1, 1), instance(2, 1)])
    page = await newest(host, limit=5, states=[RunState.COMPLETED], prefix="i00002")
    assert [one.instance_id for one in page.instances] == ["i00002"]
    assert (await newest(host, limit=5, states=[RunState.FAILED])).instances == []


@pytest.mark.parametrize("cursor", ["", "x", "x/i1", "99999999999999999999/i1", "-/i"])
def test_a_changed_cursor_is_refused(cursor):
    with pytest.raises(InvalidInput) as refused:
        Place.read(cursor)
    assert refused.value.field == "cursor"
