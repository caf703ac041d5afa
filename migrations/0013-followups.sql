-- Follow-ups: agents, their clients, the tasks of the cadence, and one e-mail for each task.
-- What is due is decided by this database's clock.

create schema followups;

create table followups.agents (
    id bigint generated always as identity primary key,
    email text not null unique check (email = lower(email)),
    password_hash text,
    google_sub text unique,
    auth_provider text not null check (auth_provider in ('email', 'google')),
    name text not null check (name <> ''),
    phone text,
    title text,
    company text,
    bio text,
    avatar_url text,
    is_active boolean not null default true,
    postal_address text, -- stands under every mail; without one nothing is sent
    time_zone text not null default 'UTC', -- IANA; this and the next four are the default of the agent's clients
    working_days smallint[] not null default '{1,2,3,4,5}', -- ISO: 1 is Monday
    opens time not null default '09:00',
    closes time not null default '17:00' check (closes > opens),
    country text check (country ~ '^[A-Z]{2}$'), -- whose public holidays are no working days
    send_mode text not null default 'approve' check (send_mode in ('automatic', 'approve')),
    daily_cap integer not null default 200 check (daily_cap >= 0),
    paused_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table followups.clients (
    id bigint generated always as identity primary key,
    agent_id bigint not null references followups.agents,
    name text,
    email text not null check (email = lower(email)),
    phone text,
    property_address text,
    property_type text not null check (property_type in ('residential', 'commercial', 'land', 'other')),
    stage text not null check (stage in ('lead', 'negotiating', 'under_contract', 'closed', 'lost')),
    notes text,
    custom_fields jsonb not null default '{}',
    last_contacted timestamptz,
    email_unsubscribed boolean not null default false,
    paused_at timestamptz,
    time_zone text, -- this and the next four: null means the agent's
    working_days smallint[],
    opens time,
    closes time,
    country text check (country ~ '^[A-Z]{2}$'),
    is_deleted boolean not null default false,
    merged_into bigint references followups.clients,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check ((opens is null) = (closes is null) and closes > opens)
);
-- One person gets the cadence of an agent once, so an address belongs to one client.
create unique index clients_email on followups.clients (agent_id, email) where not is_deleted;
create index clients_of_agent on followups.clients (agent_id, id) where not is_deleted;

-- The cadence is data: the rows without an agent are everybody's who has none of their own.
create table followups.cadence_steps (
    id bigint generated always as identity primary key,
    agent_id bigint references followups.agents,
    followup_type text not null check (followup_type <> 'Custom'),
    days integer not null check (days between 0 and 3650), -- after the client was entered
    priority text not null check (priority in ('high', 'medium', 'low')),
    channel text not null default 'email' check (channel = 'email'),
    unique nulls not distinct (agent_id, followup_type)
);
insert into followups.cadence_steps (followup_type, days, priority) values
    ('Day 1', 1, 'high'), ('Day 3', 3, 'medium'), ('Week 1', 7, 'medium'), ('Week 2', 14, 'low'), ('Month 1', 30, 'low');

create table followups.tasks (
    id bigint generated always as identity primary key,
    agent_id bigint not null references followups.agents,
    client_id bigint not null references followups.clients,
    followup_type text not null,
    scheduled_for timestamptz not null,
    planned_for timestamptz not null, -- before anything moved it
    status text not null default 'pending' check (status in ('pending', 'completed', 'skipped', 'cancelled')),
    priority text not null check (priority in ('high', 'medium', 'low')),
    notes text,
    reason text, -- why it was moved, skipped or cancelled
    completed_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index tasks_step on followups.tasks (client_id, followup_type) where followup_type <> 'Custom';
create index tasks_due on followups.tasks (scheduled_for, id) where status = 'pending';
create index tasks_of_client on followups.tasks (client_id);
create index tasks_of_agent on followups.tasks (agent_id, id);
