-- Drop index "ci_support_team_id" from table: "ci"
DROP INDEX "ci_support_team_id";
-- Create index "ci_support_team_id_name_id" to table: "ci"
CREATE INDEX "ci_support_team_id_name_id" ON "ci" ("support_team_id", "name", "id");
-- Create index "ci_category_name_id" to table: "ci"
CREATE INDEX "ci_category_name_id" ON "ci" ("category", "name", "id") WHERE (service_kind IS NOT NULL);
-- Create index "change_outcome_id" to table: "change"
CREATE INDEX "change_outcome_id" ON "change" ("outcome", "id");
-- Create index "change_requested_by_id" to table: "change"
CREATE INDEX "change_requested_by_id" ON "change" ("requested_by", "id");
-- Create index "incident_urgency_id" to table: "incident"
CREATE INDEX "incident_urgency_id" ON "incident" ("urgency", "id");
-- Create index "incident_category_id" to table: "incident"
CREATE INDEX "incident_category_id" ON "incident" ("category", "id");
-- Create index "incident_channel_id" to table: "incident"
CREATE INDEX "incident_channel_id" ON "incident" ("channel", "id");
-- Create index "change_title_id" to table: "change"
CREATE INDEX "change_title_id" ON "change" ("title", "id");
-- Create index "incident_title_id" to table: "incident"
CREATE INDEX "incident_title_id" ON "incident" ("title", "id");
-- Create index "incident_is_major_id" to table: "incident"
CREATE INDEX "incident_is_major_id" ON "incident" ("is_major", "id");
-- The orders by what columns do not show as it is: graph/read.
CREATE INDEX x_ci_service_criticality ON ci ((CASE criticality WHEN 'CRITICAL' THEN 0 WHEN 'HIGH' THEN 1 WHEN 'MEDIUM' THEN 2 ELSE 3 END), id) WHERE service_kind IS NOT NULL;
CREATE INDEX x_change_planned_start ON change ((COALESCE(planned_start, timestamptz '9999-12-31 23:59:59.999999+00:00')), id);
