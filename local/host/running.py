"""The parts of a running app, for those that look at it or run a part of it by hand."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.host.core.clock import Clock
from local.host.core.functions import FunctionTable
from local.host.settings.host_json import HostJson
from local.host.settings.options import HostOptions
from local.host.timers.trigger import TimerTriggers
from local.host.web.keys import KeyStore
from local.host.web.routing.route_table import RouteTable
from local.host.worker.dispatch import Dispatcher

if TYPE_CHECKING:
    from local.host.durable.extension import DurableExtension
    from local.host.durable.model.ports import Resumed


@dataclass
class RunningApp:
    """One app under this host. A reload changes its table; the extension starts with the first durable function."""

    options: HostOptions
    port: int
    clock: Clock
    host_json: HostJson
    keys: KeyStore
    dispatcher: Dispatcher
    routes: RouteTable
    timers: TimerTriggers
    table: FunctionTable = field(default_factory=FunctionTable)
    extension: "DurableExtension | None" = None
    resumed: "Resumed | None" = None
