"""The auth cache: durable registrations on nothing but blobs, and checks of them in microseconds."""

from __future__ import annotations

from shared.authcache import alerts
from shared.authcache.base.manifest import PROBE
from shared.authcache.settings import AuthCacheSettings
from shared.platform.workload import Workload
from triggers.authcache import admin, auth, documents, health, properties, shares, upkeep, users

authcache = Workload(
    name="authcache",
    routes=(
        auth.routes,
        users.routes,
        shares.routes,
        properties.routes,
        documents.routes,
        admin.routes,
        health.routes,
    ),
    functions=(upkeep.timers,),
    settings=AuthCacheSettings,
    probes=(PROBE,),
    alerts=alerts.KINDS,
    sweeps=(upkeep.sweep,),
)
