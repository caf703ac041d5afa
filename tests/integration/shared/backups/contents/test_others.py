"""What is defined beside tables comes back as it was defined, by what PostgreSQL's own dump says of it."""

from psycopg import conninfo

from orchestrators.backups.backing_up import back_up
from shared.backups.blobs.manifests import read_verdict
from shared.backups.models import TakeAndVerify
from shared.platform.stores.postgres import connection_to, rows
from tests.integration.player import Player
from tests.integration.shared.backups.conftest import execute, restore
from tests.present import present

BACKUP = "20261101T000100Z"


BESIDE_TABLES = """
create schema notes;
create type notes.mood as enum ('good', 'bad', 'it''s');
create type notes.place as (x real, y numeric(8, 2));
create type notes.span as range (subtype = real);
create domain notes.short as text default 'none' not null constraint at_most check (length(value) < 9);
create sequence notes.numbers as int start 5 increment 5 cycle maxvalue 500;
create table notes.said (id int primary key default nextval('notes.numbers'), mood notes.mood, how notes.short,
    at notes.place, long notes.span);
create function notes.worst(moods notes.mood[]) returns notes.mood language sql as 'select max(m) from unnest(moods) m';
create function notes.count_said() returns bigint language sql begin atomic select count(*) from notes.said; end;
create procedure notes.clear() language plpgsql security definer as 'begin delete from notes.said; end';
revoke execute on procedure notes.clear() from public;
create view notes.bad with (security_barrier = true) as select * from notes.said where mood = 'bad';
create view papers.titles as select p.title, (select count(*) from notes.bad) as bad from papers.papers p;
grant select on papers.titles to public;
create materialized view notes.counted as select mood, count(*) as said from notes.said group by mood;
create unique index counted_mood on notes.counted (mood);
create function notes.instead() returns trigger language plpgsql as 'begin return null; end';
create trigger kept instead of delete on notes.bad for each row execute function notes.instead();
create rule never as on insert to notes.bad do instead nothing;
create table public.by_hand (number int);
create function public.seven() returns int language sql as 'select 7';
comment on schema notes is 'what people say';
comment on table notes.said is 'it''s said';
comment on column notes.said.mood is 'how they feel';
comment on view notes.bad is 'the bad ones';
comment on function notes.count_said() is 'all of it';
comment on type notes.mood is 'how it is'
"""


CHANGED = """
alter table papers.papers add column mark int not null default 3, add constraint small check (mark < 9);
create index papers_mark on papers.papers (mark) where mark > 3;
alter table papers.papers set (autovacuum_vacuum_scale_factor = 0.05);
create trigger marked before update on papers.papers for each row execute function diamonds.count_offer();
alter table papers.papers disable trigger marked;
create or replace function papers.make_vectors(model smallint) returns void language sql as 'select null::void'
"""


async def test_what_was_made_by_hand_beside_tables_and_changed_of_them_comes_back(filled, migrated, empty, dumped):
    made = [one for one in (BESIDE_TABLES + ";" + CHANGED).replace("; end", ";; end").split(";\n") if one.strip()]
    await execute(*(one.replace(";; end", "; end") for one in made))
    await execute("insert into notes.said (mood, how) values ('bad', 'so'), ('bad', 'as'), ('good', 'is')")
    await execute("refresh materialized view notes.counted")
    outcome = await Player().play(back_up, TakeAndVerify(id=BACKUP, chain="20261101T000000Z", verify=True))
    assert (present(await read_verdict(BACKUP)).differences, outcome.verified) == ([], True)
    again = await Player().play(back_up, TakeAndVerify(id=BACKUP[:-3] + "30Z", chain="20261101T000000Z", verify=True))
    assert (again.verified, again.new_bytes) == (True, 0), "the scratch database was left empty"
    done = restore(migrated, empty)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert sorted(dumped(empty)) == sorted(dumped(conninfo.conninfo_to_dict(migrated)["dbname"]))
    async with connection_to(empty) as connection:
        found = await rows(connection, "select mood::text, said from notes.counted order by 1")
        assert found == [{"mood": "bad", "said": 2}, {"mood": "good", "said": 1}]
        assert (await rows(connection, "select count(*), max(bad) as bad from papers.titles"))[0]["bad"] == 2
