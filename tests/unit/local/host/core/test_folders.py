"""Data folders are for their owner alone."""

import stat

from local.host.core.folders import private_folder


def mode(folder):
    return stat.S_IMODE(folder.stat().st_mode)


def test_a_folder_is_closed_whether_it_was_there_or_not(tmp_path):
    assert mode(private_folder(tmp_path / "new" / "data")) == 0o700
    old = tmp_path / "old"
    old.mkdir(mode=0o755)
    assert mode(private_folder(old)) == 0o700


def test_a_folder_for_everybody_stays_open(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    assert mode(private_folder(shared)) == 0o1777
