"""The delays of a function's retry policy, and what an attempt learns of the one before."""

import random
from collections.abc import Callable

from local.host.core.functions import RetryPolicy
from local.host.worker.context import RetryException
from local.host.worker.failures import FunctionRaised


def retry_delay(policy: RetryPolicy, attempt: int, jitter: Callable[[], float] = random.random) -> float:
    """Seconds before retry number `attempt` (from 1): fixed, or doubling from the minimum to the maximum."""
    if policy.fixed_delay is not None:
        return policy.fixed_delay
    grown = policy.minimum_delay * 2.0 ** min(attempt - 1, 60) * (0.8 + 0.4 * jitter())
    return min(max(grown, policy.minimum_delay), policy.maximum_delay or grown)


def retry_exception(failure: Exception | None) -> RetryException:
    if failure is None:
        return RetryException()
    stack = failure.stack if isinstance(failure, FunctionRaised) else ""
    return RetryException(source="", stack_trace=stack, message=str(failure))
