-- All that is searched for, by words and by parts of names.
ALTER TABLE incident ADD COLUMN x_search tsvector GENERATED ALWAYS AS (
  (CASE WHEN length(title) < 128 OR title COLLATE "default" !~ '[[:alnum:]]{128}'
    THEN regexp_replace(lower(regexp_replace(title COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]+)', '''\1'':1A', 'g')
    ELSE regexp_replace(lower(regexp_replace(title COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]{1,255})[[:alnum:]]*', '''\1'':1A', 'g')
  END)::tsvector ||
  (CASE WHEN length(description) < 128 OR description COLLATE "default" !~ '[[:alnum:]]{128}'
    THEN regexp_replace(lower(regexp_replace(description COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]+)', '''\1'':1D', 'g')
    ELSE regexp_replace(lower(regexp_replace(description COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]{1,255})[[:alnum:]]*', '''\1'':1D', 'g')
  END)::tsvector
) STORED;
CREATE INDEX x_incident_search ON incident USING gin (x_search);
ALTER TABLE change ADD COLUMN x_search tsvector GENERATED ALWAYS AS (
  (CASE WHEN length(title) < 128 OR title COLLATE "default" !~ '[[:alnum:]]{128}'
    THEN regexp_replace(lower(regexp_replace(title COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]+)', '''\1'':1A', 'g')
    ELSE regexp_replace(lower(regexp_replace(title COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]{1,255})[[:alnum:]]*', '''\1'':1A', 'g')
  END)::tsvector ||
  (CASE WHEN length(description) < 128 OR description COLLATE "default" !~ '[[:alnum:]]{128}'
    THEN regexp_replace(lower(regexp_replace(description COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]+)', '''\1'':1D', 'g')
    ELSE regexp_replace(lower(regexp_replace(description COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]{1,255})[[:alnum:]]*', '''\1'':1D', 'g')
  END)::tsvector
) STORED;
CREATE INDEX x_change_search ON change USING gin (x_search);
ALTER TABLE team ADD COLUMN x_search tsvector GENERATED ALWAYS AS (
  (CASE WHEN length(name) < 128 OR name COLLATE "default" !~ '[[:alnum:]]{128}'
    THEN regexp_replace(lower(regexp_replace(name COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]+)', '''\1'':1A', 'g')
    ELSE regexp_replace(lower(regexp_replace(name COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]{1,255})[[:alnum:]]*', '''\1'':1A', 'g')
  END)::tsvector ||
  (CASE WHEN length(description) < 128 OR description COLLATE "default" !~ '[[:alnum:]]{128}'
    THEN regexp_replace(lower(regexp_replace(description COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]+)', '''\1'':1D', 'g')
    ELSE regexp_replace(lower(regexp_replace(description COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]{1,255})[[:alnum:]]*', '''\1'':1D', 'g')
  END)::tsvector
) STORED;
CREATE INDEX x_team_search ON team USING gin (x_search);
ALTER TABLE person ADD COLUMN x_search tsvector GENERATED ALWAYS AS (
  (CASE WHEN length(name) < 128 OR name COLLATE "default" !~ '[[:alnum:]]{128}'
    THEN regexp_replace(lower(regexp_replace(name COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]+)', '''\1'':1A', 'g')
    ELSE regexp_replace(lower(regexp_replace(name COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]{1,255})[[:alnum:]]*', '''\1'':1A', 'g')
  END)::tsvector ||
  (CASE WHEN length(email) < 128 OR email COLLATE "default" !~ '[[:alnum:]]{128}'
    THEN regexp_replace(lower(regexp_replace(email COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]+)', '''\1'':1D', 'g')
    ELSE regexp_replace(lower(regexp_replace(email COLLATE "default", '[^[:alnum:]]+', ' ', 'g')), '([[:alnum:]]{1,255})[[:alnum:]]*', '''\1'':1D', 'g')
  END)::tsvector
) STORED;
CREATE INDEX x_person_search ON person USING gin (x_search);
-- Parts of names, where the extension may be had; without it they are read from the table.
DO $$
BEGIN
  CREATE INDEX x_incident_title_trgm ON incident USING gin ((title COLLATE "default") gin_trgm_ops);
  CREATE INDEX x_change_title_trgm ON change USING gin ((title COLLATE "default") gin_trgm_ops);
  CREATE INDEX x_team_name_trgm ON team USING gin ((name COLLATE "default") gin_trgm_ops);
  CREATE INDEX x_person_name_trgm ON person USING gin ((name COLLATE "default") gin_trgm_ops);
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE 'pg_trgm is not available: %', SQLERRM;
END
$$;
