"""What is dropped into the papers' inbox is told to the app, and files that nobody needs are moved and deleted."""

from local.arm.provisioning.subscription import Subscription
from shared.papers.ingesting import files, inbox
from tests.unit.infra.plain import plain
from tools.dry_run.__main__ import run
from triggers.papers.arrivals import PAPERS


def provisioned(kind):
    """The resources of a type by name, after two provisionings."""
    subscription = Subscription()
    for _ in ("first", "second"):
        run(subscription, {})
    return {one["name"]: one for one in subscription.of_type(kind)}


def test_files_in_the_inbox_are_told_of_by_the_queue_that_the_app_reads(modules):
    [event] = provisioned("Microsoft.EventGrid/systemTopics/eventSubscriptions").values()
    assert event["properties"]["filter"] == {
        "includedEventTypes": [inbox.BLOB_CREATED],
        "subjectBeginsWith": f"/blobServices/default/containers/papers/blobs/{files.INBOX}",
    }
    assert event["properties"]["eventDeliverySchema"] == "EventGridSchema"
    to = event["properties"]["deliveryWithResourceIdentity"]
    assert to["identity"] == {"type": "SystemAssigned"}
    assert to["destination"]["endpointType"] == "ServiceBusQueue"
    assert to["destination"]["properties"]["resourceId"].endswith(f"/queues/{PAPERS}")
    assert plain(modules["serviceBus"].named("papers").value)["name"] == PAPERS


def test_the_topic_tells_of_the_account_that_holds_the_papers_and_stands_beside_it():
    [topic] = provisioned("Microsoft.EventGrid/systemTopics").values()
    accounts = provisioned("Microsoft.Storage/storageAccounts")
    account = accounts[topic["properties"]["source"].rsplit("/", 1)[-1]]
    assert account["name"].startswith("stdata")
    assert topic["properties"]["topicType"] == "Microsoft.Storage.StorageAccounts"
    assert topic["location"] == account["location"]


def test_files_of_papers_are_cooled_and_what_a_crash_leaves_is_deleted():
    [policy] = provisioned("Microsoft.Storage/storageAccounts/managementPolicies").values()
    rules = {one["name"]: one["definition"] for one in policy["properties"]["policy"]["rules"]}
    for name, prefix, actions in (
        ("expire-papers-work", "papers/work/", {"delete": {"daysAfterModificationGreaterThan": 7}}),
        ("expire-papers-rejects", "papers/rejects/", {"delete": {"daysAfterModificationGreaterThan": 90}}),
        ("cool-papers-inbox", "papers/inbox/", {"tierToCool": {"daysAfterModificationGreaterThan": 30}}),
    ):
        assert rules[name]["filters"]["prefixMatch"] == [prefix]
        assert rules[name]["actions"] == {"baseBlob": actions}
    assert all(name.replace("-", "").isalnum() for name in rules)
