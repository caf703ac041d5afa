"""Random lives of a partition beside a plain model: who writes by etag never overwrites what he has not seen."""

from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, precondition, rule

from local.cosmos.errors import ConflictError, CosmosError, NotFoundError, PreconditionFailedError
from local.cosmos.items import Items
from local.cosmos.rest.batch import execute
from local.cosmos.store import Store
from tests.in_memory import folder_in_memory

PARTITION = '["p"]'
NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.integers(0, 3)
TTLS = st.sampled_from([None, None, 5, -1])


class PartitionLife(RuleBasedStateMachine):
    etags = Bundle("etags")

    def __init__(self) -> None:
        super().__init__()
        self.folder = folder_in_memory()
        self.now = 1000
        self.start()
        self.store.create_database({"id": "d"})
        unique = {"uniqueKeys": [{"paths": ["/u"]}]}
        body = {"id": "c", "partitionKey": {"paths": ["/x"]}, "uniqueKeyPolicy": unique, "defaultTtl": -1}
        self.store.create_container("d", body)
        self.model: dict[str, dict] = {}
        self.used: set[str] = set()
        self.writes = 0

    def start(self):
        self.store = Store(Path(self.folder.name), lambda: self.now)

    def teardown(self):
        self.store.close()
        self.folder.cleanup()

    @property
    def items(self) -> Items:
        return Items(self.store, self.store.container("d", "c"))

    @staticmethod
    def document(name: str, value: int, unique: int, ttl: int | None) -> dict:
        extra = {} if ttl is None else {"ttl": ttl}
        return {"id": name, "x": "p", "n": value, "u": unique, **extra}

    def expected(self, name: str, document: dict, etag: str | None, *, kind: str) -> type[CosmosError] | None:
        """What the rules say about this write."""
        old = self.model.get(name)
        if kind == "create" and old is not None:
            return ConflictError
        if kind == "replace" and old is None:
            return NotFoundError
        if old is not None and etag is not None and etag != old["etag"]:
            return PreconditionFailedError
        others = [one["document"]["u"] for other, one in self.model.items() if other != name]
        return ConflictError if document["u"] in others else None

    @rule(
        target=etags,
        kind=st.sampled_from(["create", "upsert", "replace"]),
        name=NAMES,
        value=VALUES,
        unique=VALUES,
        ttl=TTLS,
        etag=st.none() | etags,
    )
    def write(self, *, kind, name, value, unique, ttl, etag):
        document = self.document(name, value, unique, ttl)
        etag = None if kind == "create" else etag
        problem = self.expected(name, document, etag, kind=kind)

        def change():
            with self.store.transaction():
                if kind == "create":
                    return self.items.create(PARTITION, document)
                if kind == "upsert":
                    return self.items.upsert(PARTITION, document, etag)[0]
                return self.items.replace(PARTITION, name, document, etag)

        if problem is not None:
            with pytest.raises(problem):
                change()
            return multiple()
        item = change()
        assert item.etag not in self.used
        self.used.add(item.etag)
        self.writes += 1
        self.model[name] = {"document": document, "etag": item.etag, "at": self.now, "order": self.writes}
        return item.etag

    @rule(name=NAMES, etag=st.none() | etags)
    def delete(self, name, etag):
        old = self.model.get(name)
        problem = NotFoundError if old is None else None
        if old is not None and etag is not None and etag != old["etag"]:
            problem = PreconditionFailedError
        if problem is not None:
            with pytest.raises(problem), self.store.transaction():
                self.items.delete(PARTITION, name, etag)
            return
        with self.store.transaction():
            self.items.delete(PARTITION, name, etag)
        del self.model[name]

    @rule(name=NAMES, value=VALUES, fails=st.booleans())
    @precondition(lambda self: self.model)
    def batch(self, name, value, fails):
        """A batch whose second operation fails leaves nothing of its first."""
        document = self.document(name, value, 100 + value, None)
        problem = self.expected(name, document, None, kind="upsert")
        taken = next(iter(self.model.values()))["document"]
        second = {"operationType": "Create", "resourceBody": taken} if fails else {"operationType": "Read", "id": name}
        operations = [{"operationType": "Upsert", "resourceBody": document}, second]
        status, results = execute(self.store, self.items, PARTITION, operations)
        if problem is not None:
            assert (status, [one["statusCode"] for one in results]) == (207, [409, 424])
        elif fails:
            assert (status, [one["statusCode"] for one in results]) == (207, [424, 409])
        else:
            assert (status, results[1]["statusCode"]) == (200, 200)
            self.writes += 1
            etag = results[0]["eTag"]
            self.used.add(etag)
            self.model[name] = {"document": document, "etag": etag, "at": self.now, "order": self.writes}

    @rule(seconds=st.sampled_from([1, 4]))
    def wait(self, seconds):
        self.now += seconds
        for name, one in list(self.model.items()):
            ttl = one["document"].get("ttl")
            if ttl is not None and ttl > 0 and one["at"] + ttl <= self.now:
                del self.model[name]

    @rule()
    def restart(self):
        self.store.close()
        self.start()

    @invariant()
    def the_partition_holds_what_the_model_holds(self):
        stored = {item.document["id"]: (item.content(), item.etag) for item in self.items.all(PARTITION)}
        assert stored == {name: (one["document"], one["etag"]) for name, one in self.model.items()}

    @invariant()
    def the_changes_are_in_the_order_of_the_writes(self):
        changed = [item.document["id"] for item in self.items.changes(0, 0, None)]
        assert changed == sorted(self.model, key=lambda name: self.model[name]["order"])


TestPartitionLife = PartitionLife.TestCase
TestPartitionLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
