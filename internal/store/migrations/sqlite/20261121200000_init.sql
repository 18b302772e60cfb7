-- Create "approval" table
CREATE TABLE `approval` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `approver` text NOT NULL,
  `decision` text NOT NULL DEFAULT ('REQUESTED'),
  `comment` text NOT NULL DEFAULT (''),
  `created_at` datetime NOT NULL,
  `decided_at` datetime NULL,
  `change_id` integer NOT NULL,
  CONSTRAINT `approval_change_change` FOREIGN KEY (`change_id`) REFERENCES `change` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "approval" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('approval', 4785074604081152);
-- Create index "approval_change_id_approver" to table: "approval"
CREATE INDEX `approval_change_id_approver` ON `approval` (`change_id`, `approver`);
-- Create "ci" table
CREATE TABLE `ci` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` text NOT NULL,
  `description` text NOT NULL DEFAULT (''),
  `lifecycle` text NOT NULL DEFAULT ('LIVE'),
  `environment` text NOT NULL DEFAULT ('PRODUCTION'),
  `criticality` text NOT NULL DEFAULT ('MEDIUM'),
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
-- Set sequence for "ci" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('ci', 281474976710656);
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
-- Create "ci_class" table
CREATE TABLE `ci_class` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `code` text NOT NULL,
  `label` text NOT NULL,
  `description` text NOT NULL DEFAULT (''),
  `is_abstract` bool NOT NULL DEFAULT (false),
  `icon` text NOT NULL DEFAULT (''),
  `attribute_schema` json NULL,
  `identity_rules` json NULL,
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `parent_id` integer NULL,
  CONSTRAINT `ci_class_ci_class_children` FOREIGN KEY (`parent_id`) REFERENCES `ci_class` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "ci_class" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('ci_class', 562949953421312);
-- Create index "ci_class_code_key" to table: "ci_class"
CREATE UNIQUE INDEX `ci_class_code_key` ON `ci_class` (`code`);
-- Create "change" table
CREATE TABLE `change` (
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
  CONSTRAINT `change_person_requester` FOREIGN KEY (`requester_id`) REFERENCES `person` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `change_person_assignee` FOREIGN KEY (`assignee_id`) REFERENCES `person` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `change_team_assignment_team` FOREIGN KEY (`assignment_team_id`) REFERENCES `team` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "change" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('change', 4222124650659840);
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
-- Create index "change_assignment_team_id_id" to table: "change"
CREATE INDEX `change_assignment_team_id_id` ON `change` (`assignment_team_id`, `id`);
-- Create index "change_assignee_id_id" to table: "change"
CREATE INDEX `change_assignee_id_id` ON `change` (`assignee_id`, `id`);
-- Create "change_ci" table
CREATE TABLE `change_ci` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `role` text NOT NULL,
  `change_id` integer NOT NULL,
  `ci_id` integer NOT NULL,
  CONSTRAINT `change_ci_change_change` FOREIGN KEY (`change_id`) REFERENCES `change` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `change_ci_ci_ci` FOREIGN KEY (`ci_id`) REFERENCES `ci` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "change_ci" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('change_ci', 4503599627370496);
-- Create index "changeci_change_id_ci_id" to table: "change_ci"
CREATE UNIQUE INDEX `changeci_change_id_ci_id` ON `change_ci` (`change_id`, `ci_id`);
-- Create index "changeci_ci_id_change_id" to table: "change_ci"
CREATE INDEX `changeci_ci_id_change_id` ON `change_ci` (`ci_id`, `change_id`);
-- Create "dangling_reference" table
CREATE TABLE `dangling_reference` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `record_id` integer NOT NULL,
  `source` text NOT NULL,
  `external_id` text NOT NULL,
  `kind` text NOT NULL,
  `detail` text NOT NULL DEFAULT (''),
  `is_reverse` bool NOT NULL DEFAULT (false),
  `strength` text NULL,
  `evidence` text NOT NULL DEFAULT (''),
  `created_at` datetime NOT NULL
);
-- Set sequence for "dangling_reference" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('dangling_reference', 1970324836974592);
-- Create index "danglingreference_record_id_sou_16fe3503cb36d3a02a0d294505ec2a74" to table: "dangling_reference"
CREATE UNIQUE INDEX `danglingreference_record_id_sou_16fe3503cb36d3a02a0d294505ec2a74` ON `dangling_reference` (`record_id`, `source`, `external_id`, `kind`, `detail`, `is_reverse`);
-- Create index "danglingreference_source_external_id" to table: "dangling_reference"
CREATE INDEX `danglingreference_source_external_id` ON `dangling_reference` (`source`, `external_id`);
-- Create "dependency_group" table
CREATE TABLE `dependency_group` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` text NOT NULL,
  `mode` text NOT NULL,
  `threshold` integer NOT NULL DEFAULT (0),
  `members` json NOT NULL,
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `ci_id` integer NOT NULL,
  CONSTRAINT `dependency_group_ci_ci` FOREIGN KEY (`ci_id`) REFERENCES `ci` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "dependency_group" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('dependency_group', 1407374883553280);
