"""Routes of a project's variables, which every later deployment of it is given."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, field_validator, model_validator

from shared.deploys.models import VARIABLE_NAME, Name, Wire
from shared.deploys.models.requests import check_names, check_variables, refusal
from shared.deploys.requests import variables
from shared.deploys.requests.answers import ProjectVariable, ProjectVariables
from shared.platform.access.auth import Caller
from shared.platform.http import Routes
from shared.platform.redaction import HIDDEN
from triggers.deploys.callers import READ, WRITE, OrganizationQuery, organization_of

routes = Routes(tag="deploys")
VariableName = Annotated[str, VARIABLE_NAME]


class SetVariables(Wire):
    """Variables to add or to replace; the others stay."""

    variables: dict[str, SecretStr] = Field(
        min_length=1,
        description="Kept as secrets",
        json_schema_extra={"propertyNames": {"pattern": f"^{VARIABLE_NAME.pattern}$"}},
    )
    plain_variables: list[VariableName] = Field(
        default_factory=list[str], max_length=100, description="Names of those that are no secrets: they are shown"
    )

    _named = field_validator("variables", mode="before")(check_names)

    @model_validator(mode="after")
    def _usable(self) -> SetVariables:
        check_variables({name: value.get_secret_value() for name, value in self.variables.items()})
        if missing := [name for name in self.plain_variables if name not in self.variables]:
            raise refusal(f"plainVariables names {missing[0]}, which variables does not have")
        return self


@routes.get("/deploy/project/{id}/variables", needs=READ, summary="A project's variables")
async def deploys_variables(id: Name, query: OrganizationQuery, caller: Caller) -> ProjectVariables:  # noqa: A002 - the name in the path
    """With the values of those that are no secrets."""
    organization = organization_of(caller, query.organizationId)
    return _shown(id, await variables.of_project(organization, id))


@routes.put("/deploy/project/{id}/variables", needs=WRITE, summary="Set variables of a project")
async def deploys_set_variables(
    id: Name,  # noqa: A002 - as above
    query: OrganizationQuery,
    body: SetVariables,
    caller: Caller,
) -> ProjectVariables:
    """Later deployments of the project have them; what a request to deploy names itself comes first."""
    organization = organization_of(caller, query.organizationId)
    values = {name: value.get_secret_value() for name, value in body.variables.items()}
    return _shown(id, await variables.put(organization, id, values, body.plain_variables))


@routes.delete("/deploy/project/{id}/variables/{name}", needs=WRITE, summary="Delete a variable of a project")
async def deploys_delete_variable(
    id: Name,  # noqa: A002 - as above
    name: VariableName,
    query: OrganizationQuery,
    caller: Caller,
) -> ProjectVariables:
    """Later deployments do not have it; what serves keeps it."""
    organization = organization_of(caller, query.organizationId)
    return _shown(id, await variables.remove(organization, id, name))


def _shown(project: str, known: variables.Variables) -> ProjectVariables:
    return ProjectVariables(
        project_id=project,
        variables=[
            ProjectVariable(name=name, value=value if name in known.plain else HIDDEN, secret=name not in known.plain)
            for name, value in sorted(known.values.items())
        ],
    )
