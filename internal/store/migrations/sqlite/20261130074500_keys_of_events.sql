-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_external_identity" table
CREATE TABLE `new_external_identity` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `record_id` integer NOT NULL,
  `source` text NOT NULL,
  `external_id` text NOT NULL,
  `created_at` datetime NOT NULL,
  `is_event` bool NOT NULL DEFAULT (false)
);
-- Set sequence for "new_external_identity" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('new_external_identity', 1688849860263936);
-- Copy rows, those of incidents as keys of events, from old table "external_identity" to new temporary table "new_external_identity"
INSERT INTO `new_external_identity` (`id`, `record_id`, `source`, `external_id`, `created_at`, `is_event`) SELECT `id`, `record_id`, `source`, `external_id`, `created_at`, `record_id` >= 3659174697238528 AND `record_id` < 3940649673949184 FROM `external_identity`;
-- Drop "external_identity" table after copying rows
DROP TABLE `external_identity`;
-- Rename temporary table "new_external_identity" to "external_identity"
ALTER TABLE `new_external_identity` RENAME TO `external_identity`;
-- Create index "externalidentity_source_external_id_is_event" to table: "external_identity"
CREATE UNIQUE INDEX `externalidentity_source_external_id_is_event` ON `external_identity` (`source`, `external_id`, `is_event`);
-- Create index "externalidentity_record_id" to table: "external_identity"
CREATE INDEX `externalidentity_record_id` ON `external_identity` (`record_id`);
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
