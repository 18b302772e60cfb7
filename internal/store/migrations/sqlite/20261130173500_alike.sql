-- Attributes without the signs that spellings differ by, so that identity rules find them by index.
CREATE INDEX x_ci_property_alike ON x_ci_property (path, replace(replace(replace(replace(replace(replace(lower(trim(value)), '-', ''), ':', ''), '.', ''), '{', ''), '}', ''), ' ', '')) WHERE field = 'attributes' AND sort = 'text';
