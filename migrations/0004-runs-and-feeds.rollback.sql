alter table diamonds.partition_progress drop column next_token;
alter table diamonds.run_metadata
    drop column error_code, drop column error, drop column trace_id, drop column attempt,
    drop column offered_records, drop column missing_records, drop column deleted_records;
