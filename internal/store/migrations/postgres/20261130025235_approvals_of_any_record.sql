-- Modify "approval" table: votes are on any record
ALTER TABLE "approval" DROP CONSTRAINT "approval_change_change";
ALTER TABLE "approval" RENAME COLUMN "change_id" TO "record_id";
ALTER INDEX "approval_change_id_approver" RENAME TO "approval_record_id_approver";
-- Modify "approval_policy" table
ALTER TABLE "approval_policy" ADD COLUMN "record_type" character varying NOT NULL DEFAULT 'CHANGE';
