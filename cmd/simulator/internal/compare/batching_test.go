package compare

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// TestBatching wants all rows imported on the one path, in both ways, and by as many
// statements as that takes.
func TestBatching(t *testing.T) {
	const rounds = 4
	u, err := servers.ParseURL(pgtest.Server(t).URL("postgres", servers.User))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	const counted = `; create table counted (n int); create function note() returns trigger language plpgsql as
		$$ begin insert into counted values (1); return null; end $$;
		create trigger counted after insert on contacts for each statement execute function note()`
	if _, err := conn.Exec(t.Context(), crm.CreateTables+counted); err != nil {
		t.Fatal(err)
	}
	small, err := crm.FindScenario("small")
	if err != nil {
		t.Fatal(err)
	}
	c := &Comparer{Data: crm.New(small, 1), Rounds: rounds}
	b, err := c.batching(t.Context(), &contender{Path: Path{Name: pooling}, url: u})
	if err != nil || b.Path != pooling || b.Single <= 0 || b.Batched <= 0 || b.Gain.Ratio <= 0 {
		t.Errorf("%+v, %v", b, err)
	}
	var rows, statements int
	if err := conn.QueryRow(t.Context(), "select (select count(*) from contacts), (select count(*) from counted)").Scan(&rows, &statements); err != nil {
		t.Fatal(err)
	}
	if rows != 2*rounds*batchSize || statements != rounds*(batchSize+1) {
		t.Errorf("%d rows by %d statements", rows, statements)
	}
}
