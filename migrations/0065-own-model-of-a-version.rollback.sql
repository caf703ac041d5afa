alter table papers.models drop column discarded, drop column dollars_per_million, drop column batch_model;
