-- Which batch of a sweep holds a claim, so that a step that is delivered again gets the claims of its lost answer.
alter table followups.emails add column batch text;
create index emails_of_batch on followups.emails (batch) where state = 'claimed';
