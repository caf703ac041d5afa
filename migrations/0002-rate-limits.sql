-- Which activity may speak to a supplier next, and which alerts were mailed today.

create schema if not exists platform;

-- Unlogged: 25 updates a second are not worth a flush to disk each, and after a crash every turn is over anyway.
create unlogged table platform.rate_limits (
    account text primary key,
    next_free timestamptz not null
);

create table diamonds.alerts_sent (
    cause text not null,
    day date not null, -- UTC
    state text not null check (state in ('claimed', 'sent')),
    claimed_at timestamptz not null,
    sent_at timestamptz,
    primary key (cause, day),
    check ((state = 'sent') = (sent_at is not null))
);
