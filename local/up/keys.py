"""The keys of the stand-ins: made anew for each start where all that uses them is started here.

What runs elsewhere, a host of one's own say, knows only those that Microsoft's emulators have on every machine.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from local import azurite, servicebus
from local.cosmos.rest import signature

PLATFORM_TOKEN = "LOCAL_PLATFORM_TOKEN"  # noqa: S105 - the name of a setting


@dataclass(frozen=True)
class Keys:
    """Those of the storage, Cosmos DB and Service Bus accounts; and the token of the platform of deployed apps.

    Without a token the developer's own setting holds.
    """

    storage: str = azurite.KEY
    documents: str = signature.EMULATOR_KEY
    messages: str = servicebus.EMULATOR_KEY
    platform_token: str | None = None

    @classmethod
    def fresh(cls) -> Keys:
        """Keys that nobody knows yet."""
        account = [base64.b64encode(secrets.token_bytes(64)).decode() for _ in range(2)]
        return cls(*account, messages=secrets.token_urlsafe(32), platform_token=secrets.token_urlsafe(32))

    def environment(self) -> Mapping[str, str]:
        """For the services: every user of the machine sees the flags of a process, and no other its environment."""
        token = {PLATFORM_TOKEN: self.platform_token} if self.platform_token else {}
        return {
            azurite.KEY_VARIABLE: self.storage,
            signature.KEY_VARIABLE: self.documents,
            servicebus.KEY_VARIABLE: self.messages,
            **token,
        }
