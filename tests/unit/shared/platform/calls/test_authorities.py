import ssl

import pytest
import trustme

from shared.platform.calls.authorities import authorities


@pytest.fixture(autouse=True)
def _no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)


def test_they_are_read_once_for_each_protocol_and_are_certifis():
    https, amqp = authorities(), authorities("amqp")
    assert authorities() is https is not amqp
    assert authorities("amqp") is amqp
    assert https.verify_mode is ssl.CERT_REQUIRED
    assert https.check_hostname
    assert len(https.get_ca_certs()) > 100


def test_a_file_that_the_environment_names_is_read_instead(tmp_path, monkeypatch: pytest.MonkeyPatch):
    before = authorities()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "own.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
    assert len(authorities().get_ca_certs()) == 1
    monkeypatch.delenv("SSL_CERT_FILE")
    assert authorities() is before
