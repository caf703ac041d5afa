"""Addresses of the management API: what a start answers with, and what a durable client binding holds."""

from urllib.parse import quote

from local.host.durable.model import dotnet

WEBHOOK_PATH = "/runtime/webhooks/durabletask"
CONNECTION_NAME = "Storage"
# The operations in the order in which a start lists them; rewind is only in the client binding.
_TEMPLATES = (
    ("statusQueryGetUri", ""),
    ("sendEventPostUri", "/raiseEvent/{eventName}"),
    ("terminatePostUri", "/terminate?reason={text}"),
    ("rewindPostUri", "/rewind?reason={text}"),
    ("purgeHistoryDeleteUri", ""),
    ("restartPostUri", "/restart"),
    ("suspendPostUri", "/suspend?reason={text}"),
    ("resumePostUri", "/resume?reason={text}"),
)


def url_encode(text: str) -> str:
    """.NET's WebUtility.UrlEncode."""
    return quote(text, safe=" -_.!*()").replace(" ", "+").replace("~", "%7E")


class Links:
    """Links of one task hub. `key` is the webhook's system key; empty where none is needed."""

    def __init__(self, hub_name: str) -> None:
        self._hub_name = hub_name
        self.key = ""

    def _query(self) -> str:
        code = f"&code={quote(self.key, safe='')}" if self.key else ""
        return f"taskHub={self._hub_name}&connection={CONNECTION_NAME}{code}"

    def instance(self, base_url: str, instance_id: str, *, with_rewind: bool = False) -> dict[str, str]:
        """All operations on an instance; `base_url` ends with the webhook's path."""
        root = f"{base_url}/instances/{url_encode(instance_id)}"
        return {
            name: f"{root}{path}{'&' if '?' in path else '?'}{self._query()}"
            for name, path in _TEMPLATES
            if with_rewind or name != "rewindPostUri"
        }

    def client_binding(self, base_url: str, rpc_base_url: str) -> str:
        """The JSON that a durableClient input receives."""
        code = f"code={quote(self.key, safe='')}" if self.key else ""
        create = f"{base_url}/orchestrators/{{functionName}}[/{{instanceId}}]"
        binding = {
            "taskHubName": self._hub_name,
            "connectionName": None,
            "creationUrls": {
                "createNewInstancePostUri": f"{create}?{code}" if code else create,
                "createAndWaitOnNewInstancePostUri": f"{create}?timeout={{timeoutInSeconds}}"
                "&pollingInterval={intervalInSeconds}" + (f"&{code}" if code else ""),
            },
            "managementUrls": {"id": "INSTANCEID", **self.instance(base_url, "INSTANCEID", with_rewind=True)},
            "baseUrl": base_url,
            "requiredQueryStringParameters": code,
            "rpcBaseUrl": rpc_base_url,
            "httpBaseUrl": None,
            "maxGrpcMessageSizeInBytes": None,
            "grpcHttpClientTimeout": None,
        }
        return dotnet.to_json(binding)
