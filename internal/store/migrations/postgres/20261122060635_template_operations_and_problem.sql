-- Modify "change_template" table
ALTER TABLE "change_template" ADD COLUMN "operations" jsonb NULL;
-- Modify "incident" table
ALTER TABLE "incident" ADD COLUMN "problem" character varying NOT NULL DEFAULT '';
-- Create index "incident_problem_id" to table: "incident"
CREATE INDEX "incident_problem_id" ON "incident" ("problem", "id");
