-- How new the states were that runs applied, such as those of Terraform, so that no older one takes their place.
CREATE TABLE x_serial (source text NOT NULL, part text NOT NULL, serial integer NOT NULL, PRIMARY KEY (source, part));
