-- Modify "external_identity" table: the keys of incidents stand apart from those of all other records
ALTER TABLE "external_identity" ADD COLUMN "is_event" boolean NOT NULL DEFAULT false;
UPDATE "external_identity" SET "is_event" = true WHERE "record_id" >= 3659174697238528 AND "record_id" < 3940649673949184;
-- Drop index "externalidentity_source_external_id" from table: "external_identity"
DROP INDEX "externalidentity_source_external_id";
-- Create index "externalidentity_source_external_id_is_event" to table: "external_identity"
CREATE UNIQUE INDEX "externalidentity_source_external_id_is_event" ON "external_identity" ("source", "external_id", "is_event");
