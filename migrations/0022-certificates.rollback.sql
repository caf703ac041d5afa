drop index diamonds.diamonds_by_certificate;
