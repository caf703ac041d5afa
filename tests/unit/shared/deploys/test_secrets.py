"""Variables are kept by reference."""

from __future__ import annotations

import json
import stat
from types import SimpleNamespace

import httpx
import pytest

from shared.deploys import secrets
from shared.deploys.secrets import KeyVaultSecrets, LocalSecrets
from shared.platform.errors import NotFound, TerminalError, TransientError


async def test_local_variables_are_for_their_owner_alone(tmp_path) -> None:
    store = LocalSecrets(tmp_path / "secrets")
    reference = await store.put({"A": "canary"})
    [file] = (tmp_path / "secrets").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert "canary" not in reference
    assert await store.get(reference) == {"A": "canary"}
    await store.delete(reference)
    await store.delete(reference)
    with pytest.raises(NotFound):
        await store.get(reference)


@pytest.mark.parametrize("reference", ["../../etc/passwd", "env-", "", "env-" + "g" * 32, "/etc/passwd"])
async def test_a_reference_cannot_name_another_file(tmp_path, reference: str) -> None:
    with pytest.raises(TerminalError):
        await LocalSecrets(tmp_path).get(reference)


@pytest.fixture
def vault(monkeypatch):
    """A Key Vault behind a transport, as its REST reference describes it."""
    kept: dict[str, str] = {}
    status = SimpleNamespace(forced=None, asked=[])

    def answer(request: httpx.Request) -> httpx.Response:
        status.asked.append(request)
        name = request.url.path.removeprefix("/secrets/")
        if status.forced:
            return httpx.Response(status.forced)
        if request.method == "PUT":
            kept[name] = json.loads(request.content)["value"]
        elif name not in kept:
            return httpx.Response(404, json={"error": {"code": "SecretNotFound"}})
        elif request.method == "DELETE":
            return httpx.Response(200, json={"value": kept.pop(name)})
        return httpx.Response(200, json={"value": kept[name]})

    async def token(scope: str):
        assert scope == secrets.VAULT_SCOPE
        return SimpleNamespace(token="t")

    monkeypatch.setattr(secrets, "credential", lambda _: SimpleNamespace(get_token=token))
    status.kept = kept
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    status.store = KeyVaultSecrets("https://kva-x.vault.azure.net/", http)
    return status


async def test_key_vault_keeps_variables_as_one_secret(vault) -> None:
    reference = await vault.store.put({"A": "1", "B": "2"})
    assert json.loads(vault.kept[reference]) == {"A": "1", "B": "2"}
    assert await vault.store.get(reference) == {"A": "1", "B": "2"}
    await vault.store.delete(reference)
    with pytest.raises(NotFound):
        await vault.store.get(reference)
    request = vault.asked[0]
    assert str(request.url) == f"https://kva-x.vault.azure.net/secrets/{reference}?api-version=7.4"
    assert request.headers["authorization"] == "Bearer t"


@pytest.mark.parametrize(("status", "error"), [(429, TransientError), (503, TransientError), (403, TerminalError)])
async def test_key_vault_s_refusals_say_whether_to_try_again(vault, status: int, error) -> None:
    vault.forced = status
    with pytest.raises(error) as refused:
        await vault.store.put({"A": "canary"})
    assert "canary" not in str(refused.value)
