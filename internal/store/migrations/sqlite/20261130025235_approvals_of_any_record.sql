-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_approval" table
CREATE TABLE `new_approval` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `record_id` integer NOT NULL,
  `approver` text NOT NULL,
  `decision` text NOT NULL DEFAULT ('REQUESTED'),
  `comment` text NOT NULL DEFAULT (''),
  `teams` json NULL,
  `roles` json NULL,
  `voided_because` text NOT NULL DEFAULT (''),
  `created_at` datetime NOT NULL,
  `decided_at` datetime NULL
);
-- Set sequence for "new_approval" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('new_approval', 4785074604081152);
-- Copy rows, whose record is the change, from old table "approval" to new temporary table "new_approval"
INSERT INTO `new_approval` (`id`, `record_id`, `approver`, `decision`, `comment`, `teams`, `roles`, `voided_because`, `created_at`, `decided_at`) SELECT `id`, `change_id`, `approver`, `decision`, `comment`, `teams`, `roles`, `voided_because`, `created_at`, `decided_at` FROM `approval`;
-- Drop "approval" table after copying rows
DROP TABLE `approval`;
-- Rename temporary table "new_approval" to "approval"
ALTER TABLE `new_approval` RENAME TO `approval`;
-- Create index "approval_record_id_approver" to table: "approval"
CREATE INDEX `approval_record_id_approver` ON `approval` (`record_id`, `approver`);
-- Create "new_approval_policy" table
CREATE TABLE `new_approval_policy` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` text NOT NULL,
  `record_type` text NOT NULL DEFAULT ('CHANGE'),
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
-- Set sequence for "new_approval_policy" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('new_approval_policy', 8162774324609024);
-- Copy rows from old table "approval_policy" to new temporary table "new_approval_policy"
INSERT INTO `new_approval_policy` (`id`, `name`, `change_types`, `risk_above`, `approvals`, `role`, `version`, `created_at`, `updated_at`, `team_id`) SELECT `id`, `name`, `change_types`, `risk_above`, `approvals`, `role`, `version`, `created_at`, `updated_at`, `team_id` FROM `approval_policy`;
-- Drop "approval_policy" table after copying rows
DROP TABLE `approval_policy`;
-- Rename temporary table "new_approval_policy" to "approval_policy"
ALTER TABLE `new_approval_policy` RENAME TO `approval_policy`;
-- Create index "approval_policy_name_key" to table: "approval_policy"
CREATE UNIQUE INDEX `approval_policy_name_key` ON `approval_policy` (`name`);
-- Create index "approvalpolicy_team_id" to table: "approval_policy"
CREATE INDEX `approvalpolicy_team_id` ON `approval_policy` (`team_id`);
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
