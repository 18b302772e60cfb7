-- What requests with an idempotency key have changed, and what was answered.
CREATE TABLE x_once (
  actor text NOT NULL, key text NOT NULL, body bytea NOT NULL, outcomes text NOT NULL DEFAULT '{}',
  answer bytea NULL, revision bigint NOT NULL DEFAULT 0, created_at timestamptz NOT NULL,
  PRIMARY KEY (actor, key)
);
CREATE INDEX x_once_created_at ON x_once (created_at);
