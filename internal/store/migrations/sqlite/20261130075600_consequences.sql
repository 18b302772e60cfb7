-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_planned_operation" table
CREATE TABLE `new_planned_operation` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `place` integer NOT NULL,
  `kind` text NOT NULL,
  `key` text NOT NULL DEFAULT (''),
  `record_id` integer NULL,
  `undoes_id` integer NULL,
  `planned` json NOT NULL,
  `base` json NOT NULL,
  `base_revision` integer NOT NULL,
  `consent` text NOT NULL DEFAULT (''),
  `change_id` integer NOT NULL,
  CONSTRAINT `planned_operation_change_change` FOREIGN KEY (`change_id`) REFERENCES `change` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "new_planned_operation" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('new_planned_operation', 7318349394477056);
-- Copy rows from old table "planned_operation" to new temporary table "new_planned_operation"
INSERT INTO `new_planned_operation` (`id`, `place`, `kind`, `key`, `record_id`, `undoes_id`, `planned`, `base`, `base_revision`, `change_id`) SELECT `id`, `place`, `kind`, `key`, `record_id`, `undoes_id`, `planned`, `base`, `base_revision`, `change_id` FROM `planned_operation`;
-- Drop "planned_operation" table after copying rows
DROP TABLE `planned_operation`;
-- Rename temporary table "new_planned_operation" to "planned_operation"
ALTER TABLE `new_planned_operation` RENAME TO `planned_operation`;
-- Create index "plannedoperation_change_id_place" to table: "planned_operation"
CREATE UNIQUE INDEX `plannedoperation_change_id_place` ON `planned_operation` (`change_id`, `place`);
-- Create index "plannedoperation_undoes_id_change_id" to table: "planned_operation"
CREATE INDEX `plannedoperation_undoes_id_change_id` ON `planned_operation` (`undoes_id`, `change_id`);
-- Create index "plannedoperation_record_id" to table: "planned_operation"
CREATE INDEX `plannedoperation_record_id` ON `planned_operation` (`record_id`);
-- Create "consequence" table
CREATE TABLE `consequence` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `ci_id` integer NOT NULL,
  `revision` integer NOT NULL,
  `reason` text NOT NULL,
  `is_now` bool NOT NULL,
  `created_at` datetime NOT NULL
);
-- Set sequence for "consequence" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('consequence', 10133099161583616);
-- Create index "consequence_ci_id_revision" to table: "consequence"
CREATE INDEX `consequence_ci_id_revision` ON `consequence` (`ci_id`, `revision`);
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
