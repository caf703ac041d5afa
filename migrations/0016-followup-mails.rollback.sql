alter table followups.clients drop constraint clients_closes_check;
alter table followups.agents drop constraint agents_closes_check;
drop trigger tasks_cancel_mail on followups.tasks;
drop function followups.cancel_mail();
drop table followups.scheduler, followups.suppressions, followups.emails;
