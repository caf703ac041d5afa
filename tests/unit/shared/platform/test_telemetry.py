from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.platform.durable import ONCE, Activity, Failure
from shared.platform.errors import TerminalError
from shared.platform.telemetry import span
from tests.present import present


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter


def test_spans_nest_and_carry_their_attributes(exported: InMemorySpanExporter) -> None:
    with span("outer", run="r"), span("inner"):
        pass
    inner, outer = exported.get_finished_spans()
    assert (inner.name, outer.name, outer.attributes) == ("inner", "outer", {"run": "r"})
    assert inner.parent is not None
    assert inner.parent.span_id == present(outer.context).span_id


def test_a_failure_marks_its_span_and_goes_on(exported: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="no"), span("failing"):
        raise ValueError("no")
    [failed] = exported.get_finished_spans()
    assert not failed.status.is_ok


def test_without_a_provider_nothing_happens() -> None:
    with span("nowhere"):
        assert not trace.get_current_span().is_recording()


async def test_what_failed_for_good_is_told_by_the_span_of_its_step(exported: InMemorySpanExporter) -> None:
    async def refuse(task: Failure) -> Failure:
        if task.code == "refused":
            raise TerminalError(task.message, code=task.code)
        return task

    step = Activity(name="refuse", takes=Failure, gives=Failure, retry=ONCE, module=__name__, run=refuse)
    for code in ("fine", "refused"):
        await step.answer(Failure(code=code, message="no").model_dump_json())
    fine, refused = exported.get_finished_spans()
    assert [present(one.attributes)["step"] for one in (fine, refused)] == ["refuse", "refuse"]
    assert [one.status.is_ok for one in (fine, refused)] == [True, False]
