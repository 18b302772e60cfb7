ALTER TABLE `entry` ADD COLUMN `salt` blob NULL;
ALTER TABLE `entry` ADD COLUMN `digest` blob NULL;
ALTER TABLE `head` ADD COLUMN `chained` integer NOT NULL DEFAULT (0);
ALTER TABLE `head` ADD COLUMN `chain` blob NULL;
-- x_revision holds the leaf and the link of each revision. Rows are added, and never changed.
CREATE TABLE x_revision (revision integer NOT NULL PRIMARY KEY, leaf blob NOT NULL, chain blob NOT NULL);
-- x_checkpoint holds links as they were signed.
CREATE TABLE x_checkpoint (revision integer NOT NULL PRIMARY KEY, at datetime NOT NULL, note text NOT NULL);
