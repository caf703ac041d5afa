from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.host.core.functions import Binding, Function
from local.host.core.logs import _warned
from local.host.storage.queues import manual_metadata, queue_call
from local.host.worker.calls import HOST_API_REASON

TRIGGER = Binding("msg", "queueTrigger", "in", {"queueName": "orders"})
FUNCTION = Function("by_hand", print, Path(), "", TRIGGER, (TRIGGER,), {}, {}, None, False, False)


@pytest.mark.parametrize(("reason", "warned"), [(HOST_API_REASON, False), ("New queue message detected.", True)])
def test_only_where_there_is_a_message_its_metadata_is_missed(host_logs, reason, warned):
    _warned.clear()
    call = queue_call(FUNCTION, b'{"id": "own"}', manual_metadata(datetime(2026, 1, 1, tzinfo=UTC)), reason)
    assert call.data["Id"] == "own"
    assert ("which as in Azure replace the metadata of that name" in host_logs.text) is warned
