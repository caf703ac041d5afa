"""What hands mails over while its hosts are killed: the app and its peers, on the same sink and database."""
