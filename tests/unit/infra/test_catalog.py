"""The Iceberg catalog is made where it is asked for, apart from what tenants run, and takes tokens of Entra alone."""

from local.arm.provisioning.subscription import Subscription
from tests.unit.infra.plain import plain
from tools.dry_run.__main__ import run

GIVEN = {
    "CATALOG_IMAGE": "quay.io/lakekeeper/catalog@sha256:" + "0" * 64,
    "CATALOG_AUDIENCE": "11111111-2222-3333-4444-555555555555",
    "CATALOG_DATABASE_PASSWORD": "p" * 40,
    "CATALOG_ENCRYPTION_KEY": "k" * 40,
}


def provisioned(**given):
    subscription = Subscription()
    for _ in ("first", "second"):
        run(subscription, given)
    return list(subscription.resources.values())


def of_type(resources, type_, name=""):
    return [one for one in resources if one["type"] == type_ and name in one["name"]]


def test_nothing_of_it_is_made_unless_asked_for():
    found = provisioned()
    assert [one["name"] for one in found if "catalog" in one["name"] or "stlake" in one["name"]] == []


def test_it_has_an_environment_a_server_and_a_lake_of_its_own():
    found = provisioned(**GIVEN)
    [app] = of_type(found, "Microsoft.App/containerApps")
    [place] = of_type(found, "Microsoft.App/managedEnvironments", "cae-catalog-")
    assert app["properties"]["environmentId"] == place["id"]
    [lake] = of_type(found, "Microsoft.Storage/storageAccounts", "stlake")
    assert lake["properties"]["isHnsEnabled"] is True
    assert lake["properties"]["allowSharedKeyAccess"] is False
    [server] = of_type(found, "Microsoft.DBforPostgreSQL/flexibleServers", "psql-catalog-")
    assert server["sku"]["name"] == "Standard_B1ms"
    assert server["properties"]["authConfig"]["passwordAuth"] == "Enabled"
    [main] = [one for one in of_type(found, "Microsoft.DBforPostgreSQL/flexibleServers") if one is not server]
    assert main["properties"]["authConfig"]["passwordAuth"] == "Disabled"
    [function] = of_type(found, "Microsoft.Web/sites")
    settings = {one["name"]: one["value"] for one in function["properties"]["siteConfig"]["appSettings"]}
    assert settings["AUTHCACHE_CATALOG_URI"].startswith("https://ca-catalog-")
    assert settings["AUTHCACHE_CATALOG_URI"].endswith("/catalog")
    assert settings["AUTHCACHE_CATALOG_SCOPE"] == f"api://{GIVEN['CATALOG_AUDIENCE']}/.default"


def test_it_takes_tokens_of_this_tenant_alone_and_keeps_no_secret_in_its_settings(modules):
    app = plain(modules["catalog"].named("app").value)["properties"]
    assert {secret["name"] for secret in app["configuration"]["secrets"]} == {"database-url", "encryption-key"}
    assert all("keyVaultUrl" in secret and "value" not in secret for secret in app["configuration"]["secrets"])
    [app] = of_type(provisioned(**GIVEN), "Microsoft.App/containerApps")
    [init], [container] = app["properties"]["template"]["initContainers"], app["properties"]["template"]["containers"]
    assert (init["args"], container["args"]) == (["migrate"], ["serve"])
    for one in (init, container):
        given = {variable["name"]: variable for variable in one["env"]}
        assert given["LAKEKEEPER__OPENID_PROVIDER_URI"]["value"].endswith("/v2.0")
        assert given["LAKEKEEPER__OPENID_AUDIENCE"]["value"] == GIVEN["CATALOG_AUDIENCE"]
        assert given["LAKEKEEPER__PG_ENCRYPTION_KEY"] == {
            "name": "LAKEKEEPER__PG_ENCRYPTION_KEY",
            "secretRef": "encryption-key",
        }
        assert not any("p" * 40 in str(variable) or "k" * 40 in str(variable) for variable in one["env"])


PRIVATE = {**GIVEN, "PRIVATE_NETWORK": "true"}


def test_in_a_private_network_lake_and_database_answer_through_it_alone():
    found = provisioned(**PRIVATE)
    endpoints = {one["name"].rpartition("-")[0]: one for one in of_type(found, "Microsoft.Network/privateEndpoints")}
    [lake] = of_type(found, "Microsoft.Storage/storageAccounts", "stlake")
    [server] = of_type(found, "Microsoft.DBforPostgreSQL/flexibleServers", "psql-catalog-")
    assert lake["properties"]["publicNetworkAccess"] == "Disabled"
    assert server["properties"]["network"]["publicNetworkAccess"] == "Disabled"
    assert of_type(found, "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules") == []
    reached = {
        "pe-lake-blob": (lake["id"], "blob", "privatelink.blob.core.windows.net"),
        "pe-lake-dfs": (lake["id"], "dfs", "privatelink.dfs.core.windows.net"),
        "pe-catalog-postgres": (server["id"], "postgresqlServer", "privatelink.postgres.database.azure.com"),
    }
    zones = {one["name"] for one in of_type(found, "Microsoft.Network/privateDnsZones")}
    for name, (resource, group, zone) in reached.items():
        [connection] = endpoints[name]["properties"]["privateLinkServiceConnections"]
        assert connection["properties"] == {"privateLinkServiceId": resource, "groupIds": [group]}
        assert zone in zones
        [names] = [
            one
            for one in of_type(found, "Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
            if one["id"].startswith(endpoints[name]["id"] + "/")
        ]
        [config] = names["properties"]["privateDnsZoneConfigs"]
        assert config["properties"]["privateDnsZoneId"].endswith(zone)


def test_in_a_private_network_the_catalog_is_in_it_and_found_by_its_name():
    found = provisioned(**PRIVATE)
    [place] = of_type(found, "Microsoft.App/managedEnvironments", "cae-catalog-")
    assert place["properties"]["vnetConfiguration"]["internal"] is True
    subnet = place["properties"]["vnetConfiguration"]["infrastructureSubnetId"].rpartition("/")[2]
    [network] = of_type(found, "Microsoft.Network/virtualNetworks")
    [own] = [one for one in network["properties"]["subnets"] if one["name"] == subnet]
    assert own["properties"]["delegations"][0]["properties"]["serviceName"] == "Microsoft.App/environments"
    [zone] = [
        one
        for one in of_type(found, "Microsoft.Network/privateDnsZones")
        if one["name"] == place["properties"]["defaultDomain"]
    ]
    [record] = of_type(found, "Microsoft.Network/privateDnsZones/A")
    assert record["id"].startswith(zone["id"] + "/")
    assert record["properties"]["aRecords"] == [{"ipv4Address": place["properties"]["staticIp"]}]
    [function] = of_type(found, "Microsoft.Web/sites")
    assert function["properties"]["virtualNetworkSubnetId"].endswith("/app")


def test_without_a_catalog_a_private_network_has_nothing_of_it():
    found = provisioned(PRIVATE_NETWORK="true")
    assert not any("dfs" in one["name"] or "lake" in one["name"] for one in found)
