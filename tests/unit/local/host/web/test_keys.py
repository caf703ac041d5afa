import pytest

from local.host.core.errors import ConfigurationError
from local.host.web.keys import KeyStore


def test_keys_are_made_once_and_kept(tmp_path):
    first = KeyStore(tmp_path / "data" / "keys.json")
    keys = [first.master, first.host_keys(), first.function_keys("Tidy"), first.system_key("durabletask_extension")]
    again = KeyStore(first.path)
    assert keys == [
        again.master,
        again.host_keys(),
        again.function_keys("tidy"),
        again.system_key("durabletask_extension"),
    ]
    assert len({first.master, *first.host_keys().values(), *first.function_keys("tidy").values()}) == 3
    assert first.path.stat().st_mode & 0o777 == 0o600


def test_which_key_opens_what(tmp_path):
    keys = KeyStore(tmp_path / "keys.json")
    function, system = keys.function_keys("a")["default"], keys.system_key("x_extension")
    assert keys.opens_function(function, "A")
    assert keys.opens_function(keys.host_keys()["default"], "a")
    assert keys.opens_function(keys.master, "a")
    assert not keys.opens_function(keys.function_keys("b")["default"], "a")
    assert not keys.opens_function(system, "a")
    assert keys.opens_extension(system, "x_extension")
    assert keys.opens_extension(keys.master, "x_extension")
    assert not keys.opens_extension(function, "x_extension")
    assert keys.opens_admin(keys.master)
    assert not any(keys.opens_admin(one) for one in (function, system, "", "ä"))


DEEP = pytest.param("[" * 100_000, id="deep")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"master": 1}',
        '{"master": "m", "host": {"default": 1}}',
        '{"master": ""}',
        DEEP,
    ],
)
def test_a_broken_file_is_named_with_the_remedy_and_left_as_it_is(tmp_path, text):
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"keys\.json cannot be read: .* delete it to have new keys made"):
        KeyStore(path)
    assert path.read_text() == text


def test_a_folder_in_its_place_is_named_with_the_remedy(tmp_path):
    (tmp_path / "keys.json").mkdir()
    with pytest.raises(ConfigurationError, match=r"keys\.json cannot be read: .*Is a directory"):
        KeyStore(tmp_path / "keys.json")


def test_a_key_that_could_not_be_kept_is_given_to_nobody(tmp_path, monkeypatch):
    keys = KeyStore(tmp_path / "keys.json")
    with monkeypatch.context() as patches:
        patches.setattr("os.open", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(ConfigurationError, match="cannot be written: No space"):
            keys.function_keys("f")
        with pytest.raises(ConfigurationError, match="cannot be written: No space"):
            keys.system_key("x_extension")
    assert keys.system_keys() == {}
    assert keys.function_keys("f") == KeyStore(keys.path).function_keys("f")
