drop table diamonds.alerts_sent;
drop table platform.rate_limits;
