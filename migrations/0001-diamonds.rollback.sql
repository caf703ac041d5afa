drop schema diamonds cascade;
