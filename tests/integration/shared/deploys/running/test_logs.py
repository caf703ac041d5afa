"""The log of a deployment in Blob Storage: nothing twice, nothing without bound."""

from __future__ import annotations

from uuid import uuid4

import pytest

from shared.deploys.running import logs
from shared.deploys.running.steps import DeploymentRef
from shared.platform.redaction import Redactor


@pytest.fixture
def ref() -> DeploymentRef:
    """A deployment of nobody else."""
    return DeploymentRef(deployment_id="dep_AAAAAAAAAAAA", organization_id=f"org-{uuid4().hex[:12]}")


async def test_lines_that_could_not_be_appended_are_appended_later(ref, storage, appends, monkeypatch) -> None:
    monkeypatch.setattr(logs, "BLOCK_BYTES", 40)
    monkeypatch.setattr(logs, "FLUSH_SECONDS", 60)
    appends.failing = {2}
    log = logs.DeploymentLog(ref.organization_id, ref.deployment_id, Redactor(()))
    lines = [f"line {number} of the build" for number in range(3)]
    await log.write("\n".join(lines))
    await log.flush()
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    assert [line.split(" ", 1)[1] for line in text.splitlines()] == lines


async def test_lines_that_wait_for_the_storage_do_not_fill_the_memory(ref, storage, appends, monkeypatch) -> None:
    monkeypatch.setattr(logs, "BLOCK_BYTES", 40)
    monkeypatch.setattr(logs, "KEPT_BYTES", 500)
    appends.failing = set(range(1_000))
    log = logs.DeploymentLog(ref.organization_id, ref.deployment_id, Redactor(()))
    for number in range(60):
        await log.write(f"line {number} of the build")
    appends.failing = set()
    await log.flush()
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    assert text.splitlines()[-1].endswith("line 59 of the build")
    assert text.startswith("Blob Storage was away: ")
    assert len(text) < 700


async def test_defect_lines_whose_answer_was_lost_are_appended_twice(ref, storage, monkeypatch) -> None:
    blob = logs._blob

    def losing(name):
        client = blob(name)
        append = client.append_block

        async def twice(data, **conditions):
            await append(data, **conditions)  # its answer is lost, and the client sends it again
            return await append(data, **conditions)

        monkeypatch.setattr(client, "append_block", twice)
        return client

    monkeypatch.setattr(logs, "_blob", losing)
    log = logs.DeploymentLog(ref.organization_id, ref.deployment_id, Redactor(()))
    other = logs.DeploymentLog(ref.organization_id, ref.deployment_id, Redactor(()))
    for number in range(3):
        await log.write(f"line {number}")
        await log.flush()
        await other.write(f"of another run {number}")
        await other.flush()
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    assert [line[9:] for line in text.splitlines()] == [
        line for number in range(3) for line in (f"line {number}", f"of another run {number}")
    ]


async def test_a_log_has_an_end(ref, storage, monkeypatch) -> None:
    monkeypatch.setattr(logs, "LOG_BYTES", 1_000)
    log = logs.DeploymentLog(ref.organization_id, ref.deployment_id, Redactor(()))
    monkeypatch.setattr(logs, "END_BYTES", 1_000)
    monkeypatch.setattr(logs, "BLOCK_BYTES", 500)
    for number in range(40):
        await log.write(f"{number} " + "x" * 100)
    await log.flush()
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    assert len(text) < 3_000
    assert "lines are left out here" in text
    assert text.splitlines()[-1].endswith("39 " + "x" * 100)
