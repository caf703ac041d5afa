alter table followups.emails drop column repeated_at, drop column repeat_refused;
