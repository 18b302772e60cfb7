-- All that is searched for, by words and by parts of names.
CREATE VIRTUAL TABLE x_ci_parts USING fts5(name, content='', contentless_delete=1, tokenize='trigram', detail=none);
CREATE TRIGGER x_ci_parts_insert AFTER INSERT ON ci BEGIN
  INSERT INTO x_ci_parts (rowid, name) VALUES (new.id, new.name);
END;
CREATE TRIGGER x_ci_parts_update AFTER UPDATE OF name ON ci BEGIN
  DELETE FROM x_ci_parts WHERE rowid = old.id;
  INSERT INTO x_ci_parts (rowid, name) VALUES (new.id, new.name);
END;
CREATE TRIGGER x_ci_parts_delete AFTER DELETE ON ci BEGIN
  DELETE FROM x_ci_parts WHERE rowid = old.id;
END;
INSERT INTO x_ci_parts (rowid, name) SELECT id, name FROM ci;
CREATE VIRTUAL TABLE x_incident_search USING fts5(title, description, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0');
CREATE TRIGGER x_incident_search_insert AFTER INSERT ON incident BEGIN
  INSERT INTO x_incident_search (rowid, title, description) VALUES (new.id, new.title, new.description);
END;
CREATE TRIGGER x_incident_search_update AFTER UPDATE OF title, description ON incident BEGIN
  DELETE FROM x_incident_search WHERE rowid = old.id;
  INSERT INTO x_incident_search (rowid, title, description) VALUES (new.id, new.title, new.description);
END;
CREATE TRIGGER x_incident_search_delete AFTER DELETE ON incident BEGIN
  DELETE FROM x_incident_search WHERE rowid = old.id;
END;
CREATE VIRTUAL TABLE x_incident_parts USING fts5(title, content='', contentless_delete=1, tokenize='trigram', detail=none);
CREATE TRIGGER x_incident_parts_insert AFTER INSERT ON incident BEGIN
  INSERT INTO x_incident_parts (rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER x_incident_parts_update AFTER UPDATE OF title ON incident BEGIN
  DELETE FROM x_incident_parts WHERE rowid = old.id;
  INSERT INTO x_incident_parts (rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER x_incident_parts_delete AFTER DELETE ON incident BEGIN
  DELETE FROM x_incident_parts WHERE rowid = old.id;
END;
INSERT INTO x_incident_search (rowid, title, description) SELECT id, title, description FROM incident;
INSERT INTO x_incident_parts (rowid, title) SELECT id, title FROM incident;
CREATE VIRTUAL TABLE x_change_search USING fts5(title, description, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0');
CREATE TRIGGER x_change_search_insert AFTER INSERT ON change BEGIN
  INSERT INTO x_change_search (rowid, title, description) VALUES (new.id, new.title, new.description);
END;
CREATE TRIGGER x_change_search_update AFTER UPDATE OF title, description ON change BEGIN
  DELETE FROM x_change_search WHERE rowid = old.id;
  INSERT INTO x_change_search (rowid, title, description) VALUES (new.id, new.title, new.description);
END;
CREATE TRIGGER x_change_search_delete AFTER DELETE ON change BEGIN
  DELETE FROM x_change_search WHERE rowid = old.id;
END;
CREATE VIRTUAL TABLE x_change_parts USING fts5(title, content='', contentless_delete=1, tokenize='trigram', detail=none);
CREATE TRIGGER x_change_parts_insert AFTER INSERT ON change BEGIN
  INSERT INTO x_change_parts (rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER x_change_parts_update AFTER UPDATE OF title ON change BEGIN
  DELETE FROM x_change_parts WHERE rowid = old.id;
  INSERT INTO x_change_parts (rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER x_change_parts_delete AFTER DELETE ON change BEGIN
  DELETE FROM x_change_parts WHERE rowid = old.id;
END;
INSERT INTO x_change_search (rowid, title, description) SELECT id, title, description FROM change;
INSERT INTO x_change_parts (rowid, title) SELECT id, title FROM change;
CREATE VIRTUAL TABLE x_team_search USING fts5(name, description, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0');
CREATE TRIGGER x_team_search_insert AFTER INSERT ON team BEGIN
  INSERT INTO x_team_search (rowid, name, description) VALUES (new.id, new.name, new.description);
END;
CREATE TRIGGER x_team_search_update AFTER UPDATE OF name, description ON team BEGIN
  DELETE FROM x_team_search WHERE rowid = old.id;
  INSERT INTO x_team_search (rowid, name, description) VALUES (new.id, new.name, new.description);
END;
CREATE TRIGGER x_team_search_delete AFTER DELETE ON team BEGIN
  DELETE FROM x_team_search WHERE rowid = old.id;
END;
CREATE VIRTUAL TABLE x_team_parts USING fts5(name, content='', contentless_delete=1, tokenize='trigram', detail=none);
CREATE TRIGGER x_team_parts_insert AFTER INSERT ON team BEGIN
  INSERT INTO x_team_parts (rowid, name) VALUES (new.id, new.name);
END;
CREATE TRIGGER x_team_parts_update AFTER UPDATE OF name ON team BEGIN
  DELETE FROM x_team_parts WHERE rowid = old.id;
  INSERT INTO x_team_parts (rowid, name) VALUES (new.id, new.name);
END;
CREATE TRIGGER x_team_parts_delete AFTER DELETE ON team BEGIN
  DELETE FROM x_team_parts WHERE rowid = old.id;
END;
INSERT INTO x_team_search (rowid, name, description) SELECT id, name, description FROM team;
INSERT INTO x_team_parts (rowid, name) SELECT id, name FROM team;
CREATE VIRTUAL TABLE x_person_search USING fts5(name, email, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0');
CREATE TRIGGER x_person_search_insert AFTER INSERT ON person BEGIN
  INSERT INTO x_person_search (rowid, name, email) VALUES (new.id, new.name, new.email);
END;
CREATE TRIGGER x_person_search_update AFTER UPDATE OF name, email ON person BEGIN
  DELETE FROM x_person_search WHERE rowid = old.id;
  INSERT INTO x_person_search (rowid, name, email) VALUES (new.id, new.name, new.email);
END;
CREATE TRIGGER x_person_search_delete AFTER DELETE ON person BEGIN
  DELETE FROM x_person_search WHERE rowid = old.id;
END;
CREATE VIRTUAL TABLE x_person_parts USING fts5(name, content='', contentless_delete=1, tokenize='trigram', detail=none);
CREATE TRIGGER x_person_parts_insert AFTER INSERT ON person BEGIN
  INSERT INTO x_person_parts (rowid, name) VALUES (new.id, new.name);
END;
CREATE TRIGGER x_person_parts_update AFTER UPDATE OF name ON person BEGIN
  DELETE FROM x_person_parts WHERE rowid = old.id;
  INSERT INTO x_person_parts (rowid, name) VALUES (new.id, new.name);
END;
CREATE TRIGGER x_person_parts_delete AFTER DELETE ON person BEGIN
  DELETE FROM x_person_parts WHERE rowid = old.id;
END;
INSERT INTO x_person_search (rowid, name, email) SELECT id, name, email FROM person;
INSERT INTO x_person_parts (rowid, name) SELECT id, name FROM person;
