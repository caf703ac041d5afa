from hypothesis import given
from hypothesis import strategies as st

from local.host.core.functions import RetryPolicy
from local.host.worker.retries import retry_delay


@given(st.integers(1, 1000), st.floats(0, 1))
def test_exponential_delays_stay_between_their_bounds(attempt, chance):
    delay = retry_delay(RetryPolicy(5, minimum_delay=2, maximum_delay=30), attempt, lambda: chance)
    assert 2 <= delay <= 30
