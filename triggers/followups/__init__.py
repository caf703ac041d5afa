"""Follow-ups: a CRM whose e-mails are written on time and never handed over twice."""

from shared.followups.reporting import alerts
from shared.followups.settings import FollowupSettings
from shared.platform.workload import Workload
from triggers.followups import unsubscribe, upkeep

followups = Workload(
    name="followups",
    routes=(upkeep.routes, unsubscribe.routes),
    settings=FollowupSettings,
    alerts=alerts.KINDS,
    sweeps=(upkeep.sweep,),
)
