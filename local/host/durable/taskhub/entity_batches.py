"""Runs entities: one batch of operations at a time per entity, applied once and for all by its commit."""

from dataclasses import replace
from typing import Any

from local.host.core.credentials import sanitize
from local.host.core.logs import host_log
from local.host.durable.model import entities, events
from local.host.durable.model.known import KnownFunctions
from local.host.durable.model.options import DurableOptions
from local.host.durable.model.ports import DurableFunctions, FunctionFailed
from local.host.durable.model.records import Instance, Message
from local.host.durable.taskhub.instances import Instances, Live

# The failures of an entity that are kept, the last ones: it lives for ever.
MOST_NOTES = 10


class EntityBatches:
    """The entity functions of one task hub."""

    def __init__(self, functions: DurableFunctions, options: DurableOptions, instances: Instances) -> None:
        self._functions = functions
        self._options = options
        self._instances = instances
        self._hub = instances.hub

    async def run(self, live: Live) -> None:
        """Apply the operations that have arrived. Raises HostStopping when aborted, and leaves everything as it was."""
        entity = live.state
        messages = list(live.inbox)[: self._options.max_entity_operation_batch_size]
        requests = entities.requests_of(messages)
        outcome = await self._operate(entity, requests) if requests else None
        if not self._instances.is_current(live):
            return
        at = self._instances.now_text()
        after, sent = entity, list[Message]()
        if outcome is not None:
            sent = self._replies(outcome, at)
            after = _advance(entity, outcome, at)
        with self._hub.transaction():
            self._hub.take_messages(messages)
            if outcome is not None:
                self._hub.save_instance(after)
            self._hub.add_messages(sent)
        live.state = after
        live.consume(messages)
        if not live.inbox:
            self._instances.leave(entity.instance_id)
        self._instances.post(sent)
        for failure in outcome.failures if outcome is not None else ():
            name = entity.instance_id
            host_log.warning("%s: an operation failed: %s", name, failure, extra={"instance_id": name})

    def _replies(self, outcome: entities.BatchOutcome, at: str) -> list[Message]:
        replies = [
            Message(
                reply.instance_id,
                reply.execution_id,
                events.event_raised(reply.request_id, reply.text, at),
                self._hub.number(),
            )
            for reply in outcome.replies
        ]
        signals = [
            Message(
                signal.instance_id, None, events.event_raised(events.OPERATION, signal.text, at), self._hub.number()
            )
            for signal in outcome.signals
        ]
        return replies + signals

    async def _operate(self, entity: Instance, requests: list[dict[str, Any]]) -> entities.BatchOutcome:
        name, _ = entities.split_id(entity.instance_id)
        known = KnownFunctions(self._functions)
        if not known.has("entity", name):
            return entities.finish_failed(entity, requests, known.missing("entity", name))
        try:
            answer = await self._functions.run_entity(name, entities.context(entity, requests), entity.instance_id)
            return entities.finish(requests, answer, self._instances.now_text())
        except FunctionFailed as failure:
            return entities.finish_failed(entity, requests, sanitize(failure.message))
        except ValueError as error:
            return entities.finish_failed(entity, requests, str(error))


def _advance(entity: Instance, outcome: entities.BatchOutcome, at: str) -> Instance:
    """The entity as it stands after the batch; a new object, so that a batch that cannot be kept leaves no trace."""
    notes = list(entity.notes)
    for failure in outcome.failures:
        note = (
            f"An operation failed: {failure}. An orchestration that called it gets the error; who signalled it never "
            "learns of it, here as in Azure. The log has the traceback."
        )
        if note not in notes:
            notes = [*notes, note][-MOST_NOTES:]
    return replace(
        entity,
        input_text=outcome.input_text,
        custom_status=outcome.custom_status,
        created=at,
        updated=at,
        notes=notes,
    )
