"""What a subscription holds: resources by their ids, and what decides whether Azure takes another one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from local.arm.cloud import Json


def type_at(path: str) -> str:
    """The type of the resource at a path, as `Provider/type/subtype`."""
    if "/providers/" not in path:
        return "Microsoft.Resources/resourceGroups"
    provider, *rest = path.rsplit("/providers/", 1)[-1].split("/")
    return "/".join([provider, *rest[::2]])


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass
class Subscription:
    """What was put into a subscription, by resource id in lower case; tests reach into it.

    Attributes:
        today: the date, for what Azure allows at certain times only.
        deleted_vaults: vaults that were deleted and not purged, by name.
        restricted: regions in which the subscription may have no PostgreSQL.
        models_not_offered: by the region of the models.
        model_quota: of each model, in thousands of tokens.
        deleted_accounts: ids of accounts of models that were deleted and not purged.
        registered: resource providers, in lower case; a deployment registers those that it needs.
    """

    id: str = "00000000-0000-0000-0000-000000000001"
    today: date = field(default_factory=_today)
    resources: dict[str, Json] = field(default_factory=dict[str, Json])
    deleted_vaults: dict[str, Json] = field(default_factory=dict[str, Json])
    restricted: set[str] = field(default_factory=set[str])
    models_not_offered: set[str] = field(default_factory=set[str])
    model_quota: float = 250.0
    deleted_accounts: list[str] = field(default_factory=list[str])
    registered: set[str] = field(default_factory=lambda: {"microsoft.consumption"})

    def find(self, id_: str) -> Json | None:
        return self.resources.get(id_.lower())

    def below(self, id_: str) -> list[str]:
        """The ids of a resource and of everything inside it."""
        start = id_.lower()
        return [known for known in self.resources if known == start or known.startswith(f"{start}/")]

    def of_type(self, kind: str, at: str = "") -> list[Json]:
        """The resources of a type at or below a path."""
        found = [one for id_, one in self.resources.items() if id_.startswith(at.lower())]
        return [one for one in found if one["type"].lower() == kind.lower()]
