"""Names that Azure takes, whatever the caller calls its projects."""

import re

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.deploys.platforms.azure.names import app_name, place, revision_name, suffix, task_run_name
from shared.deploys.platforms.azure.registry import image_name
from shared.platform.errors import TerminalError
from tests.fresh_settings import forget_settings

IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True)


@given(IDS, IDS)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_project_has_a_name_that_container_apps_takes(spec, organization, project):
    one = spec(organization_id=organization, project_id=project)
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", app_name(one))
    assert len(app_name(one)) <= 32
    assert len(revision_name(one)) <= 54
    assert re.fullmatch(r"[a-z0-9]+([._/-][a-z0-9]+)*:[a-z0-9]+", image_name(one))


def test_projects_organizations_and_environments_do_not_share_an_app(spec):
    specs = [
        spec(),
        spec(project_id="shop-"),
        spec(project_id="SHOP"),
        spec(organization_id="other"),
        spec(environment="production"),
        spec(organization_id="org-shop", project_id="a"),
        spec(organization_id="org", project_id="shop-a"),
    ]
    assert len({app_name(one) for one in specs}) == len(specs)


def test_a_deployment_has_the_same_names_each_time(spec):
    assert (suffix(spec()), task_run_name(spec())) == ("dabcdefghij27", "build-dabcdefghij27")
    assert revision_name(spec()) == f"{app_name(spec())}--dabcdefghij27"


def test_a_place_that_is_not_configured_is_told_by_setting(monkeypatch):
    monkeypatch.setenv("POSTGRES_DSN", "host=unused")
    forget_settings()
    with pytest.raises(TerminalError, match="AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP"):
        place()
    forget_settings()
