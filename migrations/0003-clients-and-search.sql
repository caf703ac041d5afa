-- Who may call the app and how often, and the diamonds as search and trade need them.

-- One row a way to prove who calls: a key (its hash is here) or, without a hash, signatures made with the client's
-- secret in the setting HMAC_SECRETS. Nothing in this table lets anybody in.
drop table diamonds.api_keys; -- nothing used it: keys are for every workload
create table platform.api_keys (
    id bigint generated always as identity primary key,
    client_name text not null check (client_name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    key_hash bytea unique check (octet_length(key_hash) = 32), -- sha256 of the key, which is not stored
    organization_id text check (length(organization_id) between 1 and 100), -- the only one it may act for
    permissions text[] not null check (cardinality(permissions) > 0),
    active boolean not null default true,
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    expires_at timestamptz
);
create unique index one_signing_grant_per_client on platform.api_keys (client_name) where key_hash is null and active;

-- Signatures that were used and would pass once more until they expire.
create table platform.seen_signatures (
    client_name text not null,
    signature bytea not null check (octet_length(signature) = 32),
    expires_at timestamptz not null,
    primary key (client_name, signature)
);
create index seen_signatures_by_expiry on platform.seen_signatures (expires_at);

-- A bucket of requests for each client, kept as the moment when it will be full again. Unlogged: after a crash every
-- client has a full bucket, which is cheaper than a flush to disk for each request.
create unlogged table platform.client_quotas (
    client_name text primary key,
    full_at timestamptz not null
) with (fillfactor = 50);

-- Jewellers grade from the best: D before E, FL before IF. What has no grade comes last.
create function diamonds.color_grade(color text) returns smallint immutable language sql
return case when color ~ '^[D-Z]$' then ascii(color) - ascii('C') else 99 end;

create function diamonds.clarity_grade(clarity text) returns smallint immutable language sql
return coalesce(array_position(
    array['FL', 'IF', 'VVS1', 'VVS2', 'VS1', 'VS2', 'SI1', 'SI2', 'SI3', 'I1', 'I2', 'I3'], clarity), 99);

-- A class is a band of carats (or of price), of lab-grown diamonds or of all others. Within one, price hardly follows
-- carats: the few classes that a filter leaves, read in the order of price and merged, give the page after few rows.
-- shared/diamonds/search/classes.py holds the same bounds.
alter table diamonds.diamonds
    add column color_grade smallint not null generated always as (diamonds.color_grade(color)) stored,
    add column clarity_grade smallint not null generated always as (diamonds.clarity_grade(clarity)) stored,
    add column carat_class smallint not null generated always as (
        2 * width_bucket(carats, array[0.3, 0.4, 0.5, 0.7, 0.9, 1.0, 1.2, 1.5, 2, 3]::numeric[])
        + case when lab_grown then 1 else 0 end) stored,
    add column price_class smallint not null generated always as (
        2 * width_bucket(price_model_price, array[250, 500, 1000, 1500, 2500, 4000, 6000, 9000, 13000]::numeric[])
        + case when lab_grown then 1 else 0 end) stored;

drop index diamonds.diamonds_by_price, diamonds.diamonds_by_carats, diamonds.diamonds_by_created_at,
    diamonds.diamonds_by_grade, diamonds.diamonds_by_color, diamonds.diamonds_by_clarity;

-- Each holds all that can be filtered by, so that what does not fit is passed over without reading its row.
create index diamonds_by_price on diamonds.diamonds (carat_class, price_model_price, id)
    include (carats, shape, color, clarity, cut, lab_grown) where status = 'active';
create index diamonds_by_carats on diamonds.diamonds (price_class, carats, id)
    include (price_model_price, shape, color, clarity, cut, lab_grown) where status = 'active';
create index diamonds_by_created_at on diamonds.diamonds (created_at, id)
    include (carats, price_model_price, shape, color, clarity, cut, lab_grown) where status = 'active';
create index diamonds_by_color on diamonds.diamonds (color_grade, id)
    include (carats, price_model_price, shape, color, clarity, cut, lab_grown) where status = 'active';
create index diamonds_by_clarity on diamonds.diamonds (clarity_grade, id)
    include (carats, price_model_price, shape, color, clarity, cut, lab_grown) where status = 'active';
-- Where the filters leave few diamonds, those are found here and sorted.
create index diamonds_by_grade on diamonds.diamonds
    (shape, color, clarity, cut, lab_grown, carats, price_model_price, id)
    include (created_at, color_grade, clarity_grade, carat_class) where status = 'active';
-- One diamond in 32: how many fit the filters is estimated from these.
create index diamonds_sample on diamonds.diamonds (carats, price_model_price, shape, color, clarity, cut, lab_grown)
    where status = 'active' and id % 32 = 0;

-- An index answers alone only for pages that were vacuumed since they changed: do it after 2 % of the rows, not 20 %.
alter table diamonds.diamonds set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);

-- A hold ends by the clock alone; then what the supplier says counts again.
create function diamonds.availability_now(availability text, hold_expires_at timestamptz, raw_availability text)
returns text language sql stable return case
    when hold_expires_at is null or hold_expires_at > now() then availability
    when raw_availability is null or upper(raw_availability) = 'AVAILABLE' then 'available'
    when upper(raw_availability) in ('ON_HOLD', 'HOLD') then 'on_hold'
    when upper(raw_availability) = 'SOLD' then 'sold'
    else 'unavailable'
end;

-- Clients choose their keys themselves, so the same one from two clients means nothing.
alter table diamonds.purchase_history
    drop constraint purchase_history_idempotency_key_key,
    add constraint one_purchase_per_key unique (client_name, idempotency_key);
