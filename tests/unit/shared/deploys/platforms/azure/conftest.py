"""A deployment as a platform sees it."""

import pytest

from shared.deploys.models import SCALES, ArchiveSource, DeploymentSpec


@pytest.fixture
def spec():
    """Makes one: `spec(project_id="shop")`."""

    def make(**changes) -> DeploymentSpec:
        values = {
            "deployment_id": "dep_ABCDEFGHIJ27",
            "organization_id": "org",
            "project_id": "shop",
            "project_name": "Shop",
            "environment": "development",
            "template_type": None,
            "source": ArchiveSource(hash="0" * 64),
            "build_command": (),
            "start_command": (),
            "custom_domain": None,
            "secrets_reference": None,
            "scale": SCALES["development"],
        }
        return DeploymentSpec.model_validate(values | changes)

    return make
