-- What was sold, as it was offered at that moment: the row itself goes on changing with the feed.
alter table diamonds.purchase_history add column diamond jsonb; -- null: sold before this column was there
