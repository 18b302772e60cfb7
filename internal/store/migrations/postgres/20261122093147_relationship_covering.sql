-- Drop index "relationship_source_id_id" from table: "relationship"
DROP INDEX "relationship_source_id_id";
-- Drop index "relationship_target_id_id" from table: "relationship"
DROP INDEX "relationship_target_id_id";
-- Create index "relationship_source_id_id" to table: "relationship"
CREATE INDEX "relationship_source_id_id" ON "relationship" ("source_id", "id") INCLUDE ("type_id", "target_id", "strength");
-- Create index "relationship_target_id_id" to table: "relationship"
CREATE INDEX "relationship_target_id_id" ON "relationship" ("target_id", "id") INCLUDE ("type_id", "source_id", "strength");
