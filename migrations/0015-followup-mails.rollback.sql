drop trigger tasks_cancel_mail on followups.tasks;
drop function followups.cancel_mail();
drop table followups.scheduler, followups.suppressions, followups.emails;
