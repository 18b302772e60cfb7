-- Create index "incident_resolved_at" to table: "incident"
CREATE INDEX `incident_resolved_at` ON `incident` (`resolved_at`);
-- Create index "incident_acknowledged_at" to table: "incident"
CREATE INDEX `incident_acknowledged_at` ON `incident` (`acknowledged_at`);
-- Create index "timelineentry_from_state_to_state_created_at" to table: "timeline_entry"
CREATE INDEX `timelineentry_from_state_to_state_created_at` ON `timeline_entry` (`from_state`, `to_state`, `created_at`);
-- Create "calendar" table
CREATE TABLE `calendar` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` text NOT NULL,
  `time_zone` text NOT NULL,
  `hours` json NOT NULL,
  `holidays` json NOT NULL,
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL
);
-- Set sequence for "calendar" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('calendar', 6473924464345088);
-- Create index "calendar_name_key" to table: "calendar"
CREATE UNIQUE INDEX `calendar_name_key` ON `calendar` (`name`);
-- Create "service_level_mark" table
CREATE TABLE `service_level_mark` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `record_id` integer NOT NULL,
  `target_id` integer NOT NULL,
  `metric` text NOT NULL,
  `percent` integer NOT NULL,
  `reached_at` datetime NOT NULL
);
-- Set sequence for "service_level_mark" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('service_level_mark', 7036874417766400);
-- Create index "servicelevelmark_record_id_target_id_percent" to table: "service_level_mark"
CREATE UNIQUE INDEX `servicelevelmark_record_id_target_id_percent` ON `service_level_mark` (`record_id`, `target_id`, `percent`);
-- Create index "servicelevelmark_percent_record_id" to table: "service_level_mark"
CREATE INDEX `servicelevelmark_percent_record_id` ON `service_level_mark` (`percent`, `record_id`);
-- Create index "servicelevelmark_percent_reached_at" to table: "service_level_mark"
CREATE INDEX `servicelevelmark_percent_reached_at` ON `service_level_mark` (`percent`, `reached_at`);
-- Create "service_level_target" table
CREATE TABLE `service_level_target` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` text NOT NULL,
  `metric` text NOT NULL,
  `record_type` text NOT NULL DEFAULT ('INCIDENT'),
  `priority` integer NULL,
  `seconds` integer NOT NULL,
  `services` json NOT NULL,
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `calendar_id` integer NOT NULL,
  CONSTRAINT `service_level_target_calendar_calendar` FOREIGN KEY (`calendar_id`) REFERENCES `calendar` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "service_level_target" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('service_level_target', 6755399441055744);
-- Create index "service_level_target_name_key" to table: "service_level_target"
CREATE UNIQUE INDEX `service_level_target_name_key` ON `service_level_target` (`name`);
-- Create index "serviceleveltarget_calendar_id" to table: "service_level_target"
CREATE INDEX `serviceleveltarget_calendar_id` ON `service_level_target` (`calendar_id`);
