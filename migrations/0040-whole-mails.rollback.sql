alter table followups.emails drop column public_url, drop column recipient_name, drop column sender_name;
