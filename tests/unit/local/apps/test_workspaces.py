"""Data folders that lie elsewhere, since apps' users could not walk to them."""

from local.apps.workspaces import Workspaces
from local.postgres import account
from local.postgres.account import Account


def test_data_whose_link_was_deleted_is_thrown_away_at_the_next_start(tmp_path, monkeypatch):
    state = tmp_path / "state"

    def elsewhere(_account, wanted, service, *, apart):
        real = state / f"{service}-{wanted.name}"
        wanted.symlink_to(real)
        return real

    monkeypatch.setattr("local.apps.workspaces.reachable_data", elsewhere)
    for name in ("kept", "dropped"):
        Workspaces(tmp_path / name)
    (tmp_path / "dropped").unlink()
    Workspaces(tmp_path / "new")
    assert sorted(path.name for path in state.iterdir()) == ["apps-kept", "apps-new"]


def test_apps_do_not_find_the_packages_of_the_checkout_around_the_data(tmp_path, monkeypatch):
    monkeypatch.setattr(account, "STATE", tmp_path / "state")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "checkout" / "node_modules").mkdir(parents=True)
    data = tmp_path / "checkout" / ".local" / "apps"
    image = Workspaces(data).workspace("acme", "shop", "dep_1").image
    assert not any((above / "node_modules").exists() for above in image.parents)
    assert data.is_symlink()
    assert Workspaces(data).workspace("acme", "shop", "dep_1").image == image


def test_data_that_is_there_stays_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(account, "STATE", tmp_path / "state")
    (tmp_path / "checkout" / "node_modules").mkdir(parents=True)
    data = tmp_path / "checkout" / "apps"
    data.mkdir()
    (data / "platform.sqlite").write_text("")
    tmp_path.chmod(0o755)
    monkeypatch.setattr(Account, "reaches", lambda *_: True)
    assert Workspaces(data).workspace("acme", "shop", "dep_1").root.is_relative_to(data)