-- Create index "dependencygroup_ci_id_name" to table: "dependency_group"
CREATE UNIQUE INDEX `dependencygroup_ci_id_name` ON `dependency_group` (`ci_id`, `name`);
-- Create "entry" table
CREATE TABLE `entry` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `revision` integer NOT NULL,
  `at` datetime NOT NULL,
  `actor` text NOT NULL,
  `verb` text NOT NULL,
  `operation` text NOT NULL,
  `record_id` integer NOT NULL,
  `subject_id` integer NOT NULL,
  `before` json NULL,
  `after` json NULL
);
-- Set sequence for "entry" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('entry', 5348024557502464);
-- Create index "entry_subject_id_id" to table: "entry"
CREATE INDEX `entry_subject_id_id` ON `entry` (`subject_id`, `id`);
-- Create index "entry_revision" to table: "entry"
CREATE INDEX `entry_revision` ON `entry` (`revision`);
-- Create "external_identity" table
CREATE TABLE `external_identity` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `record_id` integer NOT NULL,
  `source` text NOT NULL,
  `external_id` text NOT NULL,
  `created_at` datetime NOT NULL
);
-- Set sequence for "external_identity" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('external_identity', 1688849860263936);
-- Create index "externalidentity_source_external_id" to table: "external_identity"
CREATE UNIQUE INDEX `externalidentity_source_external_id` ON `external_identity` (`source`, `external_id`);
-- Create index "externalidentity_record_id" to table: "external_identity"
CREATE INDEX `externalidentity_record_id` ON `external_identity` (`record_id`);
-- Create "head" table
CREATE TABLE `head` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `revision` integer NOT NULL DEFAULT (0)
);
-- Create "incident" table
CREATE TABLE `incident` (
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
-- Set sequence for "incident" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('incident', 3659174697238528);
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
-- Create index "incident_caused_by_change_id" to table: "incident"
CREATE INDEX `incident_caused_by_change_id` ON `incident` (`caused_by_change_id`);
-- Create index "incident_fixed_by_change_id" to table: "incident"
CREATE INDEX `incident_fixed_by_change_id` ON `incident` (`fixed_by_change_id`);
-- Create "incident_ci" table
CREATE TABLE `incident_ci` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `role` text NOT NULL,
  `incident_id` integer NOT NULL,
  `ci_id` integer NOT NULL,
  CONSTRAINT `incident_ci_incident_incident` FOREIGN KEY (`incident_id`) REFERENCES `incident` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `incident_ci_ci_ci` FOREIGN KEY (`ci_id`) REFERENCES `ci` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "incident_ci" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('incident_ci', 3940649673949184);
-- Create index "incidentci_incident_id_ci_id" to table: "incident_ci"
CREATE UNIQUE INDEX `incidentci_incident_id_ci_id` ON `incident_ci` (`incident_id`, `ci_id`);
-- Create index "incidentci_ci_id_incident_id" to table: "incident_ci"
CREATE INDEX `incidentci_ci_id_incident_id` ON `incident_ci` (`ci_id`, `incident_id`);
-- Create "membership" table
CREATE TABLE `membership` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `team_id` integer NOT NULL,
  `person_id` integer NOT NULL,
  CONSTRAINT `membership_team_team` FOREIGN KEY (`team_id`) REFERENCES `team` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `membership_person_person` FOREIGN KEY (`person_id`) REFERENCES `person` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "membership" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('membership', 2814749767106560);
-- Create index "membership_team_id_person_id" to table: "membership"
CREATE UNIQUE INDEX `membership_team_id_person_id` ON `membership` (`team_id`, `person_id`);
-- Create index "membership_person_id" to table: "membership"
CREATE INDEX `membership_person_id` ON `membership` (`person_id`);
-- Create "owner" table
CREATE TABLE `owner` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `role` text NOT NULL DEFAULT ('owner'),
  `is_primary` bool NOT NULL DEFAULT (false),
  `ci_id` integer NOT NULL,
  `team_id` integer NULL,
  `person_id` integer NULL,
  CONSTRAINT `owner_ci_ci` FOREIGN KEY (`ci_id`) REFERENCES `ci` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `owner_team_team` FOREIGN KEY (`team_id`) REFERENCES `team` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `owner_person_person` FOREIGN KEY (`person_id`) REFERENCES `person` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "owner" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('owner', 3096224743817216);
-- Create index "owner_ci_id" to table: "owner"
CREATE INDEX `owner_ci_id` ON `owner` (`ci_id`);
-- Create index "owner_team_id_ci_id" to table: "owner"
CREATE INDEX `owner_team_id_ci_id` ON `owner` (`team_id`, `ci_id`);
-- Create index "owner_person_id_ci_id" to table: "owner"
CREATE INDEX `owner_person_id_ci_id` ON `owner` (`person_id`, `ci_id`);
-- Create "person" table
CREATE TABLE `person` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` text NOT NULL,
  `email` text NOT NULL DEFAULT (''),
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL
);
-- Set sequence for "person" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('person', 2533274790395904);
-- Create index "person_name_id" to table: "person"
CREATE INDEX `person_name_id` ON `person` (`name`, `id`);
-- Create index "person_email" to table: "person"
CREATE INDEX `person_email` ON `person` (`email`);
-- Create "priority_rule" table
CREATE TABLE `priority_rule` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `impact` integer NOT NULL,
  `urgency` integer NOT NULL,
  `priority` integer NOT NULL
);
-- Set sequence for "priority_rule" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('priority_rule', 5910974510923776);
-- Create index "priorityrule_impact_urgency" to table: "priority_rule"
CREATE UNIQUE INDEX `priorityrule_impact_urgency` ON `priority_rule` (`impact`, `urgency`);
-- Create "relationship" table
CREATE TABLE `relationship` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `strength` text NULL,
  `attributes` json NOT NULL,
  `reported_by` text NOT NULL DEFAULT ('manual'),
  `evidence` text NOT NULL DEFAULT (''),
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `type_id` integer NOT NULL,
  `source_id` integer NOT NULL,
  `target_id` integer NOT NULL,
  CONSTRAINT `relationship_relationship_type_type` FOREIGN KEY (`type_id`) REFERENCES `relationship_type` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `relationship_ci_source` FOREIGN KEY (`source_id`) REFERENCES `ci` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `relationship_ci_target` FOREIGN KEY (`target_id`) REFERENCES `ci` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "relationship" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('relationship', 1125899906842624);
-- Create index "relationship_source_id_type_id_target_id" to table: "relationship"
CREATE UNIQUE INDEX `relationship_source_id_type_id_target_id` ON `relationship` (`source_id`, `type_id`, `target_id`);
-- Create index "relationship_target_id_type_id" to table: "relationship"
CREATE INDEX `relationship_target_id_type_id` ON `relationship` (`target_id`, `type_id`);
-- Create index "relationship_type_id" to table: "relationship"
CREATE INDEX `relationship_type_id` ON `relationship` (`type_id`);
-- Create "relationship_type" table
CREATE TABLE `relationship_type` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `code` text NOT NULL,
  `forward_label` text NOT NULL,
  `reverse_label` text NOT NULL,
  `description` text NOT NULL DEFAULT (''),
  `impact_direction` text NOT NULL,
  `strength` text NOT NULL DEFAULT ('HARD'),
  `is_containment` bool NOT NULL DEFAULT (false),
  `cardinality` text NOT NULL DEFAULT ('MANY_TO_MANY'),
  `allowed_pairs` json NULL,
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL
);
-- Set sequence for "relationship_type" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('relationship_type', 844424930131968);
-- Create index "relationship_type_code_key" to table: "relationship_type"
CREATE UNIQUE INDEX `relationship_type_code_key` ON `relationship_type` (`code`);
-- Create "service_tier" table
CREATE TABLE `service_tier` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `code` text NOT NULL,
  `name` text NOT NULL,
  `rank` integer NOT NULL,
  `description` text NOT NULL DEFAULT (''),
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL
);
-- Set sequence for "service_tier" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('service_tier', 3377699720527872);
-- Create index "service_tier_code_key" to table: "service_tier"
CREATE UNIQUE INDEX `service_tier_code_key` ON `service_tier` (`code`);
-- Create index "service_tier_rank_key" to table: "service_tier"
CREATE UNIQUE INDEX `service_tier_rank_key` ON `service_tier` (`rank`);
-- Create "team" table
CREATE TABLE `team` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` text NOT NULL,
  `description` text NOT NULL DEFAULT (''),
  `email` text NOT NULL DEFAULT (''),
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `parent_id` integer NULL,
  CONSTRAINT `team_team_children` FOREIGN KEY (`parent_id`) REFERENCES `team` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "team" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('team', 2251799813685248);
-- Create index "team_name_key" to table: "team"
CREATE UNIQUE INDEX `team_name_key` ON `team` (`name`);
-- Create index "team_parent_id" to table: "team"
CREATE INDEX `team_parent_id` ON `team` (`parent_id`);
-- Create "timeline_entry" table
CREATE TABLE `timeline_entry` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `record_id` integer NOT NULL,
  `kind` text NOT NULL,
  `body` text NOT NULL DEFAULT (''),
  `from_state` text NOT NULL DEFAULT (''),
  `to_state` text NOT NULL DEFAULT (''),
  `actor` text NOT NULL,
  `created_at` datetime NOT NULL
);
-- Set sequence for "timeline_entry" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('timeline_entry', 5066549580791808);
-- Create index "timelineentry_record_id_id" to table: "timeline_entry"
CREATE INDEX `timelineentry_record_id_id` ON `timeline_entry` (`record_id`, `id`);
-- Create "version" table
CREATE TABLE `version` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `record_id` integer NOT NULL,
  `valid_from` integer NOT NULL,
  `valid_to` integer NOT NULL
);
-- Set sequence for "version" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('version', 5629499534213120);
-- Create index "version_record_id_valid_to" to table: "version"
CREATE INDEX `version_record_id_valid_to` ON `version` (`record_id`, `valid_to`);
-- Create index "version_valid_to_valid_from" to table: "version"
CREATE INDEX `version_valid_to_valid_from` ON `version` (`valid_to`, `valid_from`);
-- Create index "version_record_id_id" to table: "version"
CREATE INDEX `version_record_id_id` ON `version` (`record_id`, `id`);
