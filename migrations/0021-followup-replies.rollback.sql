drop table followups.replies;
alter table followups.tasks drop column channel;
