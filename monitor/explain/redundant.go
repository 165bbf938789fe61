package explain

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/pool"
)

// askHeld asks what indexes a table has and what they are needed for. A UNIQUE that is
// deferrable is none for who looks for one.
const askHeld = `SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), c.oid,
	(SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', pg_catalog.pg_get_indexdef(i.indexrelid, k, false), i.indclass[k OPERATOR(pg_catalog.-) 1],
		i.indcollation[k OPERATOR(pg_catalog.-) 1], i.indoption[k OPERATOR(pg_catalog.-) 1]), E'\x01' ORDER BY k) FROM pg_catalog.generate_series(1, i.indnkeyatts) k),
	i.indnatts OPERATOR(pg_catalog.>) i.indnkeyatts, i.indisunique AND i.indimmediate,
	i.indisprimary OR i.indisexclusion OR i.indisreplident OR i.indisclustered
		OR EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid OPERATOR(pg_catalog.=) i.indexrelid)
		OR EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid OPERATOR(pg_catalog.=) i.indexrelid), m.amname,
	pg_catalog.concat_ws(' ', pg_catalog.pg_get_expr(i.indpred, i.indrelid), pg_catalog.to_jsonb(i) OPERATOR(pg_catalog.->>) 'indnullsnotdistinct'),
	pg_catalog.pg_relation_size(c.oid), pg_catalog.pg_stat_get_numscans(c.oid)
	FROM pg_catalog.pg_index i, pg_catalog.pg_class c, pg_catalog.pg_am m, pg_catalog.pg_namespace n, pg_catalog.pg_class t, pg_catalog.pg_namespace s
	WHERE c.oid OPERATOR(pg_catalog.=) i.indexrelid AND n.oid OPERATOR(pg_catalog.=) c.relnamespace AND m.oid OPERATOR(pg_catalog.=) c.relam
		AND t.oid OPERATOR(pg_catalog.=) i.indrelid AND s.oid OPERATOR(pg_catalog.=) t.relnamespace AND s.nspname OPERATOR(pg_catalog.=) $1 AND t.relname OPERATOR(pg_catalog.=) $2
		AND i.indisvalid AND c.relkind OPERATOR(pg_catalog.=) 'i' ORDER BY c.oid`

func heldOf(ctx context.Context, conn *pgconn.PgConn, t *advice.Table) (list []advice.Held, err error) {
	r := conn.ExecParams(ctx, askHeld, [][]byte{[]byte(t.Schema), []byte(t.Name)}, nil, nil, nil).Read()
	for _, row := range r.Rows {
		is := func(i int) bool { return string(row[i]) == "t" }
		list = append(list, advice.Held{
			Name: string(row[0]), Number: number(row[1]), Keys: strings.Split(string(row[2]), "\x01"), Included: is(3), Unique: is(4), Needed: is(5),
			Method: string(row[6]), Where: string(row[7]), Bytes: number(row[8]), Scans: number(row[9]),
		})
	}
	return list, r.Err
}

// redundant is what was found of a table's indexes, by whom.
type redundant struct {
	key   pool.Key
	table *advice.Table
	list  []advice.Advice
}

// redundantOf looks at the indexes of the tables of a plan.
func (x *explanation) redundantOf(ctx context.Context) (all []redundant) {
	for _, t := range x.tables {
		if t == nil {
			continue
		}
		held, err := heldOf(ctx, x.conn, t)
		if err != nil {
			return all // the transaction has failed
		}
		all = append(all, redundant{x.Key, t, advice.OfRedundant(t, held, x.Key.Database, x.Key.User)})
	}
	return all
}

// settle notes what was found, and forgets what was found before and is not so any more.
func (b *adviceBook) settle(r redundant, now time.Time) {
	for id, a := range b.known {
		of := a.Kind == advice.Redundant && a.Database == r.key.Database && a.Table == r.table.String()
		if of && !slices.ContainsFunc(r.list, func(is advice.Advice) bool { return is.ID == id }) {
			delete(b.known, id)
		}
	}
	for _, a := range r.list {
		b.add(&entry{Advice: a, key: r.key, table: r.table}, now)
	}
}

// redundants returns a table for each in which an index was found that is not needed.
func (b *adviceBook) redundants() (list []redundant) {
	seen := make(map[string]bool)
	for _, a := range b.known {
		if id := a.Database + " " + a.Table; a.Kind == advice.Redundant && !seen[id] {
			seen[id] = true
			list = append(list, redundant{key: a.key, table: a.table})
		}
	}
	return list
}

// lookAgain looks whether the indexes that are not needed are there still. What cannot be asked is
// asked the next time.
func (e *Explainer) lookAgain(ctx context.Context, l *links) {
	e.mu.Lock()
	list, connect := e.advices.redundants(), e.connect
	e.mu.Unlock()
	for _, r := range list {
		conn, err := l.get(ctx, r.key, connect)
		if err != nil {
			continue
		}
		held, err := heldOf(ctx, conn, r.table)
		if err != nil {
			l.drop(r.key)
			continue
		}
		r.list = advice.OfRedundant(r.table, held, r.key.Database, r.key.User)
		e.mu.Lock()
		e.advices.settle(r, time.Now())
		e.mu.Unlock()
	}
}
