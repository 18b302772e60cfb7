-- Create "source" table
CREATE TABLE `source` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `code` text NOT NULL,
  `priority` integer NOT NULL DEFAULT (100),
  `field_priorities` json NULL,
  `stale_after_minutes` integer NOT NULL DEFAULT (0),
  `retire_policy` text NOT NULL DEFAULT ('KEEP'),
  `grace_runs` integer NOT NULL DEFAULT (2),
  `grace_minutes` integer NOT NULL DEFAULT (1440),
  `guard_percent` integer NOT NULL DEFAULT (5),
  `key_spaces` json NULL,
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL
);
-- Set sequence for "source" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('source', 10414574138294272);
-- Create index "source_code_key" to table: "source"
CREATE UNIQUE INDEX `source_code_key` ON `source` (`code`);
-- What each source last said of each record. Not journalled: the journal tells what became of the records.
CREATE TABLE x_claim (
  source text NOT NULL, key text NOT NULL, scope text NOT NULL, record integer NOT NULL, hash blob NOT NULL, body text NOT NULL,
  first_run integer NOT NULL, changed_run integer NOT NULL, changed_at datetime NOT NULL,
  missing_since datetime NULL, missing_runs integer NOT NULL DEFAULT 0,
  PRIMARY KEY (source, key)
);
CREATE INDEX x_claim_record ON x_claim (record);
CREATE INDEX x_claim_scope ON x_claim (source, scope, key);
CREATE INDEX x_claim_missing ON x_claim (source, missing_since) WHERE missing_since IS NOT NULL;
-- The readings of sources, and what each did about every record that was not unchanged.
CREATE TABLE x_run (
  id integer PRIMARY KEY AUTOINCREMENT, source text NOT NULL, scope text NOT NULL, kind text NOT NULL, state text NOT NULL,
  started_at datetime NOT NULL, finished_at datetime NULL, is_complete boolean NOT NULL DEFAULT false, counts text NOT NULL DEFAULT '{}',
  from_revision integer NOT NULL DEFAULT 0, to_revision integer NOT NULL DEFAULT 0, actor text NOT NULL, reason text NOT NULL DEFAULT '', input blob NULL
);
CREATE INDEX x_run_scope ON x_run (source, scope, id);
CREATE TABLE x_run_row (
  run integer NOT NULL REFERENCES x_run (id) ON DELETE CASCADE, place integer NOT NULL, outcome text NOT NULL, step text NOT NULL,
  PRIMARY KEY (run, place)
) WITHOUT ROWID;
