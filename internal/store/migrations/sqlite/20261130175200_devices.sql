-- Command lines that ask to be let in: by the codes of what people type, and of the tokens that they will have
CREATE TABLE x_device (
  code blob PRIMARY KEY, mac blob NOT NULL, last_four text NOT NULL, host text NOT NULL, network text NOT NULL, roles json NOT NULL,
  asked_at datetime NOT NULL, expires_at datetime NOT NULL
);
CREATE UNIQUE INDEX x_device_mac ON x_device (mac);
CREATE INDEX x_device_expires ON x_device (expires_at);
