drop index followups.emails_of_batch;
alter table followups.emails drop column batch;
