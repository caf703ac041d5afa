"""When a fold is started, and what operators are sent of the one before it."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from shared.authcache.documents.models import StraySearch
from shared.authcache.folding import due
from shared.authcache.folding.due import ProcessFolds
from shared.authcache.folding.steps import FoldRequest, FoldSummary
from shared.platform.durable import Instance, RunState
from shared.platform.errors import Conflict
from tests.hostless import Hostless
from tests.integration.shared.authcache.conftest import container, instances, registered
from triggers.authcache import upkeep

__all__ = ["container", "instances"]


class Client(Hostless):
    """A durable client that knows one fold, and notes what it is asked to start."""

    def __init__(self, state: RunState | None = None, **summary: object) -> None:
        self.started: list[FoldRequest] = []
        self.searched: list[StraySearch] = []
        self.last = None
        if state is not None:
            now = datetime.now(UTC)
            self.last = Instance.model_validate(
                {
                    "instanceId": upkeep.FOLD,
                    "name": "fold",
                    "runtimeStatus": state,
                    "createdTime": now,
                    "lastUpdatedTime": now,
                    "output": FoldSummary.model_validate({"lsn": 1, "records": 1, **summary}).model_dump(),
                }
            )

    async def find(self, instance_id, *, history=False):
        assert instance_id == upkeep.FOLD
        return self.last

    async def start(self, orchestration, task, *, instance_id=None):
        if instance_id == upkeep.STRAYS:
            assert orchestration.name == "delete_stray_documents"
            self.searched.append(task)
            return instance_id
        assert (orchestration.name, instance_id) == ("fold", upkeep.FOLD)
        if self.last is not None and not self.last.state.finished:
            raise Conflict("It runs.")
        self.started.append(task)
        return upkeep.FOLD


@pytest.fixture(autouse=True)
def _first_minute(migrated, container, monkeypatch):
    monkeypatch.setattr(upkeep, "_process", ProcessFolds())


async def test_an_empty_log_is_not_folded_and_the_first_record_is(instances):
    client = Client()
    assert not await upkeep.sweep.due(client)
    await instances().commit([registered("ann@example.com")])
    assert await upkeep.sweep.due(client)


async def test_the_first_fold_of_a_process_looks_at_iceberg_and_later_ones_do_not():
    client = Client()
    await upkeep.sweep.run(client)
    await upkeep.sweep.run(client)
    assert [task.sync for task in client.started] == [True, False]


async def test_a_fold_that_runs_is_let_go_on_and_nothing_is_sent_of_it():
    client = Client(RunState.RUNNING)
    await upkeep.sweep.run(client)
    assert client.started == []
    assert not upkeep._process.looked


async def test_operators_are_sent_what_the_last_fold_could_not_do_before_the_next_begins(mails):
    client = Client(RunState.COMPLETED, behind=("users",))
    await upkeep.sweep.run(client)
    assert len(client.started) == 1
    assert "1 Iceberg tables are behind" in mails.mails(1)[0].subject
    failed = Client(RunState.FAILED)
    await upkeep._start(failed, FoldRequest(sync=True), past_due=False)
    assert failed.started == []  # nobody uses it: there is no base, and no catalog is named


async def test_the_timers_fold_once_there_is_a_catalog(mails, monkeypatch):
    monkeypatch.setattr(due, "settings", lambda: SimpleNamespace(authcache_catalog_uri="https://catalog"))
    client = Client(RunState.FAILED)
    await upkeep._start(client, FoldRequest(sync=True, tidy=True), past_due=True)
    assert client.started == [FoldRequest(sync=True, tidy=True)]
    assert "cannot be folded" in mails.mails(1)[0].subject
    busy = Client(RunState.RUNNING)
    await upkeep._start(busy, FoldRequest(sync=True), past_due=False)
    assert busy.started == []


async def test_files_that_no_document_names_are_looked_for_where_the_cache_is_used(monkeypatch):
    client = Client()
    await upkeep._delete_strays(client, past_due=False)
    assert client.searched == []
    monkeypatch.setattr(due, "settings", lambda: SimpleNamespace(authcache_catalog_uri="https://catalog"))
    await upkeep._delete_strays(client, past_due=False)
    assert client.searched == [StraySearch()]
