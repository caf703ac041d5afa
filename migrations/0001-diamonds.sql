-- The diamond feed: raw rows as suppliers sent them, priced diamonds, runs and their progress.
-- Names and columns follow the system being replaced, so that its reports keep working; what is added says why.

create schema diamonds;

-- One partition a feed under one table: reports that read raw_diamonds_nivoda find it, and a second feed needs neither
-- a migration nor other SQL (its rows go to the default partition until somebody gives it its own).
-- Stone ids are compared byte by byte, as Python does: keyset paging, sorted locks and merges agree on the order.
create table diamonds.raw_diamonds (
    id bigint generated always as identity,
    feed text not null check (feed ~ '^[a-z][a-z0-9-]{0,30}$'),
    run_id uuid not null, -- the run that brought this payload
    supplier_stone_id text collate "C" not null,
    offer_id text not null,
    source_updated_at timestamptz,
    payload jsonb not null,
    payload_hash bytea not null check (octet_length(payload_hash) = 32), -- sha256 of the canonical JSON
    consolidation_status text not null default 'pending'
        check (consolidation_status in ('pending', 'processing', 'done', 'failed')),
    failure_reason text check ((failure_reason is not null) = (consolidation_status = 'failed')),
    claimed_at timestamptz,
    claimed_by text,
    consolidated_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (feed, supplier_stone_id) include (consolidation_status) -- runs count by it without reading payloads
) partition by list (feed);
create table diamonds.raw_diamonds_nivoda partition of diamonds.raw_diamonds for values in ('nivoda');
create table diamonds.raw_diamonds_other partition of diamonds.raw_diamonds default;

-- Claims walk the pending rows in key order; the others find the few rows that need a person.
create index raw_diamonds_pending on diamonds.raw_diamonds (feed, supplier_stone_id)
    where consolidation_status = 'pending';
create index raw_diamonds_failed on diamonds.raw_diamonds (feed, supplier_stone_id)
    where consolidation_status = 'failed';
create index raw_diamonds_processing on diamonds.raw_diamonds (claimed_at)
    where consolidation_status = 'processing';

