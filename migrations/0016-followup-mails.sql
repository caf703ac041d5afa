-- The outbox of the follow-ups: one e-mail for each task, which is handed over at most once.

create table followups.emails (
    id bigint generated always as identity primary key,
    task_id bigint not null unique references followups.tasks,
    agent_id bigint not null references followups.agents,
    client_id bigint not null references followups.clients,
    state text not null
        check (state in ('claimed', 'held', 'sending', 'sent', 'failed', 'unknown', 'cancelled')),
    claim bigint not null default 1, -- fencing number: who holds an older one can do nothing any more
    leased_until timestamptz not null, -- of a claim: nobody else may take it before
    attempts integer not null default 0, -- to hand it over that certainly failed
    message_key uuid not null default gen_random_uuid() unique, -- of its Message-ID, the same in every attempt
    unsubscribe_key uuid not null default gen_random_uuid() unique, -- opens its unsubscribe page, and nothing else
    writer text, -- who composed it
    sender text,
    recipient text,
    reply_to text,
    subject text,
    body text,
    footer text,
    composed_at timestamptz,
    edited_at timestamptz,
    approved_at timestamptz,
    hold_reason text check ((hold_reason is not null) = (state = 'held')),
    sending_at timestamptz, -- from then on a hand-over may have happened
    provider text,
    provider_id text,
    sent_at timestamptz,
    error_code text,
    error text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check (composed_at is null or num_nulls(writer, sender, recipient, reply_to, subject, body, footer) = 0),
    check (state not in ('sending', 'sent', 'unknown') or (composed_at is not null and sending_at is not null))
);
create index emails_of_agent on followups.emails (agent_id, id);
create index emails_of_client on followups.emails (client_id);
create index emails_sending on followups.emails (leased_until) where state in ('sending', 'unknown');
create index emails_handed_over on followups.emails (agent_id, sending_at) where sending_at is not null;

-- However a task ends, a mail of it that nobody hands over is not handed over any more.
create function followups.cancel_mail() returns trigger language plpgsql as $$
begin
    update followups.emails set state = 'cancelled', hold_reason = null, updated_at = now()
    where task_id = new.id and state in ('claimed', 'held');
    return null;
end $$;
create trigger tasks_cancel_mail after update of status on followups.tasks
    for each row when (old.status = 'pending' and new.status <> 'pending') execute function followups.cancel_mail();

-- Addresses that are not written to: scope all is for every mail, cadence for follow-ups only.
create table followups.suppressions (
    address text primary key check (address = lower(address)),
    scope text not null check (scope in ('all', 'cadence')),
    reason text not null,
    created_at timestamptz not null default now()
);

-- One row: the switch that stops all mails, and when the last sweep has ended.
create table followups.scheduler (
    only_row boolean primary key default true check (only_row),
    stopped_at timestamptz,
    stop_reason text,
    swept_at timestamptz
);
insert into followups.scheduler default values;

-- 24:00, which PostgreSQL knows, is no time of day anywhere else.
alter table followups.agents add constraint agents_closes_check check (closes < '24:00');
alter table followups.clients add constraint clients_closes_check check (closes < '24:00');
