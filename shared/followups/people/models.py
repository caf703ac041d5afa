"""Agents, clients and tasks, as they are stored and as the routes show them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from shared.followups.scheduling.cadence import CUSTOM, Priority
from shared.followups.scheduling.calendar import Calendar, Country, LocalTime, TimeZone, WorkingDays
from shared.platform.models import LazyModel, RequestBody
from shared.platform.moments import Moment
from shared.platform.printable import Line, Name

PropertyType = Literal["residential", "commercial", "land", "other"]
Stage = Literal["lead", "negotiating", "under_contract", "closed", "lost"]
TaskStatus = Literal["pending", "completed", "skipped", "cancelled"]
LONGEST_ADDRESS: Final = 254
"""Characters of an e-mail address (RFC 5321)."""
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 200
ACTIVE_STAGES: tuple[Stage, ...] = ("lead", "negotiating", "under_contract")
"""The stages in which a client is written to."""


def _address(text: str) -> str:
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - loads when the first is read

    try:
        valid = validate_email(text, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return (valid.ascii_email or valid.normalized).lower()


Text = Annotated[str, StringConstraints(max_length=10_000)]
Address = Annotated[
    str, StringConstraints(max_length=LONGEST_ADDRESS), AfterValidator(_address), Field(examples=["ann@example.com"])
]
LARGEST_ID: Final = 2**63 - 1
"""Of PostgreSQL's bigint."""
Identifier = Annotated[int, Field(ge=1, le=LARGEST_ID)]
"""A row's number in a path or a query, where all is text."""
Number = Annotated[int, Field(ge=1, le=LARGEST_ID, strict=True)]
"""A row's number in a body."""


class ResponseBody(LazyModel):
    """What an answer shows."""

    model_config = ConfigDict(frozen=True)


class Hours(RequestBody):
    """When somebody may be written to; what is left out is the default."""

    time_zone: TimeZone | None = None
    working_days: WorkingDays | None = None
    opens: LocalTime | None = None
    closes: LocalTime | None = None
    country: Country | None = None

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Hours:
        if (self.opens is None) != (self.closes is None):
            raise ValueError("opens and closes go together")
        if self.opens and self.closes and self.closes <= self.opens:
            raise ValueError("closes must be later than opens")
        return self


class ProfileFields(Hours):
    """What may be known of an agent beside its name."""

    phone: Line | None = None
    title: Line | None = None
    company: Line | None = None
    bio: Text | None = None
    avatar_url: Annotated[str, Field(max_length=2000, pattern=r"^https://[!-~]+$")] | None = None
    postal_address: Annotated[Text, Field(description="Stands under every mail, as the law asks for")] | None = None
    send_mode: Literal["automatic", "approve"] | None = Field(
        default=None, description="automatic: sent when due; approve: each mail waits for the agent"
    )
    daily_cap: Annotated[int, Field(ge=0, le=100_000, strict=True, description="Most mails of one day")] | None = None


class AgentProfile(ProfileFields):
    """What an agent may change about itself."""

    name: Name | None = None


class Agent(ResponseBody):
    """An agent, as it sees itself."""

    id: int
    email: str
    auth_provider: Literal["email", "google"]
    name: str
    phone: str | None
    title: str | None
    company: str | None
    bio: str | None
    avatar_url: str | None
    google_sub: str | None = Field(description="Google's number of the person; null: not linked")
    is_active: bool
    postal_address: str | None
    time_zone: str
    working_days: tuple[int, ...]
    opens: LocalTime
    closes: LocalTime
    country: str | None
    send_mode: Literal["automatic", "approve"]
    daily_cap: int
    paused_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ClientFields(Hours):
    """What is known of a client."""

    name: Line | None = None
    phone: Line | None = None
    property_address: Line | None = None
    property_type: PropertyType = "residential"
    stage: Stage = "lead"
    notes: Text | None = None
    custom_fields: dict[Annotated[str, Field(max_length=100)], Any] = Field(
        default_factory=dict[str, Any], max_length=50
    )


class NewClient(ClientFields):
    """A client to enter; an agent has one of each address."""

    email: Address
    create_tasks: bool = Field(default=False, description="Plan the cadence for the client")


class ClientChange(ClientFields):
    """The fields to change; the others stay."""

    email: Address | None = None
    email_unsubscribed: bool | None = Field(
        default=None,
        description="true: the agent writes to the client no more; false: as `allow-again`; null: as it is",
    )


class Client(ResponseBody):
    """A client, as its agent sees it. Of the five fields of hours, null is the agent's own."""

    id: int
    agent_id: int
    name: str | None
    email: str
    phone: str | None
    property_address: str | None
    property_type: PropertyType
    stage: Stage
    notes: str | None
    custom_fields: dict[str, Any]
    last_contacted: datetime | None
    email_unsubscribed: bool
    is_deleted: bool
    paused_at: datetime | None
    time_zone: str | None
    working_days: tuple[int, ...] | None
    opens: LocalTime | None
    closes: LocalTime | None
    country: str | None
    created_at: datetime
    updated_at: datetime


class NewTask(RequestBody):
    """A follow-up beside the cadence, or a step of it that the client has not yet."""

    client_id: Number
    followup_type: Annotated[Name, Field(description="Custom, or the name of a step")] = CUSTOM
    scheduled_for: Moment
    priority: Priority = "medium"
    notes: Text | None = None


class TaskDraft(RequestBody):
    """Words that the agent keeps with a task: shown until its mail is written, never sent by themselves."""

    subject: Line
    body: Text
    custom_instructions: Text | None = None
    timestamp: Annotated[int, Field(ge=0, le=LARGEST_ID)] | None = Field(
        default=None, description="Milliseconds since 1970"
    )


class TaskChange(RequestBody):
    """The fields to change; the others stay. Of a task that has ended only notes and priority can be changed."""

    scheduled_for: Moment | None = None
    priority: Priority | None = None
    notes: Text | None = None
    status: TaskStatus | None = Field(default=None, description="The same as it has leaves it as it is")
    email_preview: TaskDraft | None = None


class TaskMail(ResponseBody):
    """The words of a task's mail."""

    subject: str
    body: str
    custom_instructions: str | None = None
    timestamp: int | None = None


class Task(ResponseBody):
    """A follow-up: a mail to send, or something for the agent to do. Times are in UTC."""

    id: int
    agent_id: int
    client_id: int
    followup_type: str
    channel: Literal["email", "agent"] = Field(description="agent: for a person to do; nothing is sent")
    scheduled_for: datetime
    planned_for: datetime = Field(description="Before anything moved it")
    status: TaskStatus
    priority: Priority
    notes: str | None
    reason: str | None = Field(description="Why it was moved, skipped or cancelled")
    email_sent_id: int | None = Field(description="Its mail, once it was handed over")
    email_preview: TaskMail | None = Field(description="Its mail, once it was written; before, the agent's draft")
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime


def calendar_of(row: dict[str, Any]) -> Calendar:
    """The calendar in a row that has its five columns."""
    return Calendar.model_validate({name: row[name] for name in Calendar.model_fields})
