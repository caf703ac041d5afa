import pytest

from local.host.core.errors import ConfigurationError
from local.host.settings.connections import find_connection


@pytest.mark.parametrize(
    "environment",
    [
        {"Storage": "x"},
        {"AzureWebJobsStorage": "x", "Storage": "y"},
        {"ConnectionStrings:Storage": "x", "Storage": "y"},
        {"ConnectionStrings__AzureWebJobsStorage": "x"},
    ],
)
def test_a_connection_string_is_found(environment):
    assert find_connection("Storage", environment).connection_string == "x"


def test_no_name_means_the_hosts_own_storage():
    assert find_connection("", {"AzureWebJobsStorage": "x"}).connection_string == "x"


def test_development_storage_is_written_out_for_the_sdks():
    text = find_connection("S", {"S": "UseDevelopmentStorage=true;"}).connection_string
    assert text is not None
    assert "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1" in text


def test_an_identity_based_connection():
    found = find_connection("Bus", {"Bus__fullyQualifiedNamespace": "x.servicebus.windows.net", "Bus__clientId": "c"})
    assert found.connection_string is None
    assert found.need("fullyQualifiedNamespace") == "x.servicebus.windows.net"
    with pytest.raises(ConfigurationError, match="has none of the settings Bus__queueServiceUri"):
        found.need("queueServiceUri")


def test_a_missing_connection_is_named_with_the_remedy():
    with pytest.raises(ConfigurationError, match=r"The connection setting 'Bus' is missing[.] Set it under Values"):
        find_connection("Bus", {"AzureWebJobsBus": ""})
