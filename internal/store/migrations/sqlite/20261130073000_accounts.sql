-- Modify "entry" table, whose rows stay where they are
ALTER TABLE `entry` ADD COLUMN `actor_id` integer NULL;
ALTER TABLE `entry` ADD COLUMN `via` text NOT NULL DEFAULT 'SYSTEM';
ALTER TABLE `entry` ADD COLUMN `via_id` integer NULL;
-- Modify "head" table
ALTER TABLE `head` ADD COLUMN `access` integer NOT NULL DEFAULT 0;
-- Add column "actor_id" to table: "timeline_entry"
ALTER TABLE `timeline_entry` ADD COLUMN `actor_id` integer NULL;
-- Add column "requested_by_id" to table: "change"
ALTER TABLE `change` ADD COLUMN `requested_by_id` integer NULL;
-- Add column "opened_by_id" to table: "incident"
ALTER TABLE `incident` ADD COLUMN `opened_by_id` integer NULL;
-- Add column "approver_id" to table: "approval"
ALTER TABLE `approval` ADD COLUMN `approver_id` integer NULL;
-- Create "api_token" table
CREATE TABLE `api_token` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` text NOT NULL,
  `roles` json NOT NULL,
  `last_four` text NOT NULL,
  `expires_at` datetime NOT NULL,
  `revoked_at` datetime NULL,
  `created_at` datetime NOT NULL,
  `account_id` integer NOT NULL,
  `created_by_id` integer NOT NULL,
  CONSTRAINT `api_token_account_account` FOREIGN KEY (`account_id`) REFERENCES `account` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `api_token_account_created_by` FOREIGN KEY (`created_by_id`) REFERENCES `account` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "api_token" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('api_token', 9851624184872960);
-- Create index "apitoken_account_id_id" to table: "api_token"
CREATE INDEX `apitoken_account_id_id` ON `api_token` (`account_id`, `id`);
-- Create index "apitoken_created_by_id" to table: "api_token"
CREATE INDEX `apitoken_created_by_id` ON `api_token` (`created_by_id`);
-- Create "account" table
CREATE TABLE `account` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `kind` text NOT NULL DEFAULT ('PERSON'),
  `name` text NOT NULL,
  `email` text NOT NULL DEFAULT (''),
  `issuer` text NULL,
  `subject` text NULL,
  `local_name` text NULL,
  `state` text NOT NULL DEFAULT ('ACTIVE'),
  `version` integer NOT NULL DEFAULT (1),
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `person_id` integer NULL,
  CONSTRAINT `account_person_person` FOREIGN KEY (`person_id`) REFERENCES `person` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "account" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('account', 9288674231451648);
-- Create index "account_local_name_key" to table: "account"
CREATE UNIQUE INDEX `account_local_name_key` ON `account` (`local_name`);
-- Create index "account_issuer_subject" to table: "account"
CREATE UNIQUE INDEX `account_issuer_subject` ON `account` (`issuer`, `subject`);
-- Create index "account_name_id" to table: "account"
CREATE INDEX `account_name_id` ON `account` (`name`, `id`);
-- Create "role_binding" table
CREATE TABLE `role_binding` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `issuer` text NULL,
  `group_name` text NULL,
  `role` text NOT NULL,
  `sources` json NULL,
  `expires_at` datetime NULL,
  `created_at` datetime NOT NULL,
  `account_id` integer NULL,
  `team_id` integer NULL,
  CONSTRAINT `role_binding_account_account` FOREIGN KEY (`account_id`) REFERENCES `account` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `role_binding_team_team` FOREIGN KEY (`team_id`) REFERENCES `team` (`id`) ON DELETE RESTRICT
);
-- Set sequence for "role_binding" table
INSERT INTO sqlite_sequence (name, seq) VALUES ('role_binding', 9570149208162304);
-- Create index "rolebinding_account_id" to table: "role_binding"
CREATE INDEX `rolebinding_account_id` ON `role_binding` (`account_id`);
-- Create index "rolebinding_issuer_group_name" to table: "role_binding"
CREATE INDEX `rolebinding_issuer_group_name` ON `role_binding` (`issuer`, `group_name`);
-- Create index "rolebinding_team_id" to table: "role_binding"
CREATE INDEX `rolebinding_team_id` ON `role_binding` (`team_id`);
-- Names that have acted become accounts, which cannot sign in until somebody binds them
INSERT INTO account (name, issuer, subject, created_at, updated_at)
SELECT min(name), 'name', lower(name), min(at), min(at) FROM (
  SELECT actor AS name, min(at) AS at FROM entry GROUP BY actor
  UNION ALL SELECT approver, min(created_at) FROM approval GROUP BY approver
  UNION ALL SELECT requested_by, min(created_at) FROM change GROUP BY requested_by
  UNION ALL SELECT opened_by, min(created_at) FROM incident GROUP BY opened_by
  UNION ALL SELECT actor, min(created_at) FROM timeline_entry GROUP BY actor
) AS named
WHERE lower(name) <> 'linchpin' AND lower(name) NOT LIKE 'cli:%' AND name <> ''
GROUP BY lower(name) ORDER BY lower(name);
-- Each is for the person with its name, where there is one such person
UPDATE account SET person_id = (SELECT id FROM person WHERE lower(person.name) = account.subject)
WHERE (SELECT count(*) FROM person WHERE lower(person.name) = account.subject) = 1;
UPDATE entry SET actor_id = (SELECT id FROM account WHERE issuer = 'name' AND subject = lower(entry.actor)),
  via = CASE WHEN lower(actor) LIKE 'cli:%' THEN 'CLI' ELSE 'DEV' END
WHERE lower(actor) <> 'linchpin';
UPDATE approval SET approver_id = (SELECT id FROM account WHERE issuer = 'name' AND subject = lower(approval.approver));
UPDATE change SET requested_by_id = (SELECT id FROM account WHERE issuer = 'name' AND subject = lower(change.requested_by));
UPDATE incident SET opened_by_id = (SELECT id FROM account WHERE issuer = 'name' AND subject = lower(incident.opened_by));
UPDATE timeline_entry SET actor_id = (SELECT id FROM account WHERE issuer = 'name' AND subject = lower(timeline_entry.actor));
-- Idempotency keys are those of the name in one spelling
UPDATE x_once SET actor = 'DEV ' || lower(actor) WHERE NOT EXISTS (
  SELECT 1 FROM x_once AS other WHERE lower(other.actor) = lower(x_once.actor) AND other.key = x_once.key AND other.actor > x_once.actor);
-- What must not be journalled: secrets as their codes, passwords as their hashes, sign-ins and refusals
CREATE TABLE x_secret (
  mac blob PRIMARY KEY, kind text NOT NULL, account_id integer, token_id integer, method text NOT NULL DEFAULT '', groups json,
  provider_sid text NOT NULL DEFAULT '', signed_in_at datetime NOT NULL, seen_at datetime NOT NULL, expires_at datetime NOT NULL
);
CREATE INDEX x_secret_account ON x_secret (account_id);
CREATE INDEX x_secret_token ON x_secret (token_id);
CREATE INDEX x_secret_expires ON x_secret (expires_at);
CREATE TABLE x_password (account_id integer PRIMARY KEY, phc text NOT NULL, changed_at datetime NOT NULL);
CREATE TABLE x_attempt (bucket text PRIMARY KEY, failures integer NOT NULL, since datetime NOT NULL, until datetime NOT NULL);
CREATE TABLE x_sign_in (
  hour datetime NOT NULL, outcome text NOT NULL, account_id integer NOT NULL, method text NOT NULL, network text NOT NULL, count integer NOT NULL,
  PRIMARY KEY (hour, outcome, account_id, method, network)
);
