package pgconn_test

import (
	"context"
	"database/sql/driver"
	"testing"
)

const copyRacks = `COPY rack (id, name) FROM STDIN`

func TestCopyInWorksInATransaction(t *testing.T) {
	db := single(t, database(t))
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	st, err := tx.PrepareContext(t.Context(), copyRacks)
	if err != nil {
		t.Fatal(err)
	}
	for i := 2001; i <= 7000; i++ {
		if _, err := st.ExecContext(t.Context(), i, "copied"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tx.ExecContext(t.Context(), `SELECT $1::int`, 1); err == nil {
		t.Error("a statement went into the middle of a COPY")
	}
	res, err := st.ExecContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := res.RowsAffected(); n != 5000 {
		t.Errorf("%d rows copied", n)
	}
	if err := st.Close(); err != nil { //nolint:sqlclosecheck // the connection is needed again below
		t.Fatal(err)
	}
	if n := ask[int](t, tx, `SELECT count(*) FROM rack WHERE name = $1`, "copied"); n != 5000 {
		t.Errorf("%d rows, want 5000", n)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

func TestCopyInWorksThroughRaw(t *testing.T) {
	db := single(t, database(t))
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Raw(func(raw any) error {
		tx, err := raw.(driver.ConnBeginTx).BeginTx(t.Context(), driver.TxOptions{})
		if err != nil {
			return err
		}
		st, err := raw.(driver.ConnPrepareContext).PrepareContext(t.Context(), copyRacks)
		if err != nil {
			return err
		}
		lines := st.(interface {
			CopyData(ctx context.Context, line string) (driver.Result, error)
		})
		if _, err := lines.CopyData(t.Context(), "3001\tby line"); err != nil {
			return err
		}
		if _, err := st.Exec([]driver.Value{int64(3002), "by row"}); err != nil { //nolint:staticcheck // lib/pq has no other
			return err
		}
		if err := st.Close(); err != nil {
			return err
		}
		return tx.Commit()
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := ask[int](t, conn, `SELECT count(*) FROM rack WHERE name LIKE $1`, "by %"); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
}

func TestAFailedCopyLeavesTheConnectionUsable(t *testing.T) {
	db := single(t, database(t))
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	st, err := tx.PrepareContext(t.Context(), copyRacks)
	if err != nil {
		t.Fatal(err)
	}
	_, err = st.ExecContext(t.Context(), 1, "taken")
	if err == nil {
		_, err = st.ExecContext(t.Context())
	}
	if code(err) != "23505" {
		t.Errorf("got %v, want 23505", err)
	}
	_ = st.Close() //nolint:sqlclosecheck // the connection is needed again below
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	ask[string](t, db, `SELECT name FROM rack WHERE id = $1`, 1)
}
