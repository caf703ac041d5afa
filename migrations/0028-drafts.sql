-- What the model that writes follow-ups has cost: one row for each call, whether a mail came of it or not.
create table followups.drafts (
    id bigint generated always as identity primary key,
    model text not null,
    outcome text not null, -- written, or why nothing was
    input_tokens integer not null,
    output_tokens integer not null,
    dollars numeric(12, 6) not null,
    seconds real not null,
    created_at timestamptz not null default now()
);
create index drafts_by_time on followups.drafts (created_at);
