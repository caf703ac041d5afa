-- Why a version of a model does not go on, and texts that a model refuses: asked again after pauses, then failed.

alter table papers.models
    add column problem text, -- why it was not asked last: it does not answer, refuses us, or refuses every text
    add column asked_again_at timestamptz, -- when the sweep asks it again in spite of the problem
    add column held_because text; -- why it is not searched in the place of the current one, though it is complete

alter table papers.unembedded
    add column refusals smallint not null default 0, -- how often the model refused the text
    add column refusal text; -- why it did last; `error` is set beside it once the text is given up
update papers.unembedded set refusal = error where error is not null;
create index unembedded_refused on papers.unembedded (model_id, paper_id) where refusal is not null;
