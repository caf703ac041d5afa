alter table followups.emails drop column deleted_at;
alter table followups.tasks drop column draft, drop column deleted_at;
