"""The auth cache: durable registrations on nothing but blobs, and checks of them in microseconds."""

from __future__ import annotations

from shared.authcache.settings import AuthCacheSettings
from shared.platform.workload import Workload

authcache = Workload(name="authcache", settings=AuthCacheSettings)
