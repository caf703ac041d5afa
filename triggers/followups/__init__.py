"""Follow-ups: a CRM whose e-mails are written on time and never handed over twice."""

from __future__ import annotations

from shared.followups import alerts
from shared.followups.settings import FollowupSettings
from shared.platform.workload import Workload
from triggers.followups import (
    agents,
    arrivals,
    clients,
    dashboard,
    emails,
    mail_events,
    operator,
    password,
    tasks,
    unsubscribe,
    upkeep,
    webhooks,
)

followups = Workload(
    name="followups",
    routes=(
        agents.routes,
        password.routes,
        clients.routes,
        tasks.routes,
        emails.routes,
        operator.routes,
        dashboard.routes,
        upkeep.routes,
        unsubscribe.routes,
        webhooks.routes,
        arrivals.routes,
    ),
    functions=(mail_events.queues,),
    queues=(mail_events.MAIL_EVENTS,),
    settings=FollowupSettings,
    alerts=alerts.KINDS,
    sweeps=(upkeep.sweep,),
)
