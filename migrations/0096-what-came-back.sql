-- Whom an answer or an event is of, found without reading the whole outbox.
create index emails_provider_id on followups.emails (provider_id) where provider_id is not null;
create index emails_deferred on followups.emails (recipient) where delivery = 'deferred';
create index clients_of_address on followups.clients (email);
