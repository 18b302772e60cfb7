-- Create index "account_person_id" to table: "account"
CREATE UNIQUE INDEX `account_person_id` ON `account` (`person_id`);
