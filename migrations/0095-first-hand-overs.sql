-- What a hand-over leaves behind also where it turned out, or was said, not to have happened; and who a merged client is now.
alter table followups.emails
    add column first_sending_at timestamptz, -- when a hand-over first began; from then on its envelope stays as it is
    add column told_unknown_at timestamptz, -- when a person was told that nobody knows of it
    add column first_claim bigint not null default 0; -- the last claim before the agent let its text be tried anew
update followups.emails set first_sending_at = coalesce(sending_at, case when attempts > 0 then created_at end);

create function followups.living_client(entry bigint) returns bigint language sql stable as $$
    with recursive line as (
        select id, merged_into from followups.clients where id = entry
        union select c.id, c.merged_into from line join followups.clients c on c.id = line.merged_into
    )
    select id from line where merged_into is null
$$;

-- No zones of the IANA database, though the machine's own files name them: nothing that reads a calendar takes them.
update followups.agents set time_zone = 'UTC' where time_zone in ('localtime', 'posixrules', 'Factory');
update followups.clients set time_zone = null where time_zone in ('localtime', 'posixrules', 'Factory');
