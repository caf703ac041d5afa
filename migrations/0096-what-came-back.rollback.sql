drop index followups.emails_provider_id, followups.emails_deferred, followups.clients_of_address;
