-- x_floor holds, in its only row, the first revision that the journal has whole, and the signed note of what is kept of
-- those before it. Without a row that is revision 1.
CREATE TABLE x_floor (revision bigint NOT NULL PRIMARY KEY, at timestamptz NOT NULL, note text NOT NULL);
