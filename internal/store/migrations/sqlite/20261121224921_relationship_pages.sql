-- Create index "relationship_source_id_id" to table: "relationship"
CREATE INDEX `relationship_source_id_id` ON `relationship` (`source_id`, `id`);
-- Create index "relationship_target_id_id" to table: "relationship"
CREATE INDEX `relationship_target_id_id` ON `relationship` (`target_id`, `id`);
-- Drop index "relationship_target_id_type_id" of table: "relationship"
DROP INDEX `relationship_target_id_type_id`;
