"""Least privilege as a table: who may do what, and nobody anything else."""

import re

from tests.present import present
from tests.unit.infra.plain import plain
from tools.bicep_check.syntax import body, children, field, text, walk

ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0": "Service Bus Data Receiver",
    "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39": "Service Bus Data Sender",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "0ad04412-c4d5-4796-b79c-f76d14c8d402": "Durable Task Data Contributor",
    "09976791-48a7-449e-bb21-39d1a415f350": "Communication and Email Service Owner",
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd": "Cognitive Services OpenAI User",
    "db58b8e5-c6ad-4a2a-8342-4190687cbf4a": "Storage Blob Delegator",
}
CUSTOM = {"deployer"}
"""Roles of our own: what they allow is held to the requests by the tests of the Azure platform."""
ALLOWED = {
    ("roles", "appPrincipalId", "hostStorage"): {
        "Storage Blob Data Owner",
        "Storage Queue Data Contributor",
        "Storage Table Data Contributor",
    },
    ("roles", "appPrincipalId", "dataStorage"): {"Storage Blob Data Contributor"},
    ("roles", "appPrincipalId", "serviceBus"): {"Service Bus Data Receiver", "Service Bus Data Sender"},
    ("roles", "appPrincipalId", "vault"): {"Key Vault Secrets User"},
    ("roles", "operatorId", "vault"): {"Key Vault Secrets User"},
    ("roles", "appPrincipalId", "insights"): {"Monitoring Metrics Publisher"},
    ("scheduler", "appPrincipalId", "hub"): {"Durable Task Data Contributor"},
    ("communication", "appPrincipalId", "service"): {"Communication and Email Service Owner"},
    ("communication", "topic.identity.principalId", "eventsQueue"): {"Service Bus Data Sender"},
    ("paperEvents", "topic.identity.principalId", "queue"): {"Service Bus Data Sender"},
    ("catalog", "identity.properties.principalId", "databaseUrl"): {"Key Vault Secrets User"},
    ("catalog", "identity.properties.principalId", "encryption"): {"Key Vault Secrets User"},
    ("catalog", "identity.properties.principalId", "lake"): {"Storage Blob Data Contributor", "Storage Blob Delegator"},
    ("openAi", "appPrincipalId", "account"): {"Cognitive Services OpenAI User"},
    ("deployedAppsRoles", "deployerPrincipalId", "the resource group"): {"deployer"},
    ("deployedAppsRoles", "pullPrincipalId", "registry"): {"AcrPull"},
}


def assignments(modules):
    """Every role assignment of the modules as (module, principal, scope) -> names of roles."""
    found = {}
    for name, module in modules.items():
        for declaration in module.declarations:
            if not declaration.subject.startswith("Microsoft.Authorization/roleAssignments@"):
                continue
            value = plain(declaration.value)
            given = present(
                re.fullmatch(
                    r"subscriptionResourceId\('Microsoft.Authorization/roleDefinitions', (\w+)(?:\.name)?\)",
                    value["properties"]["roleDefinitionId"],
                )
            )[1]
            names = [text(item) for item in children(children(declaration.value)[1])] if given == "role" else [given]
            roles = {role if role in CUSTOM else ROLES[plain(module.named(role).value)] for role in names}
            key = (name, value["properties"]["principalId"], value.get("scope", "the resource group"))
            found[key] = found.get(key, set()) | roles
    return found


def test_each_identity_may_do_what_it_needs_and_nothing_else(modules):
    assert assignments(modules) == ALLOWED


def test_assignments_are_named_by_what_they_bind(modules):
    """Azure refuses a second assignment of the same under another name, so the name must follow from the three."""
    for module in modules.values():
        for declaration in module.declarations:
            if declaration.subject.startswith("Microsoft.Authorization/roleAssignments@"):
                value = plain(declaration.value)
                scope = value.get("scope", "resourceGroup()")
                principal = value["properties"]["principalId"]
                # An identity that Azure makes with its resource has no id before: the resource stands for it.
                bound = principal.replace(".identity.principalId", ".id")
                assert value["name"].startswith(f"guid({scope}.id, {bound}, ")
                kind = "operatorType" if principal == "operatorId" else "ServicePrincipal"
                assert value["properties"]["principalType"] == kind


def test_the_principals_are_the_identities_of_main(modules):
    main = modules["main"]
    calls = ("roles", "deployedAppsRoles", "cosmos", "scheduler", "communication", "openAi")
    given = {call: plain(main.named(call).value)["params"] for call in calls}
    deployed = given["deployedAppsRoles"]
    apps = {params["appPrincipalId"] for params in given.values() if params is not deployed}
    assert apps == {"appIdentity.outputs.principalId"}
    assert deployed["deployerPrincipalId"] == "deployerIdentity.outputs.principalId"
    assert given["deployedAppsRoles"]["pullPrincipalId"] == "pullIdentity.outputs.principalId"
    assert (given["roles"]["operatorId"], given["roles"]["operatorType"]) == ("databaseAdminId", "databaseAdminType")
    scopes = {call: plain(main.named(call).value)["scope"] for call in given}
    assert scopes == dict.fromkeys(calls, "platformGroup") | {"deployedAppsRoles": "deployedAppsGroup"}


def test_the_role_of_our_own_is_for_one_resource_group_and_names_each_action(modules):
    module = modules["deployedAppsRoles"]
    role = plain(module.named("deployer").value)["properties"]
    assert (role["assignableScopes"], plain(module.named("group").value)) == (["group"], "resourceGroup().id")
    (permissions,) = role["permissions"]
    assert not [one for one in [*permissions["actions"], *permissions["dataActions"]] if "*" in one]


def test_in_cosmos_the_app_reads_and_writes_documents_of_one_account(modules):
    access = plain(modules["cosmos"].named("appAccess").value)["properties"]
    assert plain(modules["cosmos"].named("dataContributor").value) == "00000000-0000-0000-0000-000000000002"
    assert access["roleDefinitionId"] == "${account.id}/sqlRoleDefinitions/${dataContributor}"
    assert access["scope"] == "account.id"
    databases = [d for d in modules["cosmos"].declarations if "/sqlDatabases@" in d.subject]
    assert len(databases) == 1


def test_the_app_shows_its_own_identity_and_the_one_that_deploys(modules):
    app = body(modules["functionApp"].named("app").value)
    identity = next(children(item)[1] for item in children(present(app)) if text(item).startswith("identity"))
    assigned = {"'${identityId}'": {}, "'${deployerIdentityId}'": {}}
    assert plain(identity) == {"type": "UserAssigned", "userAssignedIdentities": assigned}
    given = plain(modules["main"].named("app").value)["params"]
    assert given["identityId"] == "appIdentity.outputs.id"
    assert given["deployerIdentityId"] == "deployerIdentity.outputs.id"
    assert given["settings"]["AZURE_DEPLOYER_CLIENT_ID"] == "deployerIdentity.outputs.clientId"


def test_role_ids_stand_only_where_roles_are_given(modules):
    written = {name for name, module in modules.items() for role in ROLES if role in text(module.root)}
    assert written == {"roles", "deployedAppsRoles", "scheduler", "communication", "openAi", "catalog", "paperEvents"}
    calls = [node for node in walk(modules["roles"].root) if node.type == "call_expression"]
    assert any(text(field(call, "function")) == "subscriptionResourceId" for call in calls)
