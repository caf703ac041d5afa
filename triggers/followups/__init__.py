"""Follow-ups: a CRM whose e-mails are written on time and never handed over twice."""

from __future__ import annotations

from shared.followups import alerts
from shared.followups.settings import FollowupSettings
from shared.platform.workload import Workload
from triggers.followups import cadences, clients, dashboard, emails, operator, tasks, unsubscribe, upkeep
from triggers.followups.accounts import agents, password
from triggers.followups.events import arrivals, mail_events, webhooks

followups = Workload(
    name="followups",
    routes=(
        agents.routes,
        password.routes,
        clients.routes,
        cadences.routes,
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
