-- Which server does a piece of work that one server at a time does, such as an import that a schedule asks for. The epoch
-- is the number of the holder: each write of the work compares it, so that a holder who slept writes nothing.
CREATE TABLE x_lease (
  name text NOT NULL PRIMARY KEY, holder text NOT NULL DEFAULT '', epoch bigint NOT NULL DEFAULT 0, until timestamptz NOT NULL, due timestamptz NOT NULL,
  ended timestamptz NULL, failure text NOT NULL DEFAULT '', is_paused boolean NOT NULL DEFAULT false
);
