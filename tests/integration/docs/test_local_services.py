"""docs/local-services.md: what it shows to type works, and what it says of ports, faults and compose.yaml holds."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from local.postgres.testing import Databases
from local.processes import free_port
from local.supplier.faults import FaultName
from local.testing import command
from local.up import Ports, settings
from tests.present import present

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "local-services.md").read_text()
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
SHOWN = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def ports(postgres: Databases, tmp_path_factory):
    """The services that the page speaks to, on free ports; by the port that the page names."""
    free = {"54320": str(postgres.port), **{port: str(free_port()) for port in ("8400", "1025", "8025")}}
    mail = ("--port", free["1025"], "--http-port", free["8025"], "--data", tmp_path_factory.mktemp("mail"))
    supplier = ("--port", free["8400"], "--diamonds", "600")
    with command("local.supplier", *supplier) as first, command("local.smtp", *mail) as second:
        assert present(first.stdout).readline().startswith("ready")
        assert present(second.stdout).readline().startswith("ready")
        yield free


def test_what_the_page_shows_to_type_works(ports):
    for block in BLOCKS:
        assert '"errors"' not in _typed(block, ports)
    mails = json.loads(_typed("curl -sSf http://127.0.0.1:8025/messages", ports))
    assert [mail["subject"] for mail in mails] == ["hello"]
    faults = json.loads(_typed("curl -sSf http://127.0.0.1:8400/_control/faults", ports))
    assert faults["faults"] == {}


def _typed(script: str, ports: dict[str, str]) -> str:
    for named, actual in ports.items():
        script = script.replace(f":{named}", f":{actual}")
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert done.returncode == 0, f"{script}\n{done.stderr}"
    assert done.stdout
    return done.stdout


def test_commands_that_are_only_shown_exist():
    lines = [line for block in SHOWN for line in block.splitlines()]
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for line in lines:
        first, second = line.split()[:2]
        assert (first == "make" and second in targets) or line.startswith(("docker compose up", "python -m local.up "))


def test_every_fault_and_every_default_port_is_on_the_page():
    faults = PAGE.partition("| fault |")[2].partition("```")[0]
    assert re.findall(r"^\| `([a-z_]+)` \|", faults, re.MULTILINE) == [*FaultName]
    for port in vars(Ports()).values():
        assert re.search(rf"\b{port}\b", PAGE)


class TestCompose:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())

    def test_it_meets_the_compose_specification(self):
        check = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(ROOT / "compose.yaml")]
        done = subprocess.run(check, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout

    def test_it_listens_where_the_settings_say_and_on_loopback_only(self):
        published = [
            port.split(":") for service in self.compose["services"].values() for port in service.get("ports", [])
        ]
        assert {address for address, _, _ in published} == {"127.0.0.1"}
        outside = {int(port) for _, port, _ in published}
        defaults = Ports()
        assert {defaults.azurite, defaults.azurite_queue, defaults.azurite_table} <= outside
        assert {defaults.postgres, defaults.servicebus, 8081} <= outside

    def test_its_accounts_are_those_of_the_settings(self):
        account = self.compose["services"]["postgres"]["environment"]
        user, password, name = (account[f"POSTGRES_{part}"] for part in ("USER", "PASSWORD", "DB"))
        assert settings(Ports())["POSTGRES_DSN"] == f"postgresql://{user}:{password}@127.0.0.1:54320/{name}"

    def test_the_queues_it_mounts_are_those_of_the_stand_in(self):
        (mount,) = self.compose["services"]["servicebus"]["volumes"]
        assert json.loads((ROOT / mount.split(":")[0]).read_text())["UserConfig"]["Namespaces"]

    def test_every_image_has_a_tag(self):
        images = [service["image"] for service in self.compose["services"].values()]
        assert all(":" in image.rpartition("/")[2] and not image.endswith(":latest") for image in images)
