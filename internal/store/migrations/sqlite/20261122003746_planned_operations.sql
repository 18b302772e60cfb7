-- Create "planned_operation" table
CREATE TABLE `planned_operation` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `place` integer NOT NULL,
  `kind` text NOT NULL,
  `key` text NOT NULL DEFAULT (''),
  `record_id` integer NULL,
  `undoes_id` integer NULL,
  `planned` json NOT NULL,
  `base` json NOT NULL,
  `base_revision` integer NOT NULL,
  `change_id` integer NOT NULL,
  CONSTRAINT `planned_operation_change_change` FOREIGN KEY (`change_id`) REFERENCES `change` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "planned_operation" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('planned_operation', 7318349394477056);
-- Create index "plannedoperation_change_id_place" to table: "planned_operation"
CREATE UNIQUE INDEX `plannedoperation_change_id_place` ON `planned_operation` (`change_id`, `place`);
-- Create index "plannedoperation_undoes_id_change_id" to table: "planned_operation"
CREATE INDEX `plannedoperation_undoes_id_change_id` ON `planned_operation` (`undoes_id`, `change_id`);
