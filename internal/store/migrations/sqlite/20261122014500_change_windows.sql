-- Create index "change_planned_end_planned_start" to table: "change"
CREATE INDEX `change_planned_end_planned_start` ON `change` (`planned_end`, `planned_start`);
-- Create "change_window" table
CREATE TABLE `change_window` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` text NOT NULL,
  `description` text NOT NULL DEFAULT (''),
  `kind` text NOT NULL,
  `starts_at` datetime NOT NULL,
  `duration_minutes` integer NOT NULL,
  `time_zone` text NOT NULL,
  `recurrence` text NOT NULL DEFAULT (''),
  `is_global` bool NOT NULL DEFAULT (false),
  `cis` json NOT NULL,
  `classes` json NOT NULL,
  `labels` json NOT NULL,
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL
);
-- Set sequence for "change_window" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('change_window', 7599824371187712);
-- Create index "change_window_name_key" to table: "change_window"
CREATE UNIQUE INDEX `change_window_name_key` ON `change_window` (`name`);
-- Create index "changewindow_kind_id" to table: "change_window"
CREATE INDEX `changewindow_kind_id` ON `change_window` (`kind`, `id`);
-- Create index "change_requester_id" to table: "change"
CREATE INDEX `change_requester_id` ON `change` (`requester_id`);
-- Create index "incident_caller_id" to table: "incident"
CREATE INDEX `incident_caller_id` ON `incident` (`caller_id`);
-- Create index "plannedoperation_record_id" to table: "planned_operation"
CREATE INDEX `plannedoperation_record_id` ON `planned_operation` (`record_id`);
