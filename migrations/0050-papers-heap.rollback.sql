alter table papers.papers reset (toast_tuple_target);
