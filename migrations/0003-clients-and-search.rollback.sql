alter table diamonds.purchase_history
    drop constraint one_purchase_per_key,
    add constraint purchase_history_idempotency_key_key unique (idempotency_key);
alter table diamonds.diamonds reset (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
drop function diamonds.availability_now(text, timestamptz, text);
drop index diamonds.diamonds_by_price, diamonds.diamonds_by_carats, diamonds.diamonds_by_created_at,
    diamonds.diamonds_by_grade, diamonds.diamonds_by_color, diamonds.diamonds_by_clarity, diamonds.diamonds_sample;
alter table diamonds.diamonds
    drop column color_grade, drop column clarity_grade, drop column carat_class, drop column price_class;
drop function diamonds.color_grade(text), diamonds.clarity_grade(text);
create index diamonds_by_price on diamonds.diamonds (price_model_price, id) where status = 'active';
create index diamonds_by_carats on diamonds.diamonds (carats, id) where status = 'active';
create index diamonds_by_created_at on diamonds.diamonds (created_at, id) where status = 'active';
create index diamonds_by_grade on diamonds.diamonds (shape, color, clarity, carats, price_model_price)
    where status = 'active';
create index diamonds_by_color on diamonds.diamonds (color, clarity, id) where status = 'active';
create index diamonds_by_clarity on diamonds.diamonds (clarity, id) where status = 'active';
drop table platform.client_quotas;
drop table platform.seen_signatures;
drop table platform.api_keys;
create table diamonds.api_keys (
    id bigint generated always as identity primary key,
    key_hash bytea not null unique check (octet_length(key_hash) = 32),
    client_name text not null,
    permissions text[] not null,
    active boolean not null default true,
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    expires_at timestamptz
);
