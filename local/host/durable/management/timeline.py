"""A history as spans of time, for the page: what an orchestration waited for, how long, and what came of it."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from local.host.durable.model import entities, events
from local.host.durable.model.events import Event

LONGEST = 400
_SHOWN = 300
_FAILURES = frozenset({events.TASK_FAILED, events.CHILD_FAILED})
_OUTCOMES = frozenset({events.TASK_COMPLETED, events.CHILD_COMPLETED, *_FAILURES})


@dataclass(slots=True)
class Span:
    """A row of the timeline: a moment when `end` is None. Times are ISO text.

    `kind` is one of run (still going on), ok, bad, wait (for time or for somebody) and off (given up).
    """

    label: str
    start: str
    end: str | None = None
    kind: str = "run"
    text: str | None = None
    instance: str | None = None


def timeline(history: list[Event], now: str) -> dict[str, Any]:
    """The first `LONGEST` spans as JSON objects, and how many more there are. What is open lasts until `now`."""
    spans = _Reader(now).read(history)
    return {"spans": [asdict(one) for one in spans[:LONGEST]], "more": max(len(spans) - LONGEST, 0)}


class _Reader:
    def __init__(self, now: str) -> None:
        self._now = now
        self._spans: list[Span] = []
        self._open: dict[int, Span] = {}
        self._calls: dict[str, Span] = {}
        self._suspended: Span | None = None
        self._turn = now

    def read(self, history: list[Event]) -> list[Span]:
        for event in history:
            self._take(event)
        if history and any(event["EventType"] == events.EXECUTION_COMPLETED for event in history):
            self._give_up(history)
        else:
            self._go_on()
        return self._spans

    def _take(self, event: Event) -> None:
        kind, at = event["EventType"], event["Timestamp"]
        if kind == events.ORCHESTRATOR_STARTED:
            self._turn = at
        elif kind == events.EXECUTION_STARTED:
            self._add(Span("started", at, text=event["Input"]))
        elif kind == events.TASK_SCHEDULED:
            self._open[event["EventId"]] = self._add(Span(event["Name"], at))
        elif kind == events.CHILD_CREATED:
            child = event["InstanceId"]
            self._open[event["EventId"]] = self._add(Span(event["Name"], at, text=child, instance=child))
        elif kind in _OUTCOMES:
            self._close(event["TaskScheduledId"], at, failed=kind in _FAILURES, text=_text(event))
        elif kind == events.TIMER_CREATED:
            self._open[event["EventId"]] = self._add(Span("timer", at, kind="wait", text=f"due {event['FireAt']}"))
        elif kind == events.TIMER_FIRED:
            # Its own time is that of the timer's creation; the turn that it began tells when it fired.
            self._close(event["TimerId"], self._turn, failed=False, text=None)
        else:
            self._take_rarer(kind, at, event)

    def _take_rarer(self, kind: int, at: str, event: Event) -> None:
        if kind == events.EVENT_SENT:
            self._operation(at, event)
        elif kind == events.EVENT_RAISED:
            self._event(at, event)
        elif kind == events.SUSPENDED:
            self._suspended = self._add(Span("suspended", at, kind="wait", text=event["Reason"]))
        elif kind == events.RESUMED and self._suspended is not None:
            self._suspended.end, self._suspended = at, None
        elif kind == events.GENERIC and event["Data"] is not None:
            self._add(Span("rewound", at, kind="wait", text=event["Data"]))
        elif kind == events.EXECUTION_TERMINATED:
            self._add(Span("terminate", at, kind="bad", text=event["Input"]))
        elif kind == events.EXECUTION_COMPLETED:
            status = event["OrchestrationStatus"]
            self._add(Span(status.lower(), at, kind="ok" if status == "Completed" else "bad", text=event["Result"]))

    def _operation(self, at: str, event: Event) -> None:
        request = json.loads(event["Input"])
        name, key = entities.split_id(event["InstanceId"])
        span = self._add(Span(f"{name} {key}: {request['op']}", at, text=request.get("input")))
        if request.get("signal"):
            span.kind, span.label = "ok", f"signal {span.label}"
        else:
            self._calls[request["id"]] = span

    def _event(self, at: str, event: Event) -> None:
        call = self._calls.pop(event["Name"], None)
        if call is None:
            self._add(Span(f"event {event['Name']}", at, kind="wait", text=event["Input"]))
            return
        reply = json.loads(event["Input"])
        call.end, call.text = at, reply.get("result")
        call.kind = "bad" if reply.get("exceptionType") else "ok"

    def _close(self, event_id: int, at: str, *, failed: bool, text: str | None) -> None:
        span = self._open.pop(event_id, None)
        if span is None:
            return
        span.end = at
        if span.kind == "wait":
            span.label = "timer fired"
        else:
            span.kind = "bad" if failed else "ok"
            span.text = text if text is not None else span.text

    def _unanswered(self) -> list[Span]:
        return [*self._open.values(), *self._calls.values(), *filter(None, [self._suspended])]

    def _give_up(self, history: list[Event]) -> None:
        """What was open as it ended: timers were cancelled; of the rest the outcome came too late, or never."""
        end = history[-1]["Timestamp"]
        for span in self._unanswered():
            span.end = end
            if span.label == "timer":
                span.label = "timer cancelled"
            span.kind = "off"

    def _go_on(self) -> None:
        """What may still come. Of a timer the history does not say whether it was cancelled meanwhile."""
        for span in self._unanswered():
            span.end = self._now

    def _add(self, span: Span) -> Span:
        span.text = _short(span.text)
        self._spans.append(span)
        return span


def _text(event: Event) -> str | None:
    return _short(event["Reason"] if event["EventType"] in _FAILURES else event["Result"])


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
