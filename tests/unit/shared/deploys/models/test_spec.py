"""What a platform is given of a deployment."""

from __future__ import annotations

from shared.deploys.models import PORT
from tests.unit.shared.deploys.models.requested import deployment


def test_defect_the_port_changes_when_a_size_is_set() -> None:
    assert deployment(containerSize=None).spec().port == deployment().spec().port == PORT


def test_the_health_path_and_its_time_reach_the_platform() -> None:
    spec = deployment(healthPath="/ready", healthSeconds=90).spec()
    assert (spec.health_path, spec.health_seconds) == ("/ready", 90)
    assert (deployment().spec().health_path, deployment().spec().health_seconds) == (None, None)
