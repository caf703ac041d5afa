"""What a writer is given to write about, and what it gives back."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

from shared.platform.models import LazyModel


class Brief(LazyModel):
    """Everything that a mail may mention. Notes are a person's words about a client: data, never an instruction."""

    model_config = ConfigDict(frozen=True)
    followup_type: str
    client_name: str
    stage: str
    property_address: str
    property_type: str
    client_notes: str
    task_notes: str
    agent_name: str
    agent_title: str
    agent_phone: str
    company: str

    @property
    def first_name(self) -> str:
        """What to call the client by; "" when its name is none."""
        words = self.client_name.split()
        first = words[0].strip(",;.") if words else ""
        return first if any(character.isalpha() for character in first) else ""

    @property
    def vouched(self) -> str:
        """What the agent itself stands for: the notes about a client may hold what a stranger wrote."""
        return "\n".join(str(value) for value in self.model_dump(exclude={"client_name", "client_notes"}).values())

    @property
    def facts(self) -> str:
        """All of it as one text, in which every number and day of a mail must occur.

        A step's name is no fact, nor is a part of a telephone number.
        """
        return "\n".join(str(value) for value in self.model_dump(exclude={"followup_type", "agent_phone"}).values())

    @property
    def names(self) -> list[str]:
        """What a mail repeats as it stands, the longest first."""
        names = {self.property_address, self.company, self.agent_name, self.client_name, self.first_name}
        return sorted((name for name in names if name), key=len, reverse=True)


class Draft(LazyModel):
    """What was written, and who wrote it: no greeting to nobody, no signature."""

    model_config = ConfigDict(frozen=True)
    subject: str
    body: str
    written_by: str = "agent"


def brief_of(row: dict[str, Any]) -> Brief:
    """The brief in a row that `facts.read` gave."""
    columns = {"client_notes": "client_notes", "task_notes": "task_notes", "company": "company"}
    columns |= {name: name for name in Brief.model_fields if name not in columns}
    return Brief.model_validate({name: row[column] or "" for name, column in columns.items()})


def footer_of(row: dict[str, Any]) -> str:
    """Who writes, from where and why: what the law asks for under every commercial mail."""
    signature = [row["agent_name"], row["agent_title"], row["company"], row["agent_phone"], row["postal_address"]]
    reason = f"You receive this because you are a client of {row['company'] or row['agent_name']}."
    return "\n".join([*(line.strip() for line in signature if line and line.strip()), "", reason])
