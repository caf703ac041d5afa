"""The app: a list of workloads. The Functions host loads `app`."""

import gc

gc.disable()  # what is loaded here stays: looking for garbage among it takes a sixth of a cold start

from shared.platform.workload import app_of
from triggers.authcache import authcache
from triggers.deploys import deploys
from triggers.diamonds import diamonds
from triggers.followups import followups
from triggers.operations import operations
from triggers.papers import papers

app = app_of(operations, diamonds, deploys, followups, authcache, papers)

gc.freeze()
gc.enable()
