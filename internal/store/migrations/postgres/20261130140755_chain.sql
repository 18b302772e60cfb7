ALTER TABLE "entry" ADD COLUMN "salt" bytea NULL, ADD COLUMN "digest" bytea NULL;
ALTER TABLE "head" ADD COLUMN "chained" bigint NOT NULL DEFAULT 0, ADD COLUMN "chain" bytea NULL;
-- x_revision holds the leaf and the link of each revision. Rows are added, and never changed.
CREATE TABLE x_revision (revision bigint NOT NULL PRIMARY KEY, leaf bytea NOT NULL, chain bytea NOT NULL);
-- x_checkpoint holds links as they were signed.
CREATE TABLE x_checkpoint (revision bigint NOT NULL PRIMARY KEY, at timestamptz NOT NULL, note text NOT NULL);
