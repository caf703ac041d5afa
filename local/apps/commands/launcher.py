"""Runs one command within limits, and leaves nothing of it behind.

A program of its own, of the standard library alone: it is the parent of all that the command starts, however deep, and
ends it when the command ends, when it uses more than it may, or when whoever started this closes its standard input
or is killed. The order comes as one line of JSON on standard input; what the command writes goes to standard output;
what became of it, as one line of JSON, to standard error.
"""

import ctypes
import errno
import json
import os
import resource
import select
import signal
import sys
import time
from typing import Any

_SET_PDEATHSIG, _SET_SUBREAPER, _SET_NO_NEW_PRIVS = 1, 36, 38
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")
_BURST_SECONDS = 1.0
"""For how long a command may save up what it does not use of its share of CPU."""
_LIBC = ctypes.CDLL(None, use_errno=True)


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is for the platform
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    order = json.loads(_line())
    _LIBC.prctl(_SET_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if child == 0:
        _become(order)
    os.close(1)  # its reader sees the end when the last of the command's processes ends
    status, reason = _watch(child, order, stopping)
    _kill_all()
    os.write(2, json.dumps({"code": os.waitstatus_to_exitcode(status), "reason": reason}).encode() + b"\n")
    return 0


def _line() -> bytes:
    """The first line of standard input, and not a byte more: what comes after it is watched for its end."""
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            os._exit(1)  # nobody wants it any more
        line += byte
    return bytes(line)


def _become(order: dict[str, Any]) -> None:
    """Turn this forked process into the command. Never returns."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        os.umask(0o022)
        os.nice(order["nice"])
        _limit(order)
        programs = _programs(order)  # before setuid: the command's user may not be able to read Python's own modules
        if order["uid"] is not None:
            os.setgroups([])
            os.setgid(order["uid"])
            os.setuid(order["uid"])
        _LIBC.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _LIBC.prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # after setuid, which clears it
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(1, 2)
        os.closerange(3, 1024)
        os.chdir(order["cwd"])
        _execute(programs, order)
    except Exception as error:  # noqa: BLE001 - whatever it is, the log has to say it: nothing else is left to
        reason = error.strerror if isinstance(error, OSError) else repr(error)
        os.write(1, f"{order['argv'][0]} could not be started: {reason}\n".encode())
    finally:
        os._exit(127)


def _programs(order: dict[str, Any]) -> list[str]:
    """The paths that the command's program may have, in the order to try them."""
    name = order["argv"][0]
    return [name] if "/" in name else [f"{folder}/{name}" for folder in os.get_exec_path(order["env"])]


def _execute(programs: list[str], order: dict[str, Any]) -> None:
    """Run the first program that is there. As os.execvpe, which imports a module on its way."""
    refused: OSError | None = None
    for program in programs:
        try:
            os.execve(program, order["argv"], order["env"])  # noqa: S606 - words from the deployment, no shell
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            refused = error
    raise refused or FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def _limit(order: dict[str, Any]) -> None:
    limits = order["limits"]
    processes = limits["processes"] + (0 if order["uid"] is not None else _threads_of_this_user())
    for what, most in (
        (resource.RLIMIT_DATA, limits["memory"]),
        (resource.RLIMIT_FSIZE, limits["file"]),
        (resource.RLIMIT_NOFILE, 1024),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_CORE, 0),
    ):
        if most is None:
            continue
        hard = resource.getrlimit(what)[1]
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (soft, soft))


