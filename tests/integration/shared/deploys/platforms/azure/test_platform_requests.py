"""What is asked of Azure: within the role that the Bicep gives, and of the types that Microsoft publishes."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from local.arm.cloud import CLIENT_ID, Outcome
from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.platforms.azure.names import suffix
from shared.deploys.secrets import KeyVaultSecrets, secret_store
from shared.platform.errors import TerminalError
from tests.fresh_settings import forget_settings
from tests.unit.infra.plain import plain
from tools.bicep_check.syntax import parse
from tools.bicep_check.types import AzureTypes, Constant, ListOf, ObjectType, family, options

ROOT = Path(__file__).parents[6]
HOST = "shop.example.com"


async def test_the_role_of_the_app_allows_what_is_asked_and_nothing_else(harness, cloud, recorders):
    """Every request that a deployment can make, once."""
    spec = await harness.spec(custom_domain=HOST)
    await harness.platform.validate(spec, recorders().step)
    await harness.through(spec, to="promote")
    cloud.dns[HOST] = "CNAME"
    cloud.failing_certificates[HOST] = "CAA records forbid it"
    with pytest.raises(TerminalError):
        await harness.bound(spec, recorders().step)
    del cloud.failing_certificates[HOST]
    await harness.bound(spec, recorders().step)
    slow, cancelled = await harness.spec("slow-build", project="slow"), recorders()
    context = await harness.through(slow, to="sync")
    work = asyncio.create_task(harness.platform.build(slow, context, cancelled.step))
    await cancelled.logged("building")
    cancelled.cancel.set()
    with pytest.raises(DeploymentCancelled):
        await work
    second, sick = await harness.spec(), await harness.spec()
    cloud.outcomes[suffix(sick)] = Outcome(healthy=False)
    await harness.through(second)
    await harness.through(sick, to="release")
    await harness.platform.rollback(sick, recorders().step)
    new = await harness.spec(project="new")
    await harness.through(new, to="release")
    await harness.platform.rollback(new, recorders().step)
    assert cloud.actions == granted("actions")


def granted(kind):
    """What the app's own role lists in the Bicep."""
    role = parse(ROOT / "infra/bicep/deployedAppsRoles.bicep").named("deployer")
    return set(plain(role.value)["properties"]["permissions"][0][kind])


async def test_the_role_of_the_app_opens_the_vault_as_far_as_is_needed(harness, cloud, monkeypatch):
    class Credential:
        def __init__(self, client_id):
            self._client_id = client_id

        async def get_token(self, scope):
            return SimpleNamespace(token=cloud.token(scope.removesuffix("/.default"), self._client_id))

    monkeypatch.setattr("shared.deploys.secrets.credential", Credential)
    monkeypatch.setenv("AZURE_DEPLOYER_CLIENT_ID", CLIENT_ID)
    forget_settings()
    vault = KeyVaultSecrets(f"{harness.endpoint}/_vault/")
    reference = await vault.put({"TOKEN": "a-value"})
    assert await vault.get(reference) == {"TOKEN": "a-value"}
    await vault.delete(reference)
    assert cloud.secrets == {}
    assert cloud.actions == granted("dataActions")


async def test_what_is_written_has_the_types_that_microsoft_publishes(harness, cloud, recorder):
    cloud.dns[HOST] = "CNAME"
    reference = await secret_store().put({"TOKEN": "a-value", "EMPTY": ""})
    first, second = [await harness.spec(secrets_reference=reference) for _ in range(2)]
    await harness.through(first)
    second = second.model_copy(update={"custom_domain": HOST})
    await harness.through(second, to="promote")
    await harness.bound(second, recorder.step)
    await harness.platform.cleanup(second, recorder.step)
    known = AzureTypes()
    assert {reference.split("/")[-1].split("@")[0] for reference, *_ in cloud.written} == {
        "containerApps",
        "managedCertificates",
        "taskRuns",
    }
    for reference, method, body in cloud.written:
        schema = known.resource(reference)
        assert schema is not None, reference
        assert [*misfits(body, schema.body, whole=method == "PUT")] == [], reference


def misfits(value, type_, *, whole=True, where=""):
    """Where a JSON value is not what its type says; unless it is whole, required properties may be missing."""
    fitting = [option for option in options(type_) if family(option) in ("any", _JSON[type(value)])]
    constants = [option.value for option in options(type_) if isinstance(option, Constant)]
    if constants and not any(not isinstance(option, Constant) for option in fitting) and value not in constants:
        yield f"{where}: {value!r} is none of {constants}"
    elif not fitting:
        yield f"{where}: {value!r} is no {type_}"
    elif isinstance(value, list) and isinstance(fitting[0], ListOf):
        for index, item in enumerate(value):
            yield from misfits(item, fitting[0].item, where=f"{where}[{index}]")
    elif isinstance(value, dict) and isinstance(fitting[0], ObjectType):
        yield from _misfitting(value, fitting[0], whole, where)


_JSON = {str: "string", int: "int", float: "int", bool: "bool", list: "array", dict: "object"}


def _misfitting(value, type_, whole, where):
    allowed = {**type_.properties, **type_.alternatives.get(value.get(type_.discriminator), {})}
    for name, item in value.items():
        if item is None:
            continue  # as reading it told it: the same as leaving it out
        if name not in allowed and type_.additional is None:
            yield f"{where}.{name} is unknown to {type_}"
        elif name in allowed and allowed[name].read_only:
            yield f"{where}.{name} can only be read"
        else:
            yield from misfits(
                item, allowed[name].type if name in allowed else type_.additional, where=f"{where}.{name}"
            )
    if whole:
        for name, known in allowed.items():
            # The resource's own name stands in its address.
            if known.required and name not in value and not (where == "" and name == "name"):
                yield f"{where}.{name} is required"
