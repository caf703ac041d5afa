"""What a restored database lacks is told, of whatever kind it is."""

from orchestrators.backups.backing_up import back_up
from shared.backups.blobs.manifests import read_verdict
from shared.backups.models import TakeAndVerify
from tests.integration.player import Player
from tests.integration.shared.backups.conftest import execute
from tests.present import present

BACKUP = "20261101T000100Z"


async def test_large_objects_are_told_to_be_missing(filled, mails):
    await execute("select lo_from_bytea(0, 'kept elsewhere')")
    outcome = await Player().play(back_up, TakeAndVerify(id=BACKUP, chain="20261101T000000Z", verify=True))
    assert outcome.verified is False
    assert present(await read_verdict(BACKUP)).differences == ["large objects: not there"]


async def test_what_cannot_be_made_again_is_found_out_when_the_backup_is_verified(filled, mails):
    await execute(
        "create aggregate papers.product (int) (sfunc = int4mul, stype = int, initcond = '1')",
        "create view papers.multiplied as select papers.product(n) from generate_series(1, 5) n",
    )
    outcome = await Player().play(back_up, TakeAndVerify(id=BACKUP, chain="20261101T000000Z", verify=True))
    assert outcome.verified is False
    differences = present(await read_verdict(BACKUP)).differences
    assert any("papers.multiplied" in one and "papers.product(integer) does not exist" in one for one in differences)
    assert {"relation papers.multiplied: not there", "function papers.product(integer): not there"} <= set(differences)
    [mail] = mails.mails(10)
    assert "papers.multiplied" in mail.text
