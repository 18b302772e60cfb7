-- What requests with an idempotency key have changed, and what was answered.
CREATE TABLE x_once (
  actor text NOT NULL, key text NOT NULL, body blob NOT NULL, outcomes text NOT NULL DEFAULT '{}',
  answer blob NULL, revision integer NOT NULL DEFAULT 0, created_at datetime NOT NULL,
  PRIMARY KEY (actor, key)
);
CREATE INDEX x_once_created_at ON x_once (created_at);
