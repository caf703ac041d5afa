-- Whom an agent may write to again, by its own decision. It holds for this agent alone, until the client says no again.
create table followups.allowed_again (
    agent_id bigint not null references followups.agents,
    address text not null check (address = lower(address)),
    reason text not null, -- in the agent's words
    decided_at timestamptz not null default clock_timestamp(),
    primary key (agent_id, address)
);
