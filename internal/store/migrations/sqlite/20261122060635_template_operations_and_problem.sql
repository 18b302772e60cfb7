-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_incident" table
CREATE TABLE `new_incident` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `title` text NOT NULL,
  `description` text NOT NULL DEFAULT (''),
  `state` text NOT NULL DEFAULT ('NEW'),
  `hold_reason` text NULL,
  `impact` integer NOT NULL,
  `is_impact_overridden` bool NOT NULL DEFAULT (false),
  `urgency` integer NOT NULL,
  `priority` integer NOT NULL,
  `category` text NOT NULL DEFAULT (''),
  `channel` text NOT NULL DEFAULT ('PORTAL'),
  `is_major` bool NOT NULL DEFAULT (false),
  `opened_by` text NOT NULL,
  `problem` text NOT NULL DEFAULT (''),
  `resolution_code` text NULL,
  `resolution_notes` text NOT NULL DEFAULT (''),
  `detected_at` datetime NOT NULL,
  `acknowledged_at` datetime NULL,
  `resolved_at` datetime NULL,
  `closed_at` datetime NULL,
  `reopen_count` integer NOT NULL DEFAULT (0),
  `reassignment_count` integer NOT NULL DEFAULT (0),
  `impact_at_opening` json NULL,
  `impact_at_resolution` json NULL,
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `caller_id` integer NULL,
  `assignee_id` integer NULL,
  `assignment_team_id` integer NULL,
  `parent_id` integer NULL,
  `caused_by_change_id` integer NULL,
  `fixed_by_change_id` integer NULL,
  CONSTRAINT `incident_person_caller` FOREIGN KEY (`caller_id`) REFERENCES `person` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `incident_person_assignee` FOREIGN KEY (`assignee_id`) REFERENCES `person` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `incident_team_assignment_team` FOREIGN KEY (`assignment_team_id`) REFERENCES `team` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `incident_incident_children` FOREIGN KEY (`parent_id`) REFERENCES `incident` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `incident_change_caused_by_change` FOREIGN KEY (`caused_by_change_id`) REFERENCES `change` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `incident_change_fixed_by_change` FOREIGN KEY (`fixed_by_change_id`) REFERENCES `change` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "new_incident" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('new_incident', 3659174697238528);
-- Copy rows from old table "incident" to new temporary table "new_incident"
INSERT INTO `new_incident` (`id`, `title`, `description`, `state`, `hold_reason`, `impact`, `is_impact_overridden`, `urgency`, `priority`, `category`, `channel`, `is_major`, `opened_by`, `resolution_code`, `resolution_notes`, `detected_at`, `acknowledged_at`, `resolved_at`, `closed_at`, `reopen_count`, `reassignment_count`, `impact_at_opening`, `impact_at_resolution`, `version`, `created_at`, `updated_at`, `caller_id`, `assignee_id`, `assignment_team_id`, `parent_id`, `caused_by_change_id`, `fixed_by_change_id`) SELECT `id`, `title`, `description`, `state`, `hold_reason`, `impact`, `is_impact_overridden`, `urgency`, `priority`, `category`, `channel`, `is_major`, `opened_by`, `resolution_code`, `resolution_notes`, `detected_at`, `acknowledged_at`, `resolved_at`, `closed_at`, `reopen_count`, `reassignment_count`, `impact_at_opening`, `impact_at_resolution`, `version`, `created_at`, `updated_at`, `caller_id`, `assignee_id`, `assignment_team_id`, `parent_id`, `caused_by_change_id`, `fixed_by_change_id` FROM `incident`;
-- Drop "incident" table after copying rows
DROP TABLE `incident`;
-- Rename temporary table "new_incident" to "incident"
ALTER TABLE `new_incident` RENAME TO `incident`;
-- Create index "incident_state_id" to table: "incident"
CREATE INDEX `incident_state_id` ON `incident` (`state`, `id`);
-- Create index "incident_priority_id" to table: "incident"
CREATE INDEX `incident_priority_id` ON `incident` (`priority`, `id`);
-- Create index "incident_created_at_id" to table: "incident"
CREATE INDEX `incident_created_at_id` ON `incident` (`created_at`, `id`);
-- Create index "incident_updated_at_id" to table: "incident"
CREATE INDEX `incident_updated_at_id` ON `incident` (`updated_at`, `id`);
-- Create index "incident_assignment_team_id_id" to table: "incident"
CREATE INDEX `incident_assignment_team_id_id` ON `incident` (`assignment_team_id`, `id`);
-- Create index "incident_assignee_id_id" to table: "incident"
CREATE INDEX `incident_assignee_id_id` ON `incident` (`assignee_id`, `id`);
-- Create index "incident_parent_id" to table: "incident"
CREATE INDEX `incident_parent_id` ON `incident` (`parent_id`);
-- Create index "incident_caller_id" to table: "incident"
CREATE INDEX `incident_caller_id` ON `incident` (`caller_id`);
-- Create index "incident_caused_by_change_id" to table: "incident"
CREATE INDEX `incident_caused_by_change_id` ON `incident` (`caused_by_change_id`);
-- Create index "incident_fixed_by_change_id" to table: "incident"
CREATE INDEX `incident_fixed_by_change_id` ON `incident` (`fixed_by_change_id`);
-- Create index "incident_resolved_at" to table: "incident"
CREATE INDEX `incident_resolved_at` ON `incident` (`resolved_at`);
-- Create index "incident_acknowledged_at" to table: "incident"
CREATE INDEX `incident_acknowledged_at` ON `incident` (`acknowledged_at`);
-- Create index "incident_problem_id" to table: "incident"
CREATE INDEX `incident_problem_id` ON `incident` (`problem`, `id`);
-- Add column "operations" to table: "change_template"
ALTER TABLE `change_template` ADD COLUMN `operations` json NULL;
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
