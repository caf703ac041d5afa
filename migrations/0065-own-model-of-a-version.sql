-- What a version of a model is asked with, beside its name, its version and its dimensions: the settings may name another one by then.

alter table papers.models
    add column batch_model text not null default '', -- that answers its batches; empty: the same
    add column dollars_per_million float8 not null default 0, -- what a million of its tokens cost
    add column discarded boolean not null default false; -- a person has taken it back: it is not built again
update papers.models set discarded = true where state = 'rejected';
