-- What clients answer. A task for a person is no mail.

alter table followups.tasks add column channel text not null default 'email' check (channel in ('email', 'agent'));

create table followups.replies (
    id bigint generated always as identity primary key,
    agent_id bigint not null references followups.agents,
    client_id bigint not null references followups.clients,
    email_id bigint references followups.emails, -- which of our mails it answers, where that can be told
    message_id text not null,
    sender text not null,
    subject text not null,
    body text not null,
    received_at timestamptz not null default now(),
    unique (agent_id, message_id)
);
create index replies_of_agent on followups.replies (agent_id, id);
