-- Maps of the papers: versions, each with tables of its own, so that another one is made beside the one that is seen.

create table papers.maps (
    version integer generated always as identity primary key,
    model_id smallint references papers.models on delete set null, -- null: its vectors are no longer there
    model text not null, -- name and version of that model
    starts_at integer references papers.maps on delete set null, -- the version whose positions it begins with
    state text not null check (state in ('building', 'current', 'previous', 'failed', 'dropped')),
    fitter text, -- null: not fitted yet
    sampled integer, -- papers that it is fitted to; null: not chosen yet
    shares uuid[], -- the last paper of each share that is placed at once, but of the last share
    published text, -- file of the model; null: not published yet
    extent float8[], -- x_min, y_min, x_max, y_max
    scale float8, -- what positions of the fit are multiplied with
    moved real, -- median way of the common papers since the version before, as a share of the extent
    nearness real, -- to its nearest papers of the sample: 95 of 100 papers of the sample lie nearer than this
    clusters jsonb, -- their papers are counted when the points are drawn
    drawn jsonb, -- classes, years and files; null: not drawn yet
    papers integer not null default 0, -- drawn
    additions integer not null default 0, -- placed since
    far integer not null default 0, -- of them, those less near than `nearness`
    error text,
    files boolean not null default true, -- whether there may be files of it
    started_by text not null,
    started_at timestamptz not null default now(),
    current_since timestamptz,
    ended_at timestamptz
);
create unique index maps_current on papers.maps ((true)) where state = 'current';
create unique index maps_building on papers.maps ((true)) where state = 'building';

-- Papers with a vector that have no place on a version yet.
create table papers.unplaced (
    version integer not null references papers.maps on delete cascade,
    paper_id uuid not null references papers.papers on delete cascade,
    primary key (version, paper_id)
);

-- The app's role may not make tables: these functions do, for the owner of the schema.
create function papers.make_map(map integer, dimensions integer) returns void language plpgsql security definer
set search_path = public, pg_temp as $$
begin
    execute format(
        'create table if not exists papers.%I (number integer primary key, paper_id uuid not null,'
        ' embedding halfvec(%s) not null, x real, y real)', 'map_sample_' || map, dimensions); -- x, y: on the map before
    execute format(
        'create table if not exists papers.%I (paper_id uuid primary key, x real not null, y real not null,'
        ' cluster smallint not null)', 'map_placed_' || map);
    execute format(
        'create table if not exists papers.%I (paper_id uuid not null references papers.papers on delete cascade,'
        ' point integer not null, x real not null, y real not null, cluster smallint not null)', 'map_points_' || map);
    execute format('grant select, insert, update, delete on papers.%I, papers.%I, papers.%I to %I',
        'map_sample_' || map, 'map_placed_' || map, 'map_points_' || map, session_user);
end $$;

create function papers.index_map_sample(map integer) returns void language plpgsql security definer
set search_path = public, pg_temp as $$
begin
    execute format(
        'create index if not exists %I on papers.%I using hnsw (embedding halfvec_cosine_ops)'
        ' with (m = 16, ef_construction = 64)', 'map_sample_' || map || '_hnsw', 'map_sample_' || map);
    execute format('analyze papers.%I', 'map_sample_' || map);
end $$;

-- When all points have their numbers: what finds them, and nothing of what they were made from.
create function papers.finish_map(map integer) returns void language plpgsql security definer
set search_path = public, pg_temp as $$
declare
    points text := 'map_points_' || map;
begin
    execute format('create unique index if not exists %I on papers.%I (paper_id)', points || '_papers', points);
    execute format('create unique index if not exists %I on papers.%I (point)', points || '_points', points);
    execute format('create index if not exists %I on papers.%I (x)', points || '_x', points);
    execute format('create index if not exists %I on papers.%I (y)', points || '_y', points);
    execute format('analyze papers.%I', points);
    execute format('drop table if exists papers.%I, papers.%I', 'map_sample_' || map, 'map_placed_' || map);
end $$;

create function papers.drop_map(map integer) returns void language plpgsql security definer
set search_path = public, pg_temp as $$
begin
    execute format('drop table if exists papers.%I, papers.%I, papers.%I',
        'map_sample_' || map, 'map_placed_' || map, 'map_points_' || map);
end $$;

revoke execute on function papers.make_map, papers.index_map_sample, papers.finish_map, papers.drop_map from public;
