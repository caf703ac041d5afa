drop view diamonds.alerts_sent;
alter table platform.alerts_sent set schema diamonds;
