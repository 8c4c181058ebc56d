-- Before the modules are activated: overlapping memberships and double
-- bookings are then forbidden by the database itself
CREATE EXTENSION IF NOT EXISTS btree_gist;
ANALYZE;
