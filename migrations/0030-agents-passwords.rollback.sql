alter table followups.agents drop column password_mailed_at, drop column sessions_from;
