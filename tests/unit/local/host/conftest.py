import pytest

from local.host.core.logs import host_log


@pytest.fixture
def host_logs(caplog):
    """What the host's own log was told, which no logger of an app's sees."""
    host_log.addHandler(caplog.handler)
    yield caplog
    host_log.removeHandler(caplog.handler)
