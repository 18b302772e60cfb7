-- Create index "change_actual_start" to table: "change"
CREATE INDEX `change_actual_start` ON `change` (`actual_start`);
-- Create index "change_actual_end" to table: "change"
CREATE INDEX `change_actual_end` ON `change` (`actual_end`);
-- Create "risk_weight" table
CREATE TABLE `risk_weight` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `factor` text NOT NULL,
  `most` integer NOT NULL,
  `each` integer NOT NULL
);
-- Set sequence for "risk_weight" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('risk_weight', 7881299347898368);
-- Create index "riskweight_factor" to table: "risk_weight"
CREATE UNIQUE INDEX `riskweight_factor` ON `risk_weight` (`factor`);
