-- What providers tell of mails that were handed over: an inbox by the event's id, and two axes on each mail.

create table followups.provider_events (
    provider text not null,
    event_id text not null,
    email_id bigint references followups.emails,
    kind text not null,
    permanent boolean not null, -- of a bounce
    happened_at timestamptz not null,
    user_agent text not null,
    ip text not null,
    detail text not null,
    received_at timestamptz not null default now(),
    primary key (provider, event_id)
);
create index provider_events_of_email on followups.provider_events (email_id);

alter table followups.emails
    add column delivery text not null default 'none'
        check (delivery in ('none', 'deferred', 'delivered', 'bounced', 'complained')),
    add column engagement text not null default 'none' check (engagement in ('none', 'opened', 'clicked')),
    add column opened_at timestamptz, -- the first time, by a person as far as can be told
    add column clicked_at timestamptz,
    add column machine_opens integer not null default 0,
    add column machine_clicks integer not null default 0;

-- The order of severity: of several events that come in any order, the gravest stands.
create function followups.graver(one text, other text, variadic severity text[]) returns text
language sql immutable return
    case when array_position(severity, one) > array_position(severity, other) then one else other end;

-- Requests to webhooks whose signature was wrong, by the minute.
create table followups.bad_signatures (
    minute timestamptz primary key,
    requests integer not null
);
