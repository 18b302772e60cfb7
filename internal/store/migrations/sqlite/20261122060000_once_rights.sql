-- What the sender of an answered request might do and see: the answer is for the same rights alone.
ALTER TABLE x_once ADD COLUMN rights blob NULL;
