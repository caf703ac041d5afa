-- The task hub whose orchestration works on a run: two hosts with hubs of their own may share a database.
alter table diamonds.run_metadata add column hub uuid; -- null: claimed before hubs had names
