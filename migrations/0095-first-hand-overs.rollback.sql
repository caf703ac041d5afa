drop function followups.living_client(bigint);
alter table followups.emails drop column first_sending_at, drop column told_unknown_at, drop column first_claim;
