-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_ci" table
CREATE TABLE `new_ci` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` text NOT NULL,
  `description` text NOT NULL DEFAULT (''),
  `lifecycle` text NOT NULL DEFAULT ('LIVE'),
  `environment` text NOT NULL DEFAULT ('PRODUCTION'),
  `criticality` text NOT NULL DEFAULT ('MEDIUM'),
  `visibility` text NOT NULL DEFAULT ('EVERYONE'),
  `attributes` json NOT NULL,
  `labels` json NOT NULL,
  `locks` json NULL,
  `service_kind` text NULL,
  `portfolio_stage` text NULL,
  `category` text NOT NULL DEFAULT (''),
  `links` json NULL,
  `availability_target` real NULL,
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `class_id` integer NOT NULL,
  `tier_id` integer NULL,
  `support_team_id` integer NULL,
  CONSTRAINT `ci_ci_class_class` FOREIGN KEY (`class_id`) REFERENCES `ci_class` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `ci_service_tier_tier` FOREIGN KEY (`tier_id`) REFERENCES `service_tier` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `ci_team_support_team` FOREIGN KEY (`support_team_id`) REFERENCES `team` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "new_ci" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('new_ci', 281474976710656);
-- Copy rows from old table "ci" to new temporary table "new_ci"
INSERT INTO `new_ci` (`id`, `name`, `description`, `lifecycle`, `environment`, `criticality`, `attributes`, `labels`, `locks`, `service_kind`, `portfolio_stage`, `category`, `links`, `availability_target`, `version`, `created_at`, `updated_at`, `class_id`, `tier_id`, `support_team_id`) SELECT `id`, `name`, `description`, `lifecycle`, `environment`, `criticality`, `attributes`, `labels`, `locks`, `service_kind`, `portfolio_stage`, `category`, `links`, `availability_target`, `version`, `created_at`, `updated_at`, `class_id`, `tier_id`, `support_team_id` FROM `ci`;
-- Drop "ci" table after copying rows
DROP TABLE `ci`;
-- Rename temporary table "new_ci" to "ci"
ALTER TABLE `new_ci` RENAME TO `ci`;
-- Create index "ci_name_id" to table: "ci"
CREATE INDEX `ci_name_id` ON `ci` (`name`, `id`);
-- Create index "ci_created_at_id" to table: "ci"
CREATE INDEX `ci_created_at_id` ON `ci` (`created_at`, `id`);
-- Create index "ci_updated_at_id" to table: "ci"
CREATE INDEX `ci_updated_at_id` ON `ci` (`updated_at`, `id`);
-- Create index "ci_class_id_name_id" to table: "ci"
CREATE INDEX `ci_class_id_name_id` ON `ci` (`class_id`, `name`, `id`);
-- Create index "ci_service_kind_name_id" to table: "ci"
CREATE INDEX `ci_service_kind_name_id` ON `ci` (`service_kind`, `name`, `id`);
-- Create index "ci_tier_id_name_id" to table: "ci"
CREATE INDEX `ci_tier_id_name_id` ON `ci` (`tier_id`, `name`, `id`);
-- Create index "ci_lifecycle_name_id" to table: "ci"
CREATE INDEX `ci_lifecycle_name_id` ON `ci` (`lifecycle`, `name`, `id`);
-- Create index "ci_environment_name_id" to table: "ci"
CREATE INDEX `ci_environment_name_id` ON `ci` (`environment`, `name`, `id`);
-- Create index "ci_criticality_name_id" to table: "ci"
CREATE INDEX `ci_criticality_name_id` ON `ci` (`criticality`, `name`, `id`);
-- Create index "ci_support_team_id" to table: "ci"
CREATE INDEX `ci_support_team_id` ON `ci` (`support_team_id`);
-- Create index "ci_visibility" to table: "ci"
CREATE INDEX `ci_visibility` ON `ci` (`visibility`) WHERE visibility = 'OWNERS';
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
