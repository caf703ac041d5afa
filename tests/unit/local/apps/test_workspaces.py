"""Data folders that lie elsewhere, since apps' users could not walk to them."""

from local.apps.workspaces import Workspaces


def test_data_whose_link_was_deleted_is_thrown_away_at_the_next_start(tmp_path, monkeypatch):
    state = tmp_path / "state"

    def elsewhere(_account, wanted, service):
        real = state / f"{service}-{wanted.name}"
        wanted.symlink_to(real)
        return real

    monkeypatch.setattr("local.apps.workspaces.reachable_data", elsewhere)
    for name in ("kept", "dropped"):
        Workspaces(tmp_path / name)
    (tmp_path / "dropped").unlink()
    Workspaces(tmp_path / "new")
    assert sorted(path.name for path in state.iterdir()) == ["apps-kept", "apps-new"]
