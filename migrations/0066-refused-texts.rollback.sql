drop index papers.unembedded_refused;
alter table papers.unembedded drop column refusal, drop column refusals;
alter table papers.models drop column held_because, drop column asked_again_at, drop column problem;