def _threads_of_this_user() -> int:
    """What RLIMIT_NPROC counts besides the command, where it runs as the developer and not as a user of its own."""
    threads, me = 0, os.getuid()
    for pid in os.listdir("/proc"):  # noqa: PTH208 - as in _children
        if pid.isdecimal():
            try:
                if os.stat(f"/proc/{pid}").st_uid == me:  # noqa: PTH116 - as in _children
                    threads += len(os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 - as in _children
            except OSError:
                continue
    return threads


def _watch(child: int, order: dict[str, Any], stopping: list[int]) -> tuple[int, str | None]:
    """Wait for the command's end, or bring it about; its wait status and the reason."""
    limits, began = order["limits"], time.monotonic()
    end = os.pidfd_open(child)
    events = select.poll()
    events.register(end, select.POLLIN)
    events.register(0, select.POLLIN | select.POLLHUP)
    disk_at = began
    share = _Share(limits["cores"], began) if limits["cores"] is not None else None
    while True:
        ready = [fd for fd, _ in events.poll(order["look_seconds"] * 1000)]
        if end in ready:
            return os.waitpid(child, 0)[1], None
        if 0 in ready or stopping:
            return _stop(child, order["grace_seconds"]), "stopped"
        _reap_orphans(child)
        now = time.monotonic()
        family = _descendants()
        reason = _over(limits, now - began, family)
        if reason is None and limits["disk"] is not None and now >= disk_at:
            disk_at = now + limits["disk_every_seconds"]
            if _disk(order["disk_of"]) > limits["disk"]:
                reason = f"it wrote more than {limits['disk'] / 1e6:,.0f} MB to disk"
        if reason is not None:
            return _stop(child, 0), reason
        if share is not None:
            share.hold(family, now)


class _Share:
    """Holds processes to so many cores together: who has used more is paused until time has made up for it.

    A container's limit does the same. It is looked at a few times a second, so that a short burst may go over it.
    """

    def __init__(self, cores: float, now: float) -> None:
        self._cores = cores
        self._credit = cores * _BURST_SECONDS
        self._at = now
        self._used = 0.0
        self._paused = False

    def hold(self, family: list[int], now: float) -> None:
        used = max(_cpu(family), self._used)
        earned = self._cores * (now - self._at)
        self._credit = min(self._credit + earned, self._cores * _BURST_SECONDS) - (used - self._used)
        self._at, self._used = now, used
        over = self._credit < 0
        if over or self._paused:
            for pid in family:
                _signal(pid, signal.SIGSTOP if over else signal.SIGCONT)
        self._paused = over


def _over(limits: dict[str, Any], seconds: float, family: list[int]) -> str | None:
    if limits["seconds"] is not None and seconds > limits["seconds"]:
        return f"it took longer than {limits['seconds']:g} s"
    if len(family) > limits["processes"]:
        return f"it started more than {limits['processes']} processes"
    memory = sum(map(_memory, family))
    if memory > limits["memory"]:
        return f"it used more than {limits['memory'] / 2**20:,.0f} MiB of memory"
    return None


def _stop(child: int, grace: float) -> int:
    """Ask the command to end, wait, and kill it; its wait status."""
    if grace:
        for pid in _descendants():
            _signal(pid, signal.SIGCONT)  # it may have used up its share of CPU, and must handle the signal
        _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + grace
        while time.monotonic() < deadline:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return status
            time.sleep(0.01)
    for pid in {child, *_descendants()}:
        _signal(pid, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _kill_all() -> None:
    """End whatever the command left behind. All of it is below this process, which adopts orphans."""
    while family := _descendants():
        for pid in family:
            _signal(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.005)


def _reap_orphans(child: int) -> None:
    for pid in _children(os.getpid()):
        if pid != child:
            os.waitpid(pid, os.WNOHANG)


def _descendants() -> list[int]:
    pids: list[int] = []
    level = _children(os.getpid())
    while level:
        pids += level
        level = [below for pid in level for below in _children(pid)]
    return pids


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - pathlib takes longer to import than all this
            with open(f"/proc/{pid}/task/{thread}/children") as file:  # noqa: PTH123 - as above
                children += map(int, file.read().split())
    except OSError:  # it has ended in between
        return children
    return children


def _memory(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as file:  # noqa: PTH123 - as above
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _cpu(family: list[int]) -> float:
    """Seconds of CPU that the processes have used, with what ended before them and was waited for."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = 0
    for pid in family:
        try:
            with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - as in _children
                # utime, stime, cutime and cstime; the name before them may hold anything, brackets too
                ticks += sum(map(int, file.read().rpartition(")")[2].split()[11:15]))
        except OSError:  # it has ended in between
            continue
    return ended.ru_utime + ended.ru_stime + ticks / _TICK


def _disk(folder: str) -> int:
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(f"{base}/{name}").st_blocks * 512
            except OSError:
                continue
    return total


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    sys.exit(main())
