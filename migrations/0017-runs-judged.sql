-- A run is judged by what it would change before it changes anything.

alter table diamonds.run_metadata
    -- Its pending rows are left alone by other runs, until a person releases or discards the run.
    add column withheld boolean not null default false,
    -- A person has looked at the difference and released the run: it is not held for it again.
    add column released boolean not null default false;

-- What consolidating a run would change, or has changed: counted when the run is judged.
create table diamonds.run_differences (
    run_id uuid primary key references diamonds.run_metadata on delete cascade,
    rows integer not null, -- raw rows that wait for consolidation
    failed integer not null, -- of those: cannot be mapped
    contradicting integer not null, -- of those: the price lies outside the range by which it was asked for
    new integer not null, -- diamonds that are not on offer now
    dearer integer not null,
    cheaper integer not null,
    jumped integer not null, -- of the dearer and cheaper: to more than double or less than half
    unchanged integer not null, -- diamonds on offer whose price stays
    gone integer, -- diamonds on offer that a complete full run has not seen; null: the run does not say
    offered integer not null, -- diamonds on offer now
    up numeric(20, 2) not null, -- by how much the dearer ones rise together, US dollars
    down numeric(20, 2) not null, -- by how much the cheaper ones fall together
    worst jsonb not null, -- the ten prices that change most, relatively
    judged_at timestamptz not null default now()
);
