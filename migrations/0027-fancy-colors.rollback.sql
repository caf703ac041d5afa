alter table diamonds.diamonds
    drop column fancy_color, drop column fancy_intensity, drop column fancy_overtone, drop column lab_grown_type,
    drop column certificate_url;
