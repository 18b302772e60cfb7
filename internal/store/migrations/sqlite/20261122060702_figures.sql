-- Drop index "incident_resolved_at" from table: "incident"
DROP INDEX `incident_resolved_at`;
-- Drop index "incident_acknowledged_at" from table: "incident"
DROP INDEX `incident_acknowledged_at`;
-- Drop index "timelineentry_from_state_to_state_created_at" from table: "timeline_entry"
DROP INDEX `timelineentry_from_state_to_state_created_at`;
-- Create index "incident_resolved_at_created_at" to table: "incident"
CREATE INDEX `incident_resolved_at_created_at` ON `incident` (`resolved_at`, `created_at`);
-- Create index "incident_acknowledged_at_created_at" to table: "incident"
CREATE INDEX `incident_acknowledged_at_created_at` ON `incident` (`acknowledged_at`, `created_at`);
-- Create index "timelineentry_from_state_to_state_created_at_record_id" to table: "timeline_entry"
CREATE INDEX `timelineentry_from_state_to_state_created_at_record_id` ON `timeline_entry` (`from_state`, `to_state`, `created_at`, `record_id`);
-- Create "conflict_finding" table
CREATE TABLE `conflict_finding` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `kind` text NOT NULL,
  `other_id` integer NOT NULL,
  `found_at` datetime NOT NULL,
  `change_id` integer NOT NULL,
  CONSTRAINT `conflict_finding_change_change` FOREIGN KEY (`change_id`) REFERENCES `change` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "conflict_finding" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('conflict_finding', 8725724278030336);
-- Create index "conflictfinding_change_id_kind_other_id" to table: "conflict_finding"
CREATE UNIQUE INDEX `conflictfinding_change_id_kind_other_id` ON `conflict_finding` (`change_id`, `kind`, `other_id`);
-- Create index "conflictfinding_found_at_change_id" to table: "conflict_finding"
CREATE INDEX `conflictfinding_found_at_change_id` ON `conflict_finding` (`found_at`, `change_id`);
