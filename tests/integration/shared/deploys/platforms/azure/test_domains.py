"""Custom domains on Azure: proved, certified, bound, and never taken from another app."""

import pytest

from local.arm.cloud import DOMAIN, VERIFICATION
from shared.deploys.platforms.azure.names import app_name
from shared.platform.errors import TerminalError

HOST = "shop.example.com"


@pytest.mark.parametrize(("leads", "proof"), [("CNAME", "CNAME"), ("A", "HTTP")])
async def test_a_domain_is_added_certified_and_bound(harness, cloud, recorder, leads, proof):
    spec = await harness.spec(custom_domain=HOST)
    await harness.platform.validate(spec, recorder.step)
    assert f"TXT asuid.{HOST} = {VERIFICATION} and CNAME {HOST} = {app_name(spec)}.{DOMAIN}" in recorder.text
    await harness.through(spec, to="promote")
    cloud.dns[HOST] = leads
    await harness.bound(spec, recorder.step)
    bound = await harness.bound(spec, recorder.step)
    assert bound.url == f"https://{HOST}"
    (certificate,) = cloud.certificates.values()
    assert certificate.body["properties"]["domainControlValidation"] == proof
    assert (await harness.get(bound.url)).text == f"served by {spec.deployment_id}"


async def test_a_domain_without_its_records_is_refused_with_the_records(harness, recorder):
    spec = await harness.spec(custom_domain=HOST)
    await harness.through(spec, to="promote")
    with pytest.raises(TerminalError) as refusal:
        await harness.platform.configure_domain(spec, recorder.step)
    assert refusal.value.code == "domain-not-verified"
    assert f"TXT asuid.{HOST} = {VERIFICATION}" in str(refusal.value.remedy)
    assert await harness.who_serves() == spec.deployment_id


async def test_a_domain_of_another_app_is_not_taken(harness, cloud, recorder):
    first, second = await harness.spec(), await harness.spec(project="other")
    cloud.dns[HOST] = "CNAME"
    await harness.through(first, to="promote")
    await harness.bound(first.model_copy(update={"custom_domain": HOST}), recorder.step)
    await harness.through(second, to="promote")
    with pytest.raises(TerminalError) as refusal:
        await harness.platform.configure_domain(second.model_copy(update={"custom_domain": HOST}), recorder.step)
    assert refusal.value.code == "domain-in-use"


async def test_a_certificate_that_failed_is_asked_for_once_more_by_the_next_deployment(harness, cloud, recorder):
    spec = await harness.spec(custom_domain=HOST)
    cloud.dns[HOST] = "CNAME"
    cloud.failing_certificates[HOST] = "CAA records forbid it"
    await harness.through(spec, to="promote")
    with pytest.raises(TerminalError) as refusal:
        await harness.bound(spec, recorder.step)
    assert (refusal.value.code, "CAA" in refusal.value.message) == ("certificate-failed", True)
    del cloud.failing_certificates[HOST]
    assert (await harness.bound(spec, recorder.step)).done
