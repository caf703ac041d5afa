"""Ports are chosen by flag, by environment, or by default, and a clash is said before anything starts."""

import argparse
import socket
from pathlib import Path

import pytest

from local import processes
from local.processes import free_port, free_ports
from local.up.ports import OF_SERVICE, Ports, PortsBusyError


def _parse(arguments, environment):
    parser = argparse.ArgumentParser()
    Ports.add_flags(parser, environment)
    return Ports.of_flags(parser.parse_args(arguments))


def test_flag_before_environment_before_default():
    environment = {"MANIFOLD_POSTGRES_PORT": "5001", "MANIFOLD_AZURITE_QUEUE_PORT": "5002"}
    ports = _parse(["--postgres-port", "5003"], environment)
    assert (ports.postgres, ports.azurite_queue, ports.host) == (5003, 5002, 7071)


def test_an_environment_that_is_no_number_is_named(capsys):
    with pytest.raises(SystemExit):
        _parse([], {"MANIFOLD_HOST_PORT": "seven"})
    assert "MANIFOLD_HOST_PORT is 'seven', and must be a port number" in capsys.readouterr().err


def test_every_port_belongs_to_a_service():
    named = [name for names in OF_SERVICE.values() for name in names]
    assert sorted(named) == sorted(vars(Ports()))


def test_busy_and_double_ports_are_named_with_their_flags(monkeypatch):
    monkeypatch.setattr("local.up.ports.port_in_use", lambda port: port in (80, 6001))
    with pytest.raises(PortsBusyError) as busy:
        Ports(postgres=6001, azurite_queue=6002, smtp=6002).check(["azurite", "postgres", "smtp"])
    assert str(busy.value).splitlines() == [
        "Port 6001 for postgres is in use. Stop what uses it, pass --postgres-port or set MANIFOLD_POSTGRES_PORT.",
        "Port 6002 is given to both azurite_queue and smtp. Pass another --smtp-port.",
    ]
    Ports(postgres=6001).check(["supplier", "apps"])


def test_free_ports_differ():
    ports = vars(Ports.free()).values()
    assert len(set(ports)) == len(ports)
    for port in ports:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))


def test_defect_no_connection_can_take_a_free_port_before_its_service_does():
    """Linux gives outgoing connections ports of their own range; one of those was taken from under Azurite."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(free_ports(50)) < first


def test_ports_in_use_are_passed_over_and_none_left_is_said(monkeypatch):
    free, busy = sorted(free_ports(2))
    monkeypatch.setattr(processes, "GIVEN_OUT", (free, busy))
    with socket.socket() as service:
        service.bind(("127.0.0.1", busy))
        assert {free_port() for _ in range(5)} == {free}
        monkeypatch.setattr(processes, "GIVEN_OUT", range(busy, busy + 1))
        with pytest.raises(OSError, match=f"1 free ports were not found from {busy} to {busy}"):
            free_port()
