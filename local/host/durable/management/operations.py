"""What a client can ask of the task hub: start, signal, suspend, rewind, purge, query. Knows nothing of HTTP."""

from collections.abc import Callable
from uuid import uuid4

from local.host.core.logs import host_log
from local.host.durable.management.queries import Query, next_token, read_token
from local.host.durable.management.refusals import AlreadyExists, Finished, NotFound, UnknownEntity, WrongState
from local.host.durable.management.rewinding import rewind
from local.host.durable.model import entities, events
from local.host.durable.model.events import Event
from local.host.durable.model.known import KnownFunctions
from local.host.durable.model.options import DurableOptions
from local.host.durable.model.ports import DurableFunctions
from local.host.durable.model.records import FAILED, SUSPENDED, Instance, Message
from local.host.durable.replay.turn import SOURCE_TAG
from local.host.durable.taskhub.hub import load_events
from local.host.durable.taskhub.instances import Instances

DEFAULT_PAGE = 100


class Operations:
    """The client's side of one task hub."""

    def __init__(self, functions: DurableFunctions, options: DurableOptions, instances: Instances) -> None:
        self._functions = functions
        self._options = options
        self._instances = instances
        self._hub = instances.hub

    # -- starting

    def start(
        self, name: str, input_text: str | None, instance_id: str | None = None, version: str | None = None
    ) -> str:
        """Start an orchestration and return its id. A finished id runs again. Raises AlreadyExists.

        A name that the app does not have is accepted, as in Azure, and the instance fails.
        """
        known = KnownFunctions(self._functions)
        if not known.has("orchestrator", name):
            host_log.warning("The instance will fail, as in Azure: %s", known.missing("orchestrator", name))
        return self._start(name, input_text, instance_id or uuid4().hex, version, execution_id=str(uuid4()))

    def _start(
        self,
        name: str,
        input_text: str | None,
        instance_id: str,
        version: str | None,
        *,
        execution_id: str,
        tags: dict[str, str] | None = None,
    ) -> str:
        present = self._instances.state(instance_id)
        if present is not None and not present.finished and not self._may_override():
            raise AlreadyExists(present.status)
        instance, message = self._instances.new_execution(
            instance_id,
            execution_id,
            name,
            version=version or self._options.default_version,
            input_text=input_text,
        )
        message.event["Tags"] = tags
        if present is not None:
            instance.generation = (present.generation or 0) + 1
            message.event["Generation"] = instance.generation
        with self._hub.transaction():
            self._hub.forget(instance_id)
            self._hub.save_instance(instance)
            self._hub.add_messages([message])
        self._instances.adopt(instance)
        self._instances.post([message])
        return instance_id

    def _may_override(self) -> bool:
        return self._options.overridable_existing_instance_states == "AnyState"

    def restart(self, instance_id: str, *, new_id: bool) -> str:
        """Start an orchestration again with its input. Raises NotFound, AlreadyExists."""
        instance = self._existing(instance_id)
        started = self._instances.load_history(instance)
        text = started[1]["Input"] if len(started) > 1 else instance.input_text
        target = uuid4().hex if new_id else instance_id
        tags = {SOURCE_TAG: instance_id} if new_id else None
        return self._start(instance.name, text or "null", target, instance.version, execution_id=uuid4().hex, tags=tags)

    # -- talking to a running one

    def raise_event(self, instance_id: str, name: str, input_text: str) -> None:
        """Raises NotFound, Finished. Nobody need be waiting for the event."""
        self.check_running(instance_id)
        self._send(instance_id, events.event_raised(name, input_text, self._instances.now_text()))

    def check_running(self, instance_id: str) -> Instance:
        """The instance, if it has not ended. Raises NotFound, Finished."""
        instance = self._existing(instance_id)
        if instance.finished:
            raise Finished(instance_id)
        return instance

    def terminate(self, instance_id: str, reason: str | None) -> None:
        """End it at once; its children go on. Raises NotFound, Finished."""
        self.check_running(instance_id)
        self._send(instance_id, events.terminated(reason, self._instances.now_text()))

    def suspend(self, instance_id: str, reason: str | None) -> None:
        """Raises NotFound, Finished, WrongState."""
        if self.check_running(instance_id).status == SUSPENDED:
            raise WrongState(
                f"Cannot suspend the orchestration instance {instance_id} because instance is in the Suspended state."
            )
        self._send(instance_id, events.suspended(reason, self._instances.now_text()))

    def resume(self, instance_id: str, reason: str | None) -> None:
        """Raises NotFound, Finished, WrongState."""
        status = self.check_running(instance_id).status
        if status != SUSPENDED:
            raise WrongState(
                f"Cannot resume the orchestration instance {instance_id} because instance is in the {status} state."
            )
        self._send(instance_id, events.resumed(reason, self._instances.now_text()))

    def _send(self, instance_id: str, event: Event) -> None:
        message = Message(instance_id, None, event, self._hub.number())
        with self._hub.transaction():
            self._hub.add_messages([message])
        self._instances.post([message])

    def _existing(self, instance_id: str) -> Instance:
        instance = self._instances.state(instance_id)
        if instance is None:
            raise NotFound(instance_id)
        return instance

    def rewind(self, instance_id: str, reason: str | None) -> None:
        """Undo what failed, in its failed children too, and run on from there. Raises NotFound, WrongState."""
        instance = self._existing(instance_id)
        if instance.status != FAILED:
            raise WrongState(
                f"This orchestration has status {instance.status}, but only orchestrations in the "
                '"Failed" state can be rewound.'
            )
        rewind(self._instances, instance, reason)

    # -- purging

    def purge(self, instance_id: str) -> None:
        """Delete a finished orchestration, or an entity. Raises NotFound, WrongState."""
        instance = self._existing(instance_id)
        if not instance.finished and not instance.is_entity:
            raise WrongState(
                "Only orchestrations in a terminal state can be purged, but the orchestration with instance ID "
                f"{instance_id} has status {instance.status}"
            )
        self._forget([instance_id])

    def purge_by(self, query: Query) -> int:
        """Delete the finished orchestrations that match; how many there were."""
        found = [one.instance_id for one in self._hub.instances() if one.finished and query.matches(one)]
        self._forget(found)
        return len(found)

    def _forget(self, instance_ids: list[str]) -> None:
        with self._hub.transaction():
            for instance_id in instance_ids:
                self._hub.forget(instance_id)
        for instance_id in instance_ids:
            self._instances.leave(instance_id)

    # -- looking

    def status(self, instance_id: str) -> Instance:
        """Raises NotFound."""
        return self._existing(instance_id)

    def history(self, instance: Instance) -> list[Event]:
        """The current execution's events so far, its start alone while it is pending."""
        if instance.is_entity:
            started = events.execution_started(
                instance_id=instance.instance_id,
                execution_id=instance.execution_id,
                name=instance.name,
                version=None,
                input_text=instance.input_text,
                parent=None,
                generation=None,
                at=instance.created,
            )
            return [started]
        return load_events(self._hub.history(instance.instance_id))

    def page(
        self, matches: Callable[[Instance], bool], top: int, after: str | None
    ) -> tuple[list[Instance], str | None]:
        """Instances in the order of their ids after the token, and the token of the next page if there is more."""
        last = read_token(after)
        found: list[Instance] = []
        for instance in self._hub.instances():
            if instance.instance_id <= last or not matches(instance):
                continue
            if len(found) == top:
                return found, next_token(found[-1].instance_id)
            found.append(instance)
        return found, None

    def newest(self, limit: int, *, entities: bool = False) -> list[Instance]:
        """The orchestrations created last, or the entities used last, the newest first."""
        return self._hub.newest(limit, entities=entities)

    # -- entities

    def signal_entity(self, name: str, key: str, operation: str, input_text: str | None) -> None:
        """Send an operation without waiting for its result. Raises UnknownEntity."""
        known = KnownFunctions(self._functions)
        if not known.has("entity", name):
            raise UnknownEntity(known.missing("entity", name.lower()))
        at = self._instances.now_text()
        text = entities.client_signal(operation, input_text, at)
        self._send(entities.entity_id(name, key), events.event_raised(events.OPERATION, text, at))

    def entity_state(self, name: str, key: str) -> str | None:
        """The state as JSON text. Raises NotFound when the entity never ran or was purged."""
        instance = self._instances.state(entities.entity_id(name, key))
        if instance is None or not instance.is_entity or instance.input_text is None:
            raise NotFound(entities.entity_id(name, key))
        return entities.state_of(instance)[1]
