"""A request to deploy, and the state document that is made of it."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.deploys.models import ArchiveSource, Deployment, DeployRequest

# As the page of the replaced system shows it.
EXAMPLE = {
    "projectId": "my-app",
    "userId": "user_123",
    "organizationId": "org_456",
    "projectName": "My Application",
    "environment": "production",
    "customDomain": "myapp.com",
    "containerSize": {"cpu": "1", "memory": "2Gi"},
    "envVariables": {"DATABASE_URL": "postgres://...", "API_KEY": "secret123"},
    "buildCommand": "npm run build",
    "startCommand": "npm start",
}


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def request(**changes) -> DeployRequest:
    return DeployRequest.model_validate({**EXAMPLE, **changes})


def deployment(**changes) -> Deployment:
    given = request(**changes).model_dump(include=set(Deployment.model_fields))
    source = ArchiveSource(hash="0" * 64)
    return Deployment(**given, id="dep_AAAAAAAAAAAA", source=source, created_at=NOW, updated_at=NOW)
