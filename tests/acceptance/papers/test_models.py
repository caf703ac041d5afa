"""On the real host: a model that refuses every text or us, or lacks vectors harms neither papers nor search."""

from __future__ import annotations

import time
from asyncio import to_thread
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette

from local.arm.servers import listening
from local.providers.embeddings import KEY, Embeddings
from tests.acceptance.papers.conftest import PapersApp, lines
from tests.acceptance.papers.test_ingest import record

PAPERS = 60


class Story:
    """A change of models, as an operator and a reader see it."""

    def __init__(self, app: PapersApp, service: Embeddings) -> None:
        self.app = app
        self.service = service

    def models(self) -> dict[str, Any]:
        """The versions by the names of their models."""
        found = self.app.ask("GET", "/api/papers/models")["models"]
        return {one["version"].removesuffix("-64"): one for one in found}

    def restart(self, **settings: str) -> None:
        self.app.host.stop()
        self.app.host.environment = {**self.app.host.environment, **settings}
        self.app.host.start()

    def enrich(self, becomes: Callable[[], bool], flags: str = "") -> None:
        """Ask for vectors until it is so: a run that is ending takes no notice."""

        def asked() -> bool:
            self.app.ask("POST", f"/api/papers/enrich{flags}", status=202)
            time.sleep(0.5)
            return becomes()

        self.app.until(asked, 180)

    def take_in(self, name: str, numbers: range) -> None:
        blob = self.app.upload(name, lines([record(n) for n in numbers]))
        self.app.ended(
            self.app.ask("POST", "/api/papers/ingest", {"blob": blob, "source": "arxiv"}, status=202)["location"]
        )

    def searched_by(self, model: str) -> bool:
        """Whether a search asks this model."""
        self.service.models.clear()
        assert len(self.app.ask("GET", "/api/papers?search_text=what%20paper%207%20says&limit=5")["results"]) == 5
        return (model, 64) in self.service.models

    def tell(self) -> None:
        service = self.service
        self.take_in("a.jsonl", range(PAPERS))
        self.app.until(lambda: self.models().get("first", {}).get("texts") == PAPERS)

        service.refusing = "second"
        self.restart(PAPERS_OPENAI_MODEL="second")
        self.enrich(lambda: bool(self.models().get("second", {}).get("problem")))
        second = self.models()["second"]
        assert "does not support specifying dimensions" in second["problem"]
        assert (second["state"], second["waiting"], second["failed"]) == ("building", PAPERS, 0)
        assert self.searched_by("first")

        service.refusing, service.refused, service.refusal_of = None, "Paper 7", "second"
        self.enrich(lambda: bool(self.models()["second"]["held_because"]))
        second = self.models()["second"]
        assert "lacks the vectors of 1 of the 60 papers" in second["held_because"]
        at = f"/api/papers/models/{second['model_id']}/refused"
        [refused] = self.app.ask("GET", at)["data"]
        assert (refused["source_id"], refused["failed"]) == (record(7)["id"], False)
        assert "The input was filtered" in refused["reason"]
        assert self.searched_by("first")

        service.refused = "\0"
        self.enrich(lambda: self.models()["second"]["state"] == "current", "?retry=true")
        assert self.models()["second"]["texts"] == PAPERS
        assert self.app.ask("GET", at)["data"] == []
        assert self.searched_by("second")

        service.out, service.seconds = 401, 0
        self.take_in("b.jsonl", range(100, 130))
        self.enrich(lambda: "answered 401" in (self.models()["second"]["problem"] or ""))
        assert self.models()["second"]["failed"] == 0
        service.out = 0
        self.enrich(lambda: self.models()["second"]["texts"] == PAPERS + 30)
        assert self.models()["second"]["problem"] is None


async def test_a_change_of_models_goes_wrong_in_every_way_and_is_mended(running: Any) -> None:
    service = Embeddings(own_space=True)
    settings = {
        "PAPERS_EMBEDDER": "openai",
        "PAPERS_OPENAI_MODEL": "first",
        "PAPERS_OPENAI_DIMENSIONS": "64",
        "PAPERS_OPENAI_KEY": KEY,
    }
    async with listening(Starlette(routes=service.routes())) as port:
        address = f"http://127.0.0.1:{port}/v1"

        def told() -> None:
            with running(**settings, PAPERS_OPENAI_ENDPOINT=address) as app:
                Story(app, service).tell()

        await to_thread(told)
