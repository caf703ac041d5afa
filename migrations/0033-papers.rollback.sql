drop schema papers cascade;
