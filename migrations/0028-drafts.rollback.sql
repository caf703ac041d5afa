drop table followups.drafts;
