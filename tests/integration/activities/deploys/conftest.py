"""Deployments, on a real document database and a real blob store, and a platform that does what the test says."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import activities.deploys.outcome
import activities.deploys.running
import activities.deploys.steps
from shared.deploys.documents import store
from shared.deploys.running.steps import DeploymentRef
from shared.deploys.secrets import secret_store
from tests.integration.activities.deploys.worked_on import ANSWERS, CANARY
from tests.integration.shared.deploys.conftest import appends, cosmos, new, sent, state

__all__ = ["appends", "cosmos", "new", "sent", "state"]


@pytest.fixture
def platform(monkeypatch, storage):
    """Answers as ANSWERS says; `platform.does["build"] = behaviour` of (spec, step) comes first."""
    scripted = SimpleNamespace(does={}, calls=[])

    class Platform:
        def __getattr__(self, name):
            async def method(spec, *given):
                scripted.calls.append(name)
                step = next(one for one in given if hasattr(one, "cancelled"))
                if name in scripted.does:
                    answer = await scripted.does[name](spec, step)
                    return ANSWERS[name] if answer is None else answer
                return ANSWERS[name]

            return method

    for steps in (activities.deploys.steps, activities.deploys.outcome):
        monkeypatch.setattr(steps, "platform", Platform)
    return scripted


@pytest.fixture
async def ref(new):
    reference = await secret_store().put({"API_KEY": CANARY})
    written = await store.create(new(secrets_reference=reference))
    return DeploymentRef(deployment_id=written.id, organization_id=written.organization_id)
