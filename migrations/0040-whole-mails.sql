-- Whose name is on a mail, to whom it goes by name, and where its unsubscribe link leads: kept with its text, so that
-- every attempt sends the same, whoever is renamed and wherever the app moves in between.
alter table followups.emails
    add column sender_name text,
    add column recipient_name text,
    add column public_url text; -- null: not set yet when it was written
update followups.emails e set sender_name = a.name || coalesce(' via ' || nullif(a.company, ''), ''),
    recipient_name = coalesce(c.name, '')
from followups.agents a, followups.clients c
where a.id = e.agent_id and c.id = e.client_id and e.composed_at is not null;
