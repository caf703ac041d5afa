-- A new password ends the sessions before it, and asks for one are mailed from time to time only.
alter table followups.agents
    add column sessions_from timestamptz, -- tokens that are older are good for nothing
    add column password_mailed_at timestamptz;
