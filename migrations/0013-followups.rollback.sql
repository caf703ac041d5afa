drop schema followups cascade;
