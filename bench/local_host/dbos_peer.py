"""The workflows of `orchestrations` on DBOS, run in an environment of its own: `dbos_peer.py DSN`.

Reads one workload per line (`fan_out 1000 1`: name, size, how many at once) and answers each with its seconds. The
workflows are async and a fan-out's steps run concurrently, which is DBOS's fastest way to say the same.
"""

# DBOS lives in an environment of its own, so its types are not here to check against.
# pyright: basic, reportMissingImports=false

import asyncio
import sys
import time

from dbos import DBOS


@DBOS.step()
async def act(number: int) -> int:
    return number


@DBOS.workflow()
async def fan_out(width: int) -> int:
    return sum(await asyncio.gather(*(act(number) for number in range(width))))


@DBOS.workflow()
async def chain(length: int) -> int:
    total = 0
    for number in range(length):
        total += await act(number)
    return total


WORKFLOWS = {"fan_out": fan_out, "chain": chain}


async def measure(name: str, size: int, instances: int) -> float:
    began = time.perf_counter()
    handles = [await DBOS.start_workflow_async(WORKFLOWS[name], size) for _ in range(instances)]
    results = [await handle.get_result() for handle in handles]
    seconds = time.perf_counter() - began
    expected = size * (size - 1) // 2
    assert results == [expected] * instances, results
    return seconds


async def main(dsn: str) -> None:
    DBOS(config={"name": "bench", "system_database_url": dsn, "log_level": "ERROR"})
    DBOS.launch()
    await measure("chain", 2, 1)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        name, size, instances = line.split()
        print(await measure(name, int(size), int(instances)), flush=True)
    DBOS.destroy()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
