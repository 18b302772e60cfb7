-- The row that counts revisions.
INSERT INTO head (revision) VALUES (0);
-- Full text over names and descriptions; the index keeps no copy of the text.
CREATE VIRTUAL TABLE x_ci_search USING fts5(name, description, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0');
CREATE TRIGGER x_ci_search_insert AFTER INSERT ON ci BEGIN
  INSERT INTO x_ci_search (rowid, name, description) VALUES (new.id, new.name, new.description);
END;
CREATE TRIGGER x_ci_search_update AFTER UPDATE OF name, description ON ci BEGIN
  DELETE FROM x_ci_search WHERE rowid = old.id;
  INSERT INTO x_ci_search (rowid, name, description) VALUES (new.id, new.name, new.description);
END;
CREATE TRIGGER x_ci_search_delete AFTER DELETE ON ci BEGIN
  DELETE FROM x_ci_search WHERE rowid = old.id;
END;
-- Attributes and labels, one row for each, so that filters find them by index.
CREATE TABLE x_ci_property (
  field text NOT NULL, path text NOT NULL, sort text NOT NULL, value NOT NULL, ci_id integer NOT NULL,
  PRIMARY KEY (field, path, sort, value, ci_id)
) WITHOUT ROWID;
CREATE INDEX x_ci_property_ci ON x_ci_property (ci_id, field);
CREATE TRIGGER x_ci_property_insert AFTER INSERT ON ci BEGIN
  INSERT INTO x_ci_property
    SELECT 'attributes', key, CASE WHEN type IN ('integer', 'real') THEN 'number' WHEN type IN ('true', 'false') THEN 'boolean' WHEN type = 'text' THEN 'text' ELSE 'other' END,
      CASE WHEN type IN ('object', 'array', 'null') THEN '' ELSE atom END, new.id FROM json_each(new.attributes) WHERE key IS NOT NULL;
  INSERT INTO x_ci_property SELECT 'labels', key, 'text', atom, new.id FROM json_each(new.labels) WHERE key IS NOT NULL;
END;
CREATE TRIGGER x_ci_property_attributes AFTER UPDATE OF attributes ON ci WHEN old.attributes IS NOT new.attributes BEGIN
  DELETE FROM x_ci_property WHERE ci_id = old.id AND field = 'attributes';
  INSERT INTO x_ci_property
    SELECT 'attributes', key, CASE WHEN type IN ('integer', 'real') THEN 'number' WHEN type IN ('true', 'false') THEN 'boolean' WHEN type = 'text' THEN 'text' ELSE 'other' END,
      CASE WHEN type IN ('object', 'array', 'null') THEN '' ELSE atom END, new.id FROM json_each(new.attributes) WHERE key IS NOT NULL;
END;
CREATE TRIGGER x_ci_property_labels AFTER UPDATE OF labels ON ci WHEN old.labels IS NOT new.labels BEGIN
  DELETE FROM x_ci_property WHERE ci_id = old.id AND field = 'labels';
  INSERT INTO x_ci_property SELECT 'labels', key, 'text', atom, new.id FROM json_each(new.labels) WHERE key IS NOT NULL;
END;
CREATE TRIGGER x_ci_property_delete AFTER DELETE ON ci BEGIN
  DELETE FROM x_ci_property WHERE ci_id = old.id;
END;
