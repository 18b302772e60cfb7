package audit

import "github.com/lib/pq"

// Grants returns the statements that let a role of PostgreSQL do what servers do, and keep it from changing what the
// journal says. The owner of the tables runs them, after each upgrade anew; linchpin migrate and linchpin journal
// redact and purge act as the owner.
func Grants(role string) []string {
	role = pq.QuoteIdentifier(role)
	return []string{
		`GRANT USAGE ON SCHEMA public TO ` + role,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ` + role,
		`GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO ` + role,
		`REVOKE UPDATE, DELETE ON entry, x_revision, x_checkpoint FROM ` + role,
		`REVOKE INSERT, UPDATE, DELETE ON x_migration, x_floor FROM ` + role,
	}
}
