"""main.parameters.json as azd reads it: what is substituted, what is asked for, and what the templates are given."""

import json
import re

import pytest

from tests.present import present
from tests.unit.infra.plain import plain
from tools.bicep_check.syntax import text
from tools.dry_run.azd import resolve, substitute

PERSON = {
    "AZURE_ENV_NAME": "prod",
    "AZURE_LOCATION": "northeurope",
    "AZURE_PRINCIPAL_ID": "11111111-1111-1111-1111-111111111111",
    "AZURE_PRINCIPAL_TYPE": "User",
}
ASKED = {"ALERT_EMAIL_TO": "operators@example.com"}


@pytest.fixture(scope="session")
def file(root):
    return (root / "infra/bicep/main.parameters.json").read_text()


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${SET}", "yes"),
        ("${UNSET}", ""),
        ("${UNSET=no}", "no"),
        ("${EMPTY=no}", "no"),
        ("${SET=no}", "yes"),
        ("${UNSET=${SET}}", "yes"),
        ("${EMPTY=${UNSET=no}}", "no"),
        ("a-${SET}-${UNSET=b}", "a-yes-b"),
    ],
)
def test_variables_are_substituted_as_azd_does(written, value):
    assert substitute(written, {"SET": "yes", "EMPTY": ""}) == value


def test_a_person_is_asked_for_one_address_and_nothing_that_azd_knows(file, modules):
    resolved = resolve(file, modules["main"], PERSON)
    assert resolved.asked == ["alertEmailTo"]
    assert resolved.generated == ["adminApiKey"]
    assert resolved.values["databaseAdminId"] == PERSON["AZURE_PRINCIPAL_ID"]
    assert resolved.values["databaseAdminType"] == "User"


def test_a_group_takes_the_place_of_the_one_who_provisions(file, modules):
    group = {"DATABASE_ADMIN_ID": "3" * 36, "DATABASE_ADMIN_TYPE": "Group"}
    values = resolve(file, modules["main"], PERSON | group).values
    assert (values["databaseAdminId"], values["databaseAdminType"]) == ("3" * 36, "Group")


@pytest.mark.parametrize("unset", [{}, "empty"])
def test_what_is_not_set_has_the_default_of_the_template(file, modules, unset):
    """Also where a workflow passes a variable that nobody has set: to azd that is an empty one."""
    names = set(re.findall(r"\$\{(\w+)", file)) - set(PERSON) - set(ASKED)
    environment = PERSON | ASKED | (dict.fromkeys(names, "") if unset else {})
    values = resolve(file, modules["main"], environment).values
    given = {"environmentName", "location", "databaseAdminId", "alertEmailTo"}
    differing = {
        name: value
        for name, value in values.items()
        if name not in given and value != plain(modules["main"].named(name).value)
    }
    secrets = {
        "nivodaPassword",
        "brilliantApiKey",
        "resendApiKey",
        "alertWebhookUrl",
        "hmacSecrets",
        "authcacheJwtKeys",
        "catalogDatabasePassword",
        "catalogEncryptionKey",
        "followupsJwtSecret",
        "sesSecretAccessKey",
        "resendWebhookSecret",
        "followupsModelKey",
        "papersOpenaiKey",
    }
    assert differing == dict.fromkeys(secrets, "unset"), "a secret has no default in the template"


def test_texts_become_what_the_template_takes(file, modules):
    more = {"PRIVATE_NETWORK": "true", "MAXIMUM_INSTANCES": "40", "POSTGRES_SKU_NAME": "Standard_D2ds_v5"}
    values = resolve(file, modules["main"], PERSON | ASKED | more).values
    assert values["privateNetwork"] is True
    assert values["maximumInstanceCount"] == 40
    for name, value in values.items():
        kind = {str: "string", int: "int", bool: "bool"}[type(value)]
        assert kind == modules["main"].named(name).subject, name


def test_a_secret_is_fetched_from_the_vault_that_it_refers_to(file, modules):
    reference = "akvs://subscription/vault/nivoda-password"
    vault = {reference: "secret"}
    resolved = resolve(file, modules["main"], PERSON | ASKED | {"NIVODA_PASSWORD": reference}, vault.__getitem__)
    assert resolved.values["nivodaPassword"] == "secret"
    plainly = resolve(file, modules["main"], PERSON | ASKED | {"NIVODA_USERNAME": reference}, vault.__getitem__)
    assert plainly.values["nivodaUsername"] == reference, "only what is secure is fetched"


def test_quotes_in_a_variable_break_the_parameters_and_escaped_they_do_not(file, modules):
    secrets = json.dumps({"acme": "s" * 32})
    with pytest.raises(ValueError, match="hmacSecrets"):
        resolve(file, modules["main"], PERSON | ASKED | {"HMAC_SECRETS": secrets})
    escaped = json.dumps(secrets)[1:-1]
    values = resolve(file, modules["main"], PERSON | ASKED | {"HMAC_SECRETS": escaped}).values
    assert values["hmacSecrets"] == secrets


def test_every_parameter_can_be_set_by_a_variable_of_its_own(file, modules):
    given = json.loads(file)["parameters"]
    parameters = [d for d in modules["main"].declarations if d.kind == "parameter"]
    assert set(given) == {text(d.name) for d in parameters}
    variables = [present(re.match(r"\$\{(\w+)", given[text(d.name)]["value"]))[1] for d in parameters]
    assert len(variables) == len(set(variables))
    for declaration in parameters:
        if declaration.decorator("secure"):
            value = given[text(declaration.name)]["value"]
            assert re.fullmatch(r"\$\{[A-Z_]+(=unset)?\}", value), f"{text(declaration.name)} is written down"
