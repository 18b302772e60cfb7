-- What a row of a run is about, so that actors are told what they may see: a CI, the CI at the other end, and whether
-- the row tells of nothing else. The id is in the order of the rows of all runs.
ALTER TABLE x_run_row ADD COLUMN id integer NOT NULL DEFAULT 0;
ALTER TABLE x_run_row ADD COLUMN about integer NULL;
ALTER TABLE x_run_row ADD COLUMN other integer NULL;
ALTER TABLE x_run_row ADD COLUMN is_told boolean NOT NULL DEFAULT false;
UPDATE x_run_row SET id = run * 16777216 + place;
CREATE UNIQUE INDEX x_run_row_id ON x_run_row (id);
CREATE INDEX x_run_row_run ON x_run_row (run, id);
CREATE INDEX x_run_row_outcome ON x_run_row (run, outcome, id);
-- Until when a run that is being applied is known to be at work, what a person has let go missing in it, and who.
ALTER TABLE x_run ADD COLUMN alive_until datetime NULL;
ALTER TABLE x_run ADD COLUMN retire_up_to integer NOT NULL DEFAULT 0;
ALTER TABLE x_run ADD COLUMN approved_by text NOT NULL DEFAULT '';
-- The rows that a run has read and not applied yet, in parts.
CREATE TABLE x_run_input (
  run integer NOT NULL REFERENCES x_run (id) ON DELETE CASCADE, part integer NOT NULL, rows blob NOT NULL,
  PRIMARY KEY (run, part)
);
