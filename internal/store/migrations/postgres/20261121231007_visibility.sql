-- Modify "ci" table
ALTER TABLE "ci" ADD COLUMN "visibility" character varying NOT NULL DEFAULT 'EVERYONE';
-- Create index "ci_visibility" to table: "ci"
CREATE INDEX "ci_visibility" ON "ci" ("visibility") WHERE visibility = 'OWNERS';
