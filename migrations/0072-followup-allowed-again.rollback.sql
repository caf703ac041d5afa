drop table followups.allowed_again;
