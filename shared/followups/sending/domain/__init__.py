"""Whether mailboxes will believe that mails of the sender's domain are its own: SPF, DKIM and DMARC in DNS."""
