-- Attributes without the signs that spellings differ by, so that identity rules find them by index.
CREATE FUNCTION x_alike(attributes jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_agg(key || '=' || CASE jsonb_typeof(value) WHEN 'string' THEN translate(lower(btrim(value #>> '{}') COLLATE "C"), '-:.{} ', '') ELSE value::text END)
  FROM jsonb_each(CASE jsonb_typeof(attributes) WHEN 'object' THEN attributes ELSE '{}' END) WHERE jsonb_typeof(value) IN ('string', 'number', 'boolean')
$$;
CREATE INDEX x_ci_alike ON ci USING gin (x_alike(attributes));
