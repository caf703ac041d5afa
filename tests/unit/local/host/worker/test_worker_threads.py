import pytest

from local.host.worker.worker import thread_count


@pytest.mark.parametrize(
    ("text", "count"),
    [("", None), ("7", 7), (" 7 ", 7), ("+7", 7), ("0", None), ("-1", None), ("many", None), ("7.5", None)],
)
def test_a_number_of_threads_that_is_none_is_told_of_and_the_default_counts_as_in_the_worker(text, count, host_logs):
    assert thread_count({"PYTHON_THREADPOOL_THREAD_COUNT": text}) == count
    assert ("must be a whole number" in host_logs.text) == (bool(text) and count is None)