create table diamonds.diamonds (
    id bigint generated always as identity primary key,
    feed text not null,
    supplier_stone_id text collate "C" not null,
    offer_id text not null,
    shape text not null check (shape = upper(shape)),
    carats numeric(6, 2) not null check (carats > 0),
    color text,
    clarity text,
    cut text,
    polish text,
    symmetry text,
    fluorescence text,
    lab_grown boolean, -- null: the supplier does not say
    treated boolean,
    price_model_price numeric(12, 2) not null check (price_model_price > 0), -- the supplier's price, US dollars
    price_per_carat numeric(14, 2) not null, -- of the dearest price and the lightest stone
    retail_price numeric(12, 2) not null,
    markup_ratio numeric(5, 4) not null check (markup_ratio > 0),
    rating smallint check (rating between 1 and 10),
    availability text not null check (availability in ('available', 'on_hold', 'sold', 'unavailable')),
    raw_availability text,
    hold_id text,
    -- Until then consolidation leaves availability and hold_id alone: they are ours, not the supplier's.
    hold_expires_at timestamptz,
    image_url text,
    video_url text,
    certificate_lab text,
    certificate_number text,
    measurements jsonb not null default '{}',
    attributes jsonb not null default '{}',
    supplier_name text,
    supplier_stock_id text,
    status text not null default 'active' check (status in ('active', 'deleted')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz check ((deleted_at is not null) = (status = 'deleted')),
    unique (feed, supplier_stone_id)
);

-- Search sorts by one of these and reads on from the last (value, id); filters are applied on the way.
create index diamonds_by_price on diamonds.diamonds (price_model_price, id) where status = 'active';
create index diamonds_by_carats on diamonds.diamonds (carats, id) where status = 'active';
create index diamonds_by_created_at on diamonds.diamonds (created_at, id) where status = 'active';
-- Where the filters leave few rows, those are found here and sorted.
create index diamonds_by_grade on diamonds.diamonds (shape, color, clarity, carats, price_model_price)
    where status = 'active';
create index diamonds_by_color on diamonds.diamonds (color, clarity, id) where status = 'active';
create index diamonds_by_clarity on diamonds.diamonds (clarity, id) where status = 'active';

-- The lowest priority that matches wins, then the lowest id. A null condition matches every diamond.
create table diamonds.pricing_rules (
    id bigint generated always as identity primary key,
    priority integer not null default 100,
    carat_min numeric(6, 2) check (carat_min >= 0),
    carat_max numeric(6, 2) check (carat_max >= carat_min),
    shapes text[] check (cardinality(shapes) > 0),
    lab_grown boolean,
    feed text,
    markup_ratio numeric(5, 4) not null check (markup_ratio > 0),
    rating smallint check (rating between 1 and 10),
    active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

-- The counts are taken from the rows when the run ends; while it runs they are zero and the rows are asked.
create table diamonds.run_metadata (
    run_id uuid primary key,
    feed text not null,
    run_type text not null check (run_type in ('full', 'incremental')),
    status text not null default 'running'
        check (status in ('running', 'completed', 'partial', 'held', 'failed', 'cancelled')),
    window_since timestamptz not null,
    window_until timestamptz not null check (window_until >= window_since),
    max_records integer not null default 0 check (max_records >= 0),
    watermark_before timestamptz,
    watermark_after timestamptz,
    expected_workers integer not null default 0,
    completed_workers integer not null default 0,
    failed_workers integer not null default 0,
    expected_records integer not null default 0,
    ingested_records integer not null default 0,
    consolidated_records integer not null default 0,
    failed_records integer not null default 0,
    pending_records integer not null default 0,
    started_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(), -- when an activity of the run last said that it works
    completed_at timestamptz check ((completed_at is null) = (status = 'running'))
);
create unique index one_run_per_feed on diamonds.run_metadata (feed) where status = 'running';
create index run_metadata_by_start on diamonds.run_metadata (feed, started_at desc);

-- What each partition was asked to do and how it went.
create table diamonds.worker_runs (
    run_id uuid not null references diamonds.run_metadata on delete cascade,
    partition_id text not null,
    status text not null default 'pending' check (status in ('pending', 'running', 'completed', 'failed')),
    records_processed integer not null default 0, -- different diamonds seen
    error_message text check (length(error_message) <= 500),
    work_item_payload jsonb not null,
    started_at timestamptz,
    completed_at timestamptz,
    primary key (run_id, partition_id)
) with (fillfactor = 50); -- every batch updates one row; the room lets it stay on its page

-- How far each partition is. Moved only by who saw the current (sweep, next_offset), together with the rows it read.
create table diamonds.partition_progress (
    run_id uuid not null,
    partition_id text not null,
    sweep smallint not null default 0, -- passes over the partition before this one
    next_offset integer not null default 0 check (next_offset >= 0),
    completed boolean not null default false,
    failed boolean not null default false check (not (completed and failed)),
    counted integer, -- what the supplier counted when the last sweep ended
    updated_at timestamptz not null default now(),
    primary key (run_id, partition_id),
    foreign key (run_id, partition_id) references diamonds.worker_runs on delete cascade
) with (fillfactor = 50); -- as above

-- Which diamonds a run has seen, once each whatever is delivered twice: every count of a run is a count of these, a
-- partition knows by them whether rows slipped past its offsets, and a full run which diamonds are no longer offered.
-- No foreign key: it would be checked for each of half a million rows. Purged with the run's details.
create table diamonds.run_sightings (
    run_id uuid not null,
    partition_id text not null,
    supplier_stone_id text collate "C" not null,
    primary key (run_id, supplier_stone_id, partition_id)
);

create table diamonds.api_keys (
    id bigint generated always as identity primary key,
    key_hash bytea not null unique check (octet_length(key_hash) = 32), -- sha256 of the key, which is not stored
    client_name text not null,
    permissions text[] not null,
    active boolean not null default true,
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    expires_at timestamptz
);

create table diamonds.hold_history (
    id bigint generated always as identity primary key,
    diamond_id bigint not null references diamonds.diamonds,
    hold_id text not null unique,
    client_name text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    released_at timestamptz
);
create index hold_history_by_diamond on diamonds.hold_history (diamond_id, created_at desc);

create table diamonds.purchase_history (
    id bigint generated always as identity primary key,
    diamond_id bigint not null references diamonds.diamonds,
    idempotency_key text not null unique,
    request_hash bytea not null check (octet_length(request_hash) = 32), -- another body under the same key is refused
    client_name text not null,
    price numeric(12, 2) not null,
    answer jsonb not null, -- given again to whoever repeats the request
    created_at timestamptz not null default now()
);
create index purchase_history_by_diamond on diamonds.purchase_history (diamond_id);
