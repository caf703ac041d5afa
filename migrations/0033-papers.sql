-- Papers: what was read, from which file, and what could not be read.

create extension if not exists vector; -- in Azure the administrator has made it; the app's role may not

create schema papers;

create table papers.papers (
    paper_id uuid primary key default uuidv7(),
    source text not null,
    source_id text not null, -- as the source names it
    title text not null,
    abstract text, -- null: the source has none
    authors text[] not null default '{}',
    author_keys text[] not null default '{}', -- the parts of their names without case and accents, for looking up
    categories text[] not null default '{}',
    primary_date date, -- null: the source names none, and no filter of dates finds it
    doi text, -- lower case, without an address
    arxiv_id text, -- without its version
    link text,
    withdrawn boolean not null default false,
    version_at timestamptz, -- the record's own date: of two records of a paper the newer one counts
    details jsonb not null default '{}', -- what else the source knows
    content_hash bytea not null, -- sha256 of all the above
    words tsvector generated always as (
        setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', coalesce(abstract, '')), 'B')
    ) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (source, source_id)
);
create index papers_words on papers.papers using gin (words);
create index papers_authors on papers.papers using gin (author_keys);
create index papers_categories on papers.papers using gin (categories);
create index papers_dates on papers.papers (primary_date, paper_id);
create index papers_dois on papers.papers (doi) where doi is not null;
create index papers_arxiv_ids on papers.papers (arxiv_id) where arxiv_id is not null;

-- One file that was read, or is being read: a version of a blob, and how its records are understood.
create table papers.ingests (
    ingest_id uuid primary key,
    blob text not null,
    etag text not null,
    size bigint not null, -- bytes, as stored
    read_blob text, -- what is read: the file, or what a packed Parquet file was unpacked into; null: nothing yet
    read_etag text,
    read_size bigint,
    source text not null,
    format text check (format in ('jsonl', 'csv', 'parquet')), -- null: not told yet
    gzip boolean not null default false,
    mapping jsonb, -- of a table's columns to our fields
    state text not null default 'waiting'
        check (state in ('waiting', 'reading', 'held', 'merging', 'completed', 'failed', 'discarded')),
    held_because text[] not null default '{}',
    added integer not null default 0,
    changed integer not null default 0,
    unchanged integer not null default 0, -- also those of which a newer record is known
    error text,
    started_by text not null,
    started_at timestamptz not null default now(),
    ended_at timestamptz
);
create index ingests_by_file on papers.ingests (blob, etag);
create index ingests_open on papers.ingests (started_at) where state in ('waiting', 'reading', 'merging');
create index ingests_by_time on papers.ingests (started_at desc, ingest_id);

-- A part of a file and how far it was read. Its mark moves in the transaction that stores the records before it.
create table papers.ingest_parts (
    ingest_id uuid not null references papers.ingests on delete cascade,
    part integer not null,
    begins bigint not null, -- byte of the file, or of a Parquet file the row group; a record is the part's that begins here
    ends bigint not null,
    member bigint not null default 0, -- where the gzip member begins in which the mark stands, in bytes as stored
    mark bigint not null, -- byte from there, as unpacked; of a row group the row
    header text, -- the first record of a CSV file, as it stands there
    lines bigint not null default 0, -- read before the mark
    records bigint not null default 0, -- staged before the mark
    rejected bigint not null default 0,
    done boolean not null default false,
    primary key (ingest_id, part)
);

-- Records on their way into papers, until the file has been judged.
create table papers.staged (
    ingest_id uuid not null references papers.ingests on delete cascade,
    part integer not null,
    line bigint not null,
    source_id text not null,
    title text not null,
    abstract text,
    authors text[] not null,
    author_keys text[] not null,
    categories text[] not null,
    primary_date date,
    doi text,
    arxiv_id text,
    link text,
    withdrawn boolean not null,
    version_at timestamptz,
    details jsonb not null,
    content_hash bytea not null,
    primary key (ingest_id, part, line)
);

create table papers.rejects (
    ingest_id uuid not null references papers.ingests on delete cascade,
    part integer not null,
    line bigint not null, -- within the part; that of the file is known when the parts before it are read
    reason text not null,
    record text not null, -- its beginning
    primary key (ingest_id, part, line)
);
