-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_approval" table
CREATE TABLE `new_approval` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `approver` text NOT NULL,
  `decision` text NOT NULL DEFAULT ('REQUESTED'),
  `comment` text NOT NULL DEFAULT (''),
  `teams` json NULL,
  `roles` json NULL,
  `voided_because` text NOT NULL DEFAULT (''),
  `created_at` datetime NOT NULL,
  `decided_at` datetime NULL,
  `change_id` integer NOT NULL,
  CONSTRAINT `approval_change_change` FOREIGN KEY (`change_id`) REFERENCES `change` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "new_approval" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('new_approval', 4785074604081152);
-- Copy rows from old table "approval" to new temporary table "new_approval"
INSERT INTO `new_approval` (`id`, `approver`, `decision`, `comment`, `created_at`, `decided_at`, `change_id`) SELECT `id`, `approver`, `decision`, `comment`, `created_at`, `decided_at`, `change_id` FROM `approval`;
-- Drop "approval" table after copying rows
DROP TABLE `approval`;
-- Rename temporary table "new_approval" to "approval"
ALTER TABLE `new_approval` RENAME TO `approval`;
-- Create index "approval_change_id_approver" to table: "approval"
CREATE INDEX `approval_change_id_approver` ON `approval` (`change_id`, `approver`);
-- Create "new_change" table
CREATE TABLE `new_change` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `title` text NOT NULL,
  `description` text NOT NULL DEFAULT (''),
  `type` text NOT NULL,
  `state` text NOT NULL DEFAULT ('NEW'),
  `justification` text NOT NULL DEFAULT (''),
  `plan` text NOT NULL DEFAULT (''),
  `backout_plan` text NOT NULL DEFAULT (''),
  `test_plan` text NOT NULL DEFAULT (''),
  `requested_by` text NOT NULL,
  `planned_start` datetime NULL,
  `planned_end` datetime NULL,
  `actual_start` datetime NULL,
  `actual_end` datetime NULL,
  `outcome` text NULL,
  `closure_notes` text NOT NULL DEFAULT (''),
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `requester_id` integer NULL,
  `assignee_id` integer NULL,
  `assignment_team_id` integer NULL,
  `template_id` integer NULL,
  CONSTRAINT `change_person_requester` FOREIGN KEY (`requester_id`) REFERENCES `person` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `change_person_assignee` FOREIGN KEY (`assignee_id`) REFERENCES `person` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `change_team_assignment_team` FOREIGN KEY (`assignment_team_id`) REFERENCES `team` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `change_change_template_template` FOREIGN KEY (`template_id`) REFERENCES `change_template` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "new_change" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('new_change', 4222124650659840);
-- Copy rows from old table "change" to new temporary table "new_change"
INSERT INTO `new_change` (`id`, `title`, `description`, `type`, `state`, `justification`, `plan`, `backout_plan`, `test_plan`, `requested_by`, `planned_start`, `planned_end`, `actual_start`, `actual_end`, `outcome`, `closure_notes`, `version`, `created_at`, `updated_at`, `requester_id`, `assignee_id`, `assignment_team_id`) SELECT `id`, `title`, `description`, `type`, `state`, `justification`, `plan`, `backout_plan`, `test_plan`, `requested_by`, `planned_start`, `planned_end`, `actual_start`, `actual_end`, `outcome`, `closure_notes`, `version`, `created_at`, `updated_at`, `requester_id`, `assignee_id`, `assignment_team_id` FROM `change`;
-- Drop "change" table after copying rows
DROP TABLE `change`;
-- Rename temporary table "new_change" to "change"
ALTER TABLE `new_change` RENAME TO `change`;
-- Create index "change_state_id" to table: "change"
CREATE INDEX `change_state_id` ON `change` (`state`, `id`);
-- Create index "change_type_id" to table: "change"
CREATE INDEX `change_type_id` ON `change` (`type`, `id`);
-- Create index "change_created_at_id" to table: "change"
CREATE INDEX `change_created_at_id` ON `change` (`created_at`, `id`);
-- Create index "change_updated_at_id" to table: "change"
CREATE INDEX `change_updated_at_id` ON `change` (`updated_at`, `id`);
-- Create index "change_planned_start_planned_end" to table: "change"
CREATE INDEX `change_planned_start_planned_end` ON `change` (`planned_start`, `planned_end`);
-- Create index "change_planned_end_planned_start" to table: "change"
CREATE INDEX `change_planned_end_planned_start` ON `change` (`planned_end`, `planned_start`);
-- Create index "change_assignment_team_id_id" to table: "change"
CREATE INDEX `change_assignment_team_id_id` ON `change` (`assignment_team_id`, `id`);
-- Create index "change_assignee_id_id" to table: "change"
CREATE INDEX `change_assignee_id_id` ON `change` (`assignee_id`, `id`);
-- Create index "change_requester_id" to table: "change"
CREATE INDEX `change_requester_id` ON `change` (`requester_id`);
-- Create index "change_actual_start" to table: "change"
CREATE INDEX `change_actual_start` ON `change` (`actual_start`);
-- Create index "change_actual_end" to table: "change"
CREATE INDEX `change_actual_end` ON `change` (`actual_end`);
-- Create index "change_template_id_id" to table: "change"
CREATE INDEX `change_template_id_id` ON `change` (`template_id`, `id`);
-- Create "approval_policy" table
CREATE TABLE `approval_policy` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` text NOT NULL,
  `change_types` json NOT NULL,
  `risk_above` integer NULL,
  `approvals` integer NOT NULL,
  `role` text NULL,
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `team_id` integer NULL,
  CONSTRAINT `approval_policy_team_team` FOREIGN KEY (`team_id`) REFERENCES `team` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "approval_policy" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('approval_policy', 8162774324609024);
-- Create index "approval_policy_name_key" to table: "approval_policy"
CREATE UNIQUE INDEX `approval_policy_name_key` ON `approval_policy` (`name`);
-- Create index "approvalpolicy_team_id" to table: "approval_policy"
CREATE INDEX `approvalpolicy_team_id` ON `approval_policy` (`team_id`);
-- Create "change_template" table
CREATE TABLE `change_template` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` text NOT NULL,
  `description` text NOT NULL DEFAULT (''),
  `justification` text NOT NULL DEFAULT (''),
  `plan` text NOT NULL DEFAULT (''),
  `backout_plan` text NOT NULL DEFAULT (''),
  `test_plan` text NOT NULL DEFAULT (''),
  `classes` json NOT NULL,
  `may_take_down` bool NOT NULL,
  `longest_seconds` integer NULL,
  `retired_at` datetime NULL,
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `calendar_id` integer NULL,
  CONSTRAINT `change_template_calendar_calendar` FOREIGN KEY (`calendar_id`) REFERENCES `calendar` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "change_template" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('change_template', 8444249301319680);
-- Create index "change_template_name_key" to table: "change_template"
CREATE UNIQUE INDEX `change_template_name_key` ON `change_template` (`name`);
-- Create index "changetemplate_calendar_id" to table: "change_template"
CREATE INDEX `changetemplate_calendar_id` ON `change_template` (`calendar_id`);
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
