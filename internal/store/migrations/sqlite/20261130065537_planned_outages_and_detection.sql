-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_service_level_target" table
CREATE TABLE `new_service_level_target` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` text NOT NULL,
  `metric` text NOT NULL,
  `record_type` text NOT NULL DEFAULT ('INCIDENT'),
  `priority` integer NULL,
  `seconds` integer NOT NULL,
  `services` json NOT NULL,
  `starts_at_detection` bool NOT NULL DEFAULT (false),
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `calendar_id` integer NOT NULL,
  CONSTRAINT `service_level_target_calendar_calendar` FOREIGN KEY (`calendar_id`) REFERENCES `calendar` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "new_service_level_target" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('new_service_level_target', 6755399441055744);
-- Copy rows from old table "service_level_target" to new temporary table "new_service_level_target"
INSERT INTO `new_service_level_target` (`id`, `name`, `metric`, `record_type`, `priority`, `seconds`, `services`, `version`, `created_at`, `updated_at`, `calendar_id`) SELECT `id`, `name`, `metric`, `record_type`, `priority`, `seconds`, `services`, `version`, `created_at`, `updated_at`, `calendar_id` FROM `service_level_target`;
-- Drop "service_level_target" table after copying rows
DROP TABLE `service_level_target`;
-- Rename temporary table "new_service_level_target" to "service_level_target"
ALTER TABLE `new_service_level_target` RENAME TO `service_level_target`;
-- Create index "service_level_target_name_key" to table: "service_level_target"
CREATE UNIQUE INDEX `service_level_target_name_key` ON `service_level_target` (`name`);
-- Create index "serviceleveltarget_calendar_id" to table: "service_level_target"
CREATE INDEX `serviceleveltarget_calendar_id` ON `service_level_target` (`calendar_id`);
-- Create "planned_outage" table
CREATE TABLE `planned_outage` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `revision` integer NOT NULL,
  `services` json NOT NULL,
  `change_id` integer NOT NULL,
  CONSTRAINT `planned_outage_change_change` FOREIGN KEY (`change_id`) REFERENCES `change` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "planned_outage" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('planned_outage', 9007199254740992);
-- Create index "plannedoutage_change_id" to table: "planned_outage"
CREATE UNIQUE INDEX `plannedoutage_change_id` ON `planned_outage` (`change_id`);
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
