"""The state document, and what a platform is given of it."""

from __future__ import annotations

import json

import pytest

from shared.deploys.models import PORT, SCALES, ContainerSize, Deployment, document
from tests.unit.shared.deploys.models.requested import deployment


def test_a_state_document_has_no_place_for_variables() -> None:
    assert not {"env_variables"} & set(Deployment.model_fields)
    assert "secret123" not in json.dumps(document(deployment()))


def test_defect_the_port_changes_when_a_size_is_set() -> None:
    assert deployment(containerSize=None).spec().port == deployment().spec().port == PORT


@pytest.mark.parametrize(
    ("environment", "least", "most", "cpu", "memory"),
    [("development", 0, 2, "0.5", "1Gi"), ("staging", 1, 5, "1", "2Gi"), ("production", 2, 10, "2", "4Gi")],
)
def test_each_environment_has_its_scale(environment, least, most, cpu, memory) -> None:
    scale = deployment(environment=environment, containerSize=None).spec().scale
    assert (scale.min_replicas, scale.max_replicas, scale.size.cpu, scale.size.memory) == (least, most, cpu, memory)
    assert (scale.requests, scale.cpu_percent) == (100, 70)
    own = deployment(environment=environment).spec().scale
    assert own == SCALES[environment].model_copy(update={"size": ContainerSize(cpu="1", memory="2Gi")})


def test_the_health_path_and_its_time_reach_the_platform() -> None:
    spec = deployment(healthPath="/ready", healthSeconds=90).spec()
    assert (spec.health_path, spec.health_seconds) == ("/ready", 90)
    assert (deployment().spec().health_path, deployment().spec().health_seconds) == (None, None)
