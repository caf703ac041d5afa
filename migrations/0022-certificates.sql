-- Clients look a diamond up by its certificate.
create index diamonds_by_certificate on diamonds.diamonds (certificate_number) where status = 'active';
