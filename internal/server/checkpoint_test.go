package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/audit"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func TestAuditorsAreToldTheNewestCheckpointAndEveryoneWhatWasRedacted(t *testing.T) {
	houses(t, func(h house) {
		t := h.t
		admin := h.setUp()
		auditor, _ := h.invited("ada", auth.Auditor)
		viewer, eve := h.invited("eve", auth.Viewer)
		const query = `{ journalCheckpoint { revision at note } }`
		if _, text := h.graphql(query, auditor); !strings.Contains(text, `{"journalCheckpoint":null}`) {
			t.Errorf("nothing is signed yet: %s", text)
		}
		for range 2 {
			if err := h.Checkpoint(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		status, text := h.graphql(query, auditor)
		var told struct {
			Data struct {
				JournalCheckpoint struct {
					Revision int64
					Note     string
				}
			}
		}
		if err := json.Unmarshal([]byte(text), &told); err != nil || status != http.StatusOK {
			t.Fatal(status, text, err)
		}
		_, keys, err := audit.Signers(houseKeys(t).JournalSeeds())
		if err != nil {
			t.Fatal(err)
		}
		revision, err := h.Store.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if c, err := keys.Open([]byte(told.Data.JournalCheckpoint.Note)); err != nil || c.Revision != revision || told.Data.JournalCheckpoint.Revision != revision {
			t.Errorf("%v, %v, the journal is at %d: %s", c, err, revision, text)
		}
		if _, text := h.graphql(query, viewer); !strings.Contains(text, "FORBIDDEN") {
			t.Errorf("a viewer: %s", text)
		}
		if _, err := store.Write(auth.With(t.Context(), auth.Command("test")), h.Store, auth.Command("test").By(store.RedactVerb), func(ctx context.Context, tx *store.Tx) (int, error) {
			return tx.Redact(ctx, *eve.Account, "she left")
		}); err != nil {
			t.Fatal(err)
		}
		_, text = h.graphql(`{ journal(last: 1) { nodes { verb recordId record { id } before after } } }`, admin)
		if !strings.Contains(text, `"verb":"journal.redact"`) || !strings.Contains(text, `"after":{"reason":"she left"}`) || strings.Contains(text, `"record":null`) {
			t.Errorf("the journal does not say that it was redacted: %s", text)
		}
		if _, text := h.graphql(`{ journal(last: 100) { nodes { before after } } }`, admin); strings.Contains(text, `"eve"`) {
			t.Errorf("the journal still has the name: %s", text)
		}
	})
}
