drop table followups.bad_signatures;
drop function followups.graver(text, text, text[]);
alter table followups.emails
    drop column machine_clicks, drop column machine_opens, drop column clicked_at, drop column opened_at,
    drop column engagement, drop column delivery;
drop table followups.provider_events;
