"""The interpreters that apps find, of which each makes environments that have their library."""

import os
import subprocess
from pathlib import Path

from local.apps.programs import link_programs
from local.postgres.account import Account


def test_what_is_found_runs_and_makes_environments(tmp_path):
    found = link_programs(tmp_path / "bin", Account())
    assert found["node"]
    usual = found["python"][0]
    assert link_programs(tmp_path / "bin", Account()) == found
    for name in ("python", "python3", f"python{usual}"):
        program = [str(tmp_path / "bin" / name), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        assert subprocess.run(program, capture_output=True, text=True, check=True).stdout.strip() == usual
    made = tmp_path / "env"
    subprocess.run([str(tmp_path / "bin" / f"python{usual}"), "-m", "venv", "--without-pip", str(made)], check=True)
    home = next(line for line in (made / "pyvenv.cfg").read_text().splitlines() if line.startswith("home = "))
    assert home != f"home = {tmp_path / 'bin'}"


def test_a_program_of_another_version_or_that_does_not_run_is_left_out(tmp_path, monkeypatch):
    for name, text in (
        ("python3.13", "echo Python 3.9.1"),
        ("python3.14", "exit 1"),
        ("python3.10", "echo Python 3.10.2"),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = link_programs(tmp_path / "bin", Account())["python"]
    assert "3.10" in found
    assert str(tmp_path / "python3.13") not in _scripts(tmp_path / "bin")
    assert str(tmp_path / "python3.14") not in _scripts(tmp_path / "bin")
    done = subprocess.run([str(tmp_path / "bin" / "python3.10")], capture_output=True, text=True, check=True)
    assert done.stdout == "Python 3.10.2\n"


def _scripts(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.glob("python*"))
