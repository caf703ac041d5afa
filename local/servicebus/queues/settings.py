"""The settings of queues: from `--queue` on the command line, or from the JSON file of Microsoft's emulator."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_pascal

NAMESPACE = "/subscriptions/local/resourceGroups/local/providers/Microsoft.ServiceBus/namespaces/local"
"""Path of the namespace at the resource manager."""
DEAD_LETTERS = "/$deadletterqueue"
_DURATION = TypeAdapter(timedelta)
_LONGEST_LOCK = timedelta(minutes=5)


class SettingsError(ValueError):
    """The settings cannot be used; the message says which one and why."""


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """A queue's rules. Times are milliseconds; the defaults are Azure's.

    `max_delivery_count` None means any number of deliveries, `time_to_live` None that messages never expire,
    `duplicate_window` None that no message is held to be a duplicate.
    """

    name: str
    lock_duration: int = 60_000
    max_delivery_count: int | None = 10
    time_to_live: int | None = None
    duplicate_window: int | None = None
    dead_letter_expired: bool = False

    def dead_letters(self) -> "QueueSettings":
        """The sub-queue of the dead letters: nothing there expires, is given up, or is a duplicate."""
        return QueueSettings(self.name + DEAD_LETTERS, self.lock_duration, max_delivery_count=None)


def milliseconds(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)


def duration_text(duration: int) -> str:
    """Milliseconds as an ISO 8601 duration, the way Azure writes them."""
    return str(_DURATION.dump_python(timedelta(milliseconds=duration), mode="json"))


def parse_queue(text: str) -> QueueSettings:
    """Read `NAME[,lock=PT1M][,max-delivery=10][,ttl=PT1H][,duplicate-detection=PT10M][,dead-letter-expired]`.

    Raises:
        SettingsError: a part is unknown or has a bad value.
    """
    name, *parts = [part.strip() for part in text.split(",")]
    values: dict[str, Any] = {"Name": name, "Properties": {}}
    keys = {"lock": "LockDuration", "max-delivery": "MaxDeliveryCount", "ttl": "DefaultMessageTimeToLive"}
    for part in parts:
        key, _, value = part.partition("=")
        if key in keys and value:
            values["Properties"][keys[key]] = value
        elif key == "duplicate-detection" and value:
            values["Properties"] |= {"RequiresDuplicateDetection": True, "DuplicateDetectionHistoryTimeWindow": value}
        elif part == "dead-letter-expired":
            values["Properties"]["DeadLetteringOnMessageExpiration"] = True
        else:
            known = "lock=, max-delivery=, ttl=, duplicate-detection= and dead-letter-expired"
            raise SettingsError(f"Queue {name!r}: {part!r} is not understood. Known: {known}.")
    try:
        return _Queue.model_validate(values).settings()
    except ValidationError as error:
        raise SettingsError(f"Queue {name!r}: {_first(error)}") from error


def read_config(path: Path) -> list[QueueSettings]:
    """The queues of a file in the format of the Service Bus emulator's `Config.json`.

    Raises:
        SettingsError: the file cannot be read, or asks for what the stand-in lacks (topics, sessions, forwarding).
    """
    try:
        config = _File.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise SettingsError(f"{path}: {_first(error)}") from error
    return merge([], [queue.settings() for space in config.user_config.namespaces for queue in space.queues])


def merge(queues: list[QueueSettings], more: list[QueueSettings]) -> list[QueueSettings]:
    """Both lists, where a queue of the second replaces the one with the same name (names ignore case)."""
    return list({queue.name.lower(): replace(queue, name=queue.name.lower()) for queue in [*queues, *more]}.values())


def _first(error: ValidationError) -> str:
    detail = error.errors()[0]
    return f"{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_pascal)


class _Properties(_Model):
    lock_duration: timedelta = Field(default=timedelta(minutes=1), gt=timedelta(0), le=_LONGEST_LOCK)
    max_delivery_count: int = Field(default=10, ge=1, le=2000)
    default_message_time_to_live: timedelta | None = Field(default=None, gt=timedelta(0))
    requires_duplicate_detection: bool = False
    duplicate_detection_history_time_window: timedelta = Field(default=timedelta(minutes=10), gt=timedelta(0))
    dead_lettering_on_message_expiration: bool = False
    # What the stand-in does not have may only be switched off.
    requires_session: Literal[False] = False
    forward_to: Literal[""] = ""
    forward_dead_lettered_messages_to: Literal[""] = ""


class _Queue(_Model):
    name: str = Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._/-]{0,258}[A-Za-z0-9])?$")
    properties: _Properties = _Properties()

    def settings(self) -> QueueSettings:
        given = self.properties
        life = given.default_message_time_to_live
        window = given.duplicate_detection_history_time_window
        return QueueSettings(
            name=self.name.lower(),
            lock_duration=milliseconds(given.lock_duration),
            max_delivery_count=given.max_delivery_count,
            time_to_live=None if life is None else milliseconds(life),
            duplicate_window=milliseconds(window) if given.requires_duplicate_detection else None,
            dead_letter_expired=given.dead_lettering_on_message_expiration,
        )


class _Namespace(_Model):
    name: str
    queues: list[_Queue] = []
    topics: list[Any] = Field(default=[], max_length=0)


class _UserConfig(_Model):
    namespaces: list[_Namespace]
    logging: dict[str, Any] = {}


class _File(_Model):
    user_config: _UserConfig
