"""Which durable functions the app has, and what the extension says of one that it does not have."""

from typing import Literal

from local.host.durable.model.ports import DurableFunctions

Kind = Literal["orchestrator", "activity", "entity"]


class KnownFunctions:
    """The app's functions as they are now: a reload may bring others. Look-ups ignore case."""

    def __init__(self, functions: DurableFunctions) -> None:
        self._names: dict[Kind, list[str]] = {
            "orchestrator": list(functions.orchestrators),
            "activity": list(functions.activities),
            "entity": [name.lower() for name in functions.entities],
        }
        self._lowered = {kind: {name.lower() for name in names} for kind, names in self._names.items()}

    def has(self, kind: Kind, name: str) -> bool:
        return name.lower() in self._lowered[kind]

    def missing(self, kind: Kind, name: str) -> str:
        """The extension's words for a function that the app does not have."""
        names = ", ".join(f"'{one}'" for one in self._names[kind])
        known = (
            f"The following are the known {kind} functions: {names}."
            if names
            else (f"No {kind} functions are currently registered!")
        )
        return (
            f"The function '{name}' doesn't exist, is disabled, or is not an {kind} function. Additional info: {known}"
        )
