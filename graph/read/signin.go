package read

import (
	"context"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// mostSignIns is how many rows of the sign-in log are told at once.
const mostSignIns = 100

// SignIn counts the times that an account came in, or was refused, from a network within an hour.
type SignIn struct {
	session.SignIn
	in *batch[*SignIn]
}

// SignIns lists who came in and who was refused, the newest first.
func (r *Reader) SignIns(ctx context.Context) ([]*SignIn, error) {
	rows, err := session.SignIns(ctx, r.store, mostSignIns)
	b := newBatch(r, make([]*SignIn, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &SignIn{row, b}
	}
	return b.Rows, err
}

// Hour returns the hour in which it was.
func (s *SignIn) Hour() time.Time { return s.SignIn.Hour }

// Method returns how they came, or tried to.
func (s *SignIn) Method() string { return string(s.SignIn.Method) }

// Account returns whose name it was. If the name was nobody's, it returns nil.
func (s *SignIn) Account(ctx context.Context) (*Account, error) {
	return one(ctx, s.in, s, "account", func(s *SignIn) *ident.ID { return &s.SignIn.Account }, loadAccounts)
}
