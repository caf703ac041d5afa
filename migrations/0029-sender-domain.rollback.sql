alter table followups.scheduler
    drop column domain_problems, drop column domain_checked_at, drop column domain_key;
