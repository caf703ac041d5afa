"""Communication Services: one operation id in all attempts, by which a lost answer is looked up."""

import ssl
from datetime import UTC, datetime

import pytest
import trustme

from local.arm.cloud import APP_CLIENT_ID, Cloud
from local.arm.servers import listening, serving
from local.providers.communication import Communication
from shared.followups.sending.senders import sender
from shared.followups.sending.senders.communication import CommunicationAccount, CommunicationSender
from shared.platform.credentials import credential
from tests.fresh_settings import forget_settings
from tests.integration.shared.followups.sending.senders.conftest import mail, through_sweeps


async def test_a_mail_taken_with_503_is_one_mail_under_one_operation_id_over_all_sweeps(crm, service, monkeypatch):
    api, through = service
    through_sweeps(monkeypatch, through)
    api.faults, api.hidden = [503], True
    await crm.due(await crm.agent())
    assert (await crm.sweep()).unknown == 1
    await crm.pass_time(16)
    assert (await crm.sweep()).claimed == 0
    assert await crm.states() == {"sent": 1}
    await crm.pass_time(16)
    assert (await crm.sweep()).claimed == 0
    [key] = {row["message_key"] for row in await crm.fetch("select message_key from followups.emails")}
    assert (api.operation_ids, list(api.mails)) == ([str(key)] * 2, [str(key)])


async def test_one_operation_id_in_all_attempts_is_one_mail_though_the_answer_was_503(service):
    """The mail was taken and the answer was 503; where the look-up shows nothing yet, the same id is sent again."""
    api, through = service
    api.faults, api.hidden = [503], True
    sent = mail(sending_at=datetime.now(UTC))
    assert (await through.send(sent)).kind == "unknown"
    assert (api.operation_ids, api.look_ups) == ([str(sent.key)], 1)
    assert await through.find_out(sent) is None
    assert api.operation_ids == [str(sent.key)]
    assert (await through.send(sent)).kind == "accepted"
    assert api.operation_ids == [str(sent.key)] * 2
    assert list(api.mails) == [str(sent.key)]


@pytest.mark.parametrize("fault", [503, 500, 504, None])
async def test_an_answer_of_communication_services_that_is_lost_is_looked_up_and_not_sent_again(service, fault):
    api, through = service
    api.faults = [fault]
    sent = mail()
    outcome = await through.send(sent)
    assert (outcome.kind, outcome.provider_id) == ("accepted", str(sent.key))
    assert (api.operation_ids, list(api.mails), api.look_ups) == ([str(sent.key)], [str(sent.key)], 1)


@pytest.mark.parametrize(
    ("fault", "kind"), [(429, "postponed"), (400, "refused"), (401, "postponed"), (403, "postponed"), (201, "unknown")]
)
async def test_each_refusal_of_communication_services_is_one_request_and_its_meaning(service, fault, kind):
    api, through = service
    api.faults = [fault]
    assert (await through.send(mail())).kind == kind
    assert (len(api.operation_ids), api.mails) == (1, {})


async def test_an_operation_that_failed_is_a_refusal(service):
    api, through = service
    sent = mail(sending_at=datetime.now(UTC))
    await through.send(sent)
    api.statuses[str(sent.key)] = "Failed"
    found = await through.find_out(sent)
    assert (found.kind, found.code) == ("refused", "EmailDropped")


async def test_a_wrong_key_of_communication_services_waits_for_whoever_mends_it(service):
    api, through = service
    account = CommunicationAccount(through._account.endpoint, "d3Jvbmc=")
    assert (await CommunicationSender(account).send(mail())).code == "account-refused"
    assert api.mails == {}


async def test_without_a_key_communication_services_are_opened_with_the_apps_identity(tmp_path, monkeypatch, migrated):
    authority = trustme.CA()
    certificate, roots = tmp_path / "server.pem", tmp_path / "roots.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    authority.cert_pem.write_to_path(str(roots))
    cloud, api = Cloud(), Communication()
    async with serving(cloud, tmp_path) as azure, listening(api.app(), certificate=certificate) as port:
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_CLIENT_ID"):
            monkeypatch.setenv(name, azure.environment[name])
        # aiohttp reads the roots that it trusts once a process.
        context = ssl.create_default_context(cafile=str(roots))
        monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", context)
        monkeypatch.setenv("FOLLOWUPS_PROVIDER", "communication")
        monkeypatch.setenv("COMMUNICATION_ENDPOINT", f"https://127.0.0.1:{port}")
        forget_settings()
        credential.cache_clear()
        try:
            first = await sender().send(mail())
            assert first.code == "account-refused", first
            api.token = cloud.token("https://communication.azure.com/", APP_CLIENT_ID)
            assert (await sender().send(mail())).kind == "accepted"
            monkeypatch.setenv("IDENTITY_HEADER", "wrong")
            await credential().close()
            credential.cache_clear()
            assert (await sender().send(mail())).kind == "postponed", "no token is no hand-over"
        finally:
            await credential().close()
            credential.cache_clear()
    assert len(api.mails) == 1
