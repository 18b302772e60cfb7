-- The row that counts revisions.
INSERT INTO head (revision) VALUES (0);
-- Order by bytes, as SQLite does.
ALTER TABLE ci ALTER COLUMN name TYPE varchar COLLATE "C";
ALTER TABLE team ALTER COLUMN name TYPE varchar COLLATE "C";
ALTER TABLE person ALTER COLUMN name TYPE varchar COLLATE "C";
ALTER TABLE dependency_group ALTER COLUMN name TYPE varchar COLLATE "C";
ALTER TABLE external_identity ALTER COLUMN source TYPE varchar COLLATE "C";
ALTER TABLE external_identity ALTER COLUMN external_id TYPE varchar COLLATE "C";
ALTER TABLE ci_class ALTER COLUMN code TYPE varchar COLLATE "C";
ALTER TABLE relationship_type ALTER COLUMN code TYPE varchar COLLATE "C";
-- Full text: words are cut at everything that is no letter or digit, so that host-0007 is found by 0007. They are made
-- into a tsvector as they are: the parser of to_tsvector takes 0e0b for the number 0e0 and the word b. A word counts by
-- its first 255 characters.
ALTER TABLE ci ADD COLUMN x_search tsvector GENERATED ALWAYS AS (
  regexp_replace(lower(regexp_replace(name COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]{1,255})[[:alnum:]]*', '''\1'':1A', 'g')::tsvector ||
  regexp_replace(lower(regexp_replace(description COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]{1,255})[[:alnum:]]*', '''\1'':1D', 'g')::tsvector
) STORED;
CREATE INDEX x_ci_search ON ci USING gin (x_search);
-- Attributes and labels by equality and by JSON path.
CREATE INDEX x_ci_attributes ON ci USING gin (attributes jsonb_path_ops);
CREATE INDEX x_ci_labels ON ci USING gin (labels);
-- Parts of names, where the extension may be had; without it such filters read the table.
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX x_ci_name_trgm ON ci USING gin ((name COLLATE "default") gin_trgm_ops);
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE 'pg_trgm is not available: %', SQLERRM;
END
$$;
