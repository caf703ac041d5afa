"""Which options of host.json mean something here; what else stands in the file is told of at the start."""

from local.host.settings import HostJson

# Read here, or without effect on one machine in Azure's host, too (telemetry, scaling, downloads of extensions).
_KNOWN = {
    "version", "functiontimeout", "functions", "retry", "extensions", "extensionbundle", "logging", "aggregator",
    "telemetrymode", "healthmonitor", "singleton", "manageddependency", "concurrency", "watchdirectories", "watchfiles",
}  # fmt: skip
_KNOWN_OF_EXTENSION = {
    "http": {"routeprefix", "customheaders", "maxconcurrentrequests", "maxoutstandingrequests",
             "dynamicthrottlesenabled", "hsts"},
    "queues": {"batchsize", "newbatchthreshold", "maxdequeuecount", "visibilitytimeout", "maxpollinginterval",
               "messageencoding"},
    "servicebus": {"prefetchcount", "autocompletemessages", "maxconcurrentcalls", "maxautolockrenewalduration",
                   "maxmessagebatchsize"},
    "blobs": {"poisonblobthreshold", "maxdegreeofparallelism"},
}  # fmt: skip
# Checked by the module that reads it.
_ELSEWHERE = "durabletask"


def unread_options(host_json: HostJson) -> list[str]:
    """The dotted paths of the options that nothing reads."""
    unread = [key for key in host_json.document if key.lower() not in _KNOWN]
    for name in host_json.section("extensions"):
        if name.lower() != _ELSEWHERE:
            known = _KNOWN_OF_EXTENSION.get(name.lower(), set[str]())
            options = host_json.section(f"extensions.{name}")
            unread += [f"extensions.{name}.{one}" for one in options if one.lower() not in known]
    return unread
