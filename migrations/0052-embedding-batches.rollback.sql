drop index papers.unembedded_claims;
drop table papers.embedding_batches;
