package proxy_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// What a page must be while others write: that of one moment between the question and
// the answer. The list has a row for each number from 1 on and writers change it in a
// way that a page tells at which step it was read: step n has moved the window of
// numbers n rows on, so row m of the list is number m+n+1. A page from a bookmark that
// is not good any more has rows of no step, or of one before the question.
const driftWorld = `
	drop schema if exists c cascade; create schema c; set search_path = c;
	create table drift (k int primary key, pad text not null default 'x');
	insert into drift select generate_series(1, 3000);
	create table drifted (steps int not null); insert into drifted values (0);
	analyze drift`

// step moves the window on: as an update of keys, or by an insert and a delete.
func step(ctx context.Context, conn *pgx.Conn, n int, rng *rand.Rand) error {
	if rng.IntN(2) == 0 {
		_, err := conn.Exec(ctx, "with x as (update c.drift set k = $1 where k = $2) update c.drifted set steps = steps + 1", 3000+n, n)
		return err
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	for _, sql := range []string{fmt.Sprintf("delete from c.drift where k = %d", n), fmt.Sprintf("insert into c.drift values (%d)", 3000+n), "update c.drifted set steps = steps + 1"} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return tx.Commit(ctx)
}

// TestDeepWriters has readers page through a list while a writer changes it.
func TestDeepWriters(t *testing.T) {
	backend := plain(t)
	if err := observer(t, backend).Exec(driftWorld); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, slow(t, backend, rand.New(rand.NewPCG(5, 6))), withDeep)
	ctx := context.Background()
	connect := func() *pgx.Conn {
		conn, err := pgx.Connect(ctx, "postgres://postgres@"+p.addr+"/postgres?sslmode=disable")
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	var steps struct {
		sync.Mutex
		begun, done int
	}
	at := func() (begun, done int) {
		steps.Lock()
		defer steps.Unlock()
		return steps.begun, steps.done
	}
	warm, offset := connect(), 200
	defer warm.Close(ctx)
	for _, mode := range execModes[:2] {
		_, before, _ := p.server.DeepPages()
		eventually(t, "pages come from bookmarks", func() bool {
			offset = 200 + (offset-199)%2000
			_, err := warm.Exec(ctx, "select k, pad from c.drift order by k limit $1 offset $2", mode, 20, offset)
			_, marked, _ := p.server.DeepPages()
			return err == nil && marked > before
		})
	}
	var readers sync.WaitGroup
	for id := range 4 {
		readers.Go(func() {
			conn, rng := connect(), rand.New(rand.NewPCG(7, uint64(id)))
			defer conn.Close(ctx)
			offset := 200
			for range 500 {
				if offset += 20; offset > 2800 || rng.IntN(20) == 0 {
					offset = 200 + rng.IntN(2500)
				}
				_, before := at()
				rows, err := conn.Query(ctx, "select k, pad from c.drift order by k limit $1 offset $2", execModes[rng.IntN(2)], 20, offset)
				if err != nil {
					t.Error(err)
					return
				}
				var got []int
				for rows.Next() {
					var k int
					var pad string
					if err := rows.Scan(&k, &pad); err != nil {
						t.Error(err)
					}
					got = append(got, k)
				}
				after, _ := at()
				if len(got) != 20 || rows.Err() != nil {
					t.Errorf("offset %d: %d rows, %v", offset, len(got), rows.Err())
					return
				}
				for i, k := range got {
					if n := k - offset - i - 1; n < before || n > after || k != got[0]+i {
						t.Errorf("offset %d: between the steps %d and %d the page is %v", offset, before, after, got)
						return
					}
				}
			}
		})
	}
	stop, writer := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(writer)
		conn, rng := connect(), rand.New(rand.NewPCG(8, 8))
		defer conn.Close(ctx)
		for n := 1; ; n++ {
			// Some time without writes, so that bookmarks come to be.
			for range rng.IntN(12) {
				if _, err := conn.Exec(ctx, "select 1"); err != nil {
					t.Error(err)
				}
			}
			select {
			case <-stop:
				return
			default:
			}
			steps.Lock()
			steps.begun = n
			steps.Unlock()
			if err := step(ctx, conn, n, rng); err != nil {
				t.Error(err)
				return
			}
			steps.Lock()
			steps.done = n
			steps.Unlock()
		}
	}()
	readers.Wait()
	close(stop)
	<-writer
	plain, marked, found := p.server.DeepPages()
	doubts := p.server.DeepDoubts()
	t.Logf("%d steps; plain %d, from bookmarks %d, found %d; not let out: %v", steps.done, plain, marked, found, doubts)
	if marked == 0 || doubts["changed"] == 0 {
		t.Error("the readers and the writer have not met")
	}
}
