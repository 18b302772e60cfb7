package importer_test

import (
	"context"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func TestARedactedPersonStandsInNoClaimAndNoRun(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		people := func(name string) rows {
			from := rows{name: "hr"}
			for _, p := range []importer.Person{{ExternalID: `o"lga`, Name: name, Email: "olga@example.com"}, {ExternalID: "mei", Name: "Mei"}} {
				from.all = append(from.all, importer.Row{Person: &p})
			}
			return from
		}
		readAt(t, s, start, people("Olga"), full)
		readAt(t, s, start, people("Olga Petrova"), full)
		said := func() string {
			rows, err := s.Read.QueryContext(t.Context(), "SELECT body FROM x_claim UNION ALL SELECT step FROM x_run_row")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = rows.Close() }()
			var all strings.Builder
			for rows.Next() {
				var text string
				if err := rows.Scan(&text); err != nil {
					t.Fatal(err)
				}
				all.WriteString(text + "\n")
			}
			return all.String()
		}
		if text := said(); strings.Count(text, "Olga") < 3 {
			t.Fatalf("the claims and runs: %s", text)
		}
		of := record(t, s, "hr", `o"lga`)
		if _, err := store.Write(t.Context(), s, store.By{Actor: "cli:root", Via: domain.ViaCLI, Verb: store.RedactVerb}, func(ctx context.Context, tx *store.Tx) (int, error) {
			return tx.Redact(ctx, of, "she asked")
		}); err != nil {
			t.Fatal(err)
		}
		if text := said(); strings.Contains(text, "Olga") || !strings.Contains(text, "Mei") {
			t.Errorf("after the redaction: %s", text)
		}
	})
}
