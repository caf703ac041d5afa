-- Vectors of papers: a table for each version of a model, so that another model is built beside the one that is searched.

create table papers.models (
    model_id smallint generated always as identity primary key,
    name text not null, -- of the embedder
    version text not null,
    dimensions integer not null check (dimensions between 1 and 4000),
    state text not null check (state in ('building', 'current', 'previous', 'rejected')),
    centre real[], -- what is taken off each vector before it is stored; null: not known yet
    overlap real, -- with the model before it: share of common nearest neighbours on a sample
    created_at timestamptz not null default now(),
    current_since timestamptz,
    left_at timestamptz,
    unique (name, version)
);
create unique index models_current on papers.models ((true)) where state = 'current';

-- Papers that have no vector of a model, or one of another text.
create table papers.unembedded (
    model_id smallint not null references papers.models on delete cascade,
    paper_id uuid not null references papers.papers on delete cascade,
    attempts smallint not null default 0,
    claim uuid, -- of the worker that embeds it
    claimed_until timestamptz,
    error text,
    primary key (model_id, paper_id)
);
create index unembedded_open on papers.unembedded (model_id, claimed_until nulls first) where error is null;

create table papers.embedding_usage (
    model_id smallint not null references papers.models on delete cascade,
    day date not null,
    texts bigint not null default 0,
    tokens bigint not null default 0,
    cut bigint not null default 0, -- texts that were longer than the model reads
    dollars numeric(18, 9) not null default 0,
    primary key (model_id, day)
);

-- The app's role may not make tables: these functions do, for the owner of the schema.
create function papers.make_vectors(model smallint) returns void language plpgsql security definer
set search_path = public, pg_temp as $$
declare
    wanted papers.models := (select m from papers.models m where m.model_id = model);
begin
    execute format(
        'create table if not exists papers.%I (paper_id uuid primary key references papers.papers on delete cascade,'
        ' embedding halfvec(%s) not null, cut boolean not null)', 'vectors_' || model, wanted.dimensions);
    execute format('grant select, insert, update, delete on papers.%I to %I', 'vectors_' || model, session_user);
end $$;

create function papers.drop_vectors(model smallint) returns void language plpgsql security definer
set search_path = public, pg_temp as $$
begin
    execute format('drop table if exists papers.%I', 'vectors_' || model);
end $$;

-- Vectors have length 1 before their centre is taken off, so that the inner product with a question orders them as the
-- cosine does, and costs less: what the centre adds is the same for each. Without it the vectors of texts lie close
-- together in one direction, and the index misses several times as many of the nearest.
create function papers.index_vectors(model smallint, memory text) returns void language plpgsql security definer
set search_path = public, pg_temp set statement_timeout = 0 as $$
begin
    perform set_config('maintenance_work_mem', memory, true);
    execute format(
        'create index if not exists %I on papers.%I using hnsw (embedding halfvec_ip_ops) with (m = 24, ef_construction = 100)',
        'vectors_' || model || '_hnsw', 'vectors_' || model);
end $$;

revoke execute on function papers.make_vectors, papers.drop_vectors, papers.index_vectors from public;
