-- Papers that a service embeds in its own time, for half the money: one row for each file of requests that it was given.

create table papers.embedding_batches (
    claim uuid primary key, -- of the papers in papers.unembedded that it embeds
    model_id smallint not null references papers.models on delete cascade,
    remote_id text, -- the service's; null: it is being sent, or whoever sent it was killed
    embedded integer not null default 0,
    refused integer not null default 0,
    state text not null default 'sending' check (state in ('sending', 'sent', 'ended')),
    reason text, -- how the service says that it ended
    created_at timestamptz not null default now(),
    ended_at timestamptz
);
create index embedding_batches_open on papers.embedding_batches (model_id, created_at) where state <> 'ended';
create index unembedded_claims on papers.unembedded (claim) where claim is not null;
