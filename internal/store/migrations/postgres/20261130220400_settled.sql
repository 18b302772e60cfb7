-- Records of which a reading of their source had nothing to say, and readings that looked at all of their scope: what
-- stands as it was then needs no look.
ALTER TABLE x_claim ADD COLUMN is_settled boolean NOT NULL DEFAULT false;
ALTER TABLE x_run ADD COLUMN is_whole boolean NOT NULL DEFAULT false;
