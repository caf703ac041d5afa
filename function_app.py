"""The app: a list of workloads, each by the module that declares it. The Functions host loads `app`."""

import gc

gc.disable()  # what is loaded here stays: looking for garbage among it takes a sixth of a cold start

from shared.platform.app import app_of

app = app_of(
    "triggers.operations",
    "triggers.diamonds",
    "triggers.deploys",
    "triggers.followups",
    "triggers.authcache",
    "triggers.papers",
    "triggers.backups",
)

gc.freeze()
# A page of a feed makes thousands of objects that live for a moment; looking for garbage after each 700 of them, as
# Python does, takes a tenth of the CPU of a run.
gc.set_threshold(20_000)
gc.enable()
