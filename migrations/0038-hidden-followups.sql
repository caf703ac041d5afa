-- Tasks and mails that their agent deleted are shown no more. Their rows stay: they hold that no step is sent twice.
alter table followups.tasks
    add column deleted_at timestamptz,
    add column draft jsonb; -- words that the agent keeps with a task; they are never sent by themselves
alter table followups.emails add column deleted_at timestamptz;
