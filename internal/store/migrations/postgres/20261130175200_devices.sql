-- Command lines that ask to be let in: by the codes of what people type, and of the tokens that they will have
CREATE TABLE x_device (
  code bytea PRIMARY KEY, mac bytea NOT NULL, last_four varchar NOT NULL, host varchar NOT NULL, network varchar NOT NULL, roles jsonb NOT NULL,
  asked_at timestamptz NOT NULL, expires_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX x_device_mac ON x_device (mac);
CREATE INDEX x_device_expires ON x_device (expires_at);
