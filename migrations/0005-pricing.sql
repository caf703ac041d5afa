-- Pricing rules that two people can edit, and re-pricing that knows which rules it has applied.

-- How often the rule was changed: who edits it says which revision they have seen.
alter table diamonds.pricing_rules add column revision bigint not null default 1;

-- How often any rule was changed. Whoever writes prices holds a SHARE lock on pricing_rules until the commit, so
-- that rules change only between two such transactions, never under one.
create table diamonds.pricing_version (
    only_row boolean primary key default true check (only_row),
    version bigint not null,
    changed_at timestamptz not null default now()
);
insert into diamonds.pricing_version (version) values (1);

-- By triggers, so that a rule edited by hand counts as well.
create function diamonds.revise_pricing_rule() returns trigger language plpgsql as $$
begin
    new.revision := old.revision + 1;
    new.updated_at := now();
    return new;
end $$;
create trigger revise_pricing_rule before update on diamonds.pricing_rules
    for each row execute function diamonds.revise_pricing_rule();

create function diamonds.count_pricing_change() returns trigger language plpgsql as $$
begin
    update diamonds.pricing_version set version = version + 1, changed_at = now();
    return null;
end $$;
create trigger count_pricing_change after insert or update or delete or truncate on diamonds.pricing_rules
    for each statement execute function diamonds.count_pricing_change();

-- One row a re-pricing: how far it is and what it did, moved in the transactions that write the prices.
create table diamonds.repricings (
    repricing_id uuid primary key,
    feed text not null,
    status text not null default 'running' check (status in ('running', 'completed', 'failed', 'superseded')),
    rules_version bigint not null, -- the rules that it applies
    restarts integer not null default 0, -- how often the rules changed under it, so that it began again
    after_id bigint not null default 0, -- every diamond up to this id has the price of these rules
    total integer not null, -- diamonds on offer when it began
    looked_at integer not null default 0, -- since it last began
    changed integer not null default 0, -- rows written, since the first beginning
    value_change numeric(20, 2) not null default 0, -- of their retail prices, US dollars
    error text check (length(error) <= 500),
    started_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    completed_at timestamptz check ((completed_at is null) = (status = 'running'))
);
create unique index one_repricing_per_feed on diamonds.repricings (feed) where status = 'running';
create index repricings_by_start on diamonds.repricings (feed, started_at desc);
