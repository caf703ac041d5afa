"""The text of a mail: who writes it, and the rules that it must keep before anybody is sent it."""
