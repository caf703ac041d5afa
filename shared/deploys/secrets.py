"""Environment variables of deployed apps, kept by reference.

In Azure a deployment's variables are one secret of the vault that KEY_VAULT_URI names, opened with the app's identity;
on a laptop, a file that only its owner may read. State documents, messages, histories and answers hold the reference.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from uuid import uuid4

from shared.deploys.settings import settings
from shared.platform.calls.authorities import authorities
from shared.platform.calls.rate_limit import retry_after
from shared.platform.credentials import credential
from shared.platform.errors import NotFound, TerminalError, TransientError
from shared.platform.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from httpx import AsyncClient

VAULT_SCOPE: Final = "https://vault.azure.net/.default"
VAULT_API: Final = "7.4"
VAULT_SECONDS: Final = 30
GIT_TOKEN: Final = "git:token"  # noqa: S105 - a name
"""Under this name the token of a private repository is kept beside an app's variables, none of which can have it."""
NOT_KEPT: Final = "unknown-secret"
_REFERENCE = re.compile(r"^env-[0-9a-f]{32}$")


class SecretStore(Protocol):
    """Keeps maps of environment variables."""

    async def put(self, values: Mapping[str, str]) -> str:
        """Keep the variables under a new reference and give that."""
        ...

    async def get(self, reference: str) -> dict[str, str]:
        """The variables.

        Raises:
            NotFound: nothing is kept under the reference.
        """
        ...

    async def delete(self, reference: str) -> None:
        """Forget them. What is not there is no error."""
        ...


class LocalSecrets:
    """Files of a folder, readable by their owner alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put(self, values: Mapping[str, str]) -> str:
        reference = _new_reference()
        await asyncio.to_thread(self._write, reference, json.dumps(dict(values)))
        return reference

    async def get(self, reference: str) -> dict[str, str]:
        try:
            return json.loads(await asyncio.to_thread(self._path(reference).read_text))
        except FileNotFoundError:
            raise _unknown(reference) from None

    async def delete(self, reference: str) -> None:
        await asyncio.to_thread(self._path(reference).unlink, missing_ok=True)

    def _path(self, reference: str) -> Path:
        return self.folder / _checked(reference)

    def _write(self, reference: str, text: str) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path(reference), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)


class KeyVaultSecrets:
    """Secrets of a Key Vault, over its REST interface with the identity that deploys."""

    def __init__(self, vault: str, http: AsyncClient | None = None) -> None:
        self.vault = vault.rstrip("/")
        self._http = http

    async def put(self, values: Mapping[str, str]) -> str:
        reference = _new_reference()
        body = {"value": json.dumps(dict(values)), "contentType": "application/json"}
        await self._ask("PUT", reference, body)
        return reference

    async def get(self, reference: str) -> dict[str, str]:
        secret = await self._ask("GET", reference)
        if secret is None:
            raise _unknown(reference)
        return json.loads(secret["value"])

    async def delete(self, reference: str) -> None:
        await self._ask("DELETE", reference)

    async def _ask(self, method: str, reference: str, body: dict[str, str] | None = None) -> dict[str, str] | None:
        import httpx  # noqa: PLC0415 - loads in the activity that needs it

        token = (await credential(settings().azure_deployer_client_id).get_token(VAULT_SCOPE)).token
        url = f"{self.vault}/secrets/{_checked(reference)}"
        http = self._http or httpx.AsyncClient(timeout=VAULT_SECONDS, verify=authorities())
        try:
            answer = await http.request(
                method,
                url,
                params={"api-version": VAULT_API},
                json=body,
                headers={"Authorization": f"Bearer {token}"},
            )
        except httpx.HTTPError as error:
            raise TransientError(
                f"Key Vault did not answer: {type(error).__name__}.", code="vault-unavailable"
            ) from None
        finally:
            if self._http is None:
                await http.aclose()
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS or answer.is_server_error:
            raise TransientError(
                f"Key Vault answered {answer.status_code}.",
                code="vault-unavailable",
                retry_after=retry_after(answer.headers.get("Retry-After")),
            )
        if answer.is_error:
            raise TerminalError(
                f"Key Vault refused with {answer.status_code}.",
                code="vault-refused",
                remedy="See that the app's identity may read, write and delete the secrets of that vault.",
            )
        return answer.json()


@lru_cache(maxsize=1)
def _store(vault: str | None, folder: str) -> SecretStore:
    return KeyVaultSecrets(vault) if vault else LocalSecrets(Path(folder) / "secrets")


def secret_store() -> SecretStore:
    """The store that the settings choose: Key Vault where KEY_VAULT_URI names one, else files."""
    config = settings()
    return _store(config.key_vault_uri, config.manifold_local_dir)


async def variables_of(reference: str | None) -> dict[str, str]:
    """What an app is given of what is kept under the reference: its variables, without the token for its source.

    Raises:
        NotFound: they are kept no more.
    """
    kept = await secret_store().get(reference) if reference else {}
    return {name: value for name, value in kept.items() if name != GIT_TOKEN}


async def git_token(reference: str | None) -> str | None:
    """The token that fetches the deployment's source, where its repository is private.

    Raises:
        NotFound: what the reference names is kept no more.
    """
    return (await secret_store().get(reference)).get(GIT_TOKEN) if reference else None


async def redactor(reference: str | None, plain: Collection[str] = ()) -> Redactor:
    """What hides the variables kept under the reference, but for those named in `plain`.

    Raises:
        NotFound: they are kept no more.
    """
    return redactor_for(await secret_store().get(reference) if reference else {}, plain)


def redactor_for(values: Mapping[str, str], plain: Collection[str] = ()) -> Redactor:
    """What hides the values of these variables, but for those named in `plain`."""
    return Redactor(value for name, value in values.items() if name not in plain)


def _new_reference() -> str:
    return f"env-{uuid4().hex}"


def _checked(reference: str) -> str:
    if not _REFERENCE.fullmatch(reference):
        raise TerminalError("This is no reference to variables.", code=NOT_KEPT)
    return reference


def _unknown(reference: str) -> NotFound:
    return NotFound(
        f"The variables {reference} are not kept any more.",
        code=NOT_KEPT,
        remedy="Send them with a new deployment.",
    )
