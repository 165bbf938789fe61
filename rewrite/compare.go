package rewrite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	pg_query "github.com/pganalyze/pg_query_go/v5"

	"github.com/jackc/pgx/v5/pgconn"
)

// Values are what a Bind gives for the parameters.
type Values struct {
	Formats []int16
	Values  [][]byte // nil: NULL
}

const (
	compareTimeout = 5 * time.Second
	// maxCompared bounds the rows that are compared.
	maxCompared = 200_000
)

// errTooLarge is why nothing was compared.
var errTooLarge = errors.New("the answer is too large to be compared")

// digest is what counts of an answer.
type digest struct {
	rows uint64
	bag  uint64 // of all rows in whatever order; 0 where a limit may choose among equals
	keys uint64 // of what they are ordered by, in that order
}

// Compare runs both texts in one snapshot, and says in what the answers differ; empty:
// in nothing. What a statement does not promise does not count: the order of rows
// that its ORDER BY leaves open, and which of those a LIMIT leaves out.
func Compare(ask Ask, s *Subject, was, is string, v *Values) (differs string, err error) {
	order := orderOf(s.Tree)
	var digests [2]digest
	err = ask(func(ctx context.Context, conn *pgconn.PgConn) error {
		return inTransaction(ctx, conn, "REPEATABLE READ", s.Settings, compareTimeout, func() error {
			for i, text := range []string{was, is} {
				if digests[i], err = order.read(ctx, conn.ExecParams(ctx, text, v.Values, s.Types, v.Formats, nil)); err != nil {
					return err
				}
			}
			return nil
		})
	})
	switch a, b := digests[0], digests[1]; {
	case err != nil:
		return "", err
	case a.rows != b.rows:
		return fmt.Sprintf("it has %d rows, not %d", b.rows, a.rows), nil
	case a.bag != b.bag:
		return "its rows are others", nil
	case a.keys != b.keys:
		return "its rows are in another order", nil
	}
	return "", nil
}

// order is what a statement promises of its rows.
type order struct {
	limited bool
	names   []string // of output columns that it is ordered by
	numbers []int    // the same by number, where that is given; 0 else
}

// orderOf reads the outermost ORDER BY, as far as it is about output columns.
func orderOf(tree *pg_query.ParseResult) order {
	s := tree.Stmts[0].Stmt.GetSelectStmt()
	o := order{limited: s.LimitCount != nil || s.LimitOffset != nil || len(s.DistinctClause) > 0 && s.DistinctClause[0].GetNode() != nil}
	for _, item := range s.SortClause {
		by := item.GetSortBy().GetNode()
		switch {
		case by.GetAConst().GetIval() != nil:
			o.numbers, o.names = append(o.numbers, int(by.GetAConst().GetIval().Ival)), append(o.names, "")
		case by.GetColumnRef() != nil:
			fields := by.GetColumnRef().Fields
			o.numbers, o.names = append(o.numbers, 0), append(o.names, fields[len(fields)-1].GetString_().GetSval())
		default:
			return o
		}
	}
	return o
}

// columns are the output columns that the rows are ordered by, as far as they are known.
func (o *order) columns(fields []pgconn.FieldDescription) (keys []int) {
	for i, name := range o.names {
		found := o.numbers[i] - 1
		for j, f := range fields {
			if o.numbers[i] == 0 && f.Name == name {
				if found >= 0 {
					return keys // two of this name
				}
				found = j
			}
		}
		if found < 0 || found >= len(fields) {
			return keys
		}
		keys = append(keys, found)
	}
	return keys
}

var compareSeed = maphash.MakeSeed()

// read digests an answer. A column that it is ordered by may be printed in another way
// though it is equal: it counts among the keys only with its place.
func (o *order) read(ctx context.Context, r *pgconn.ResultReader) (d digest, err error) {
	keys := o.columns(r.FieldDescriptions())
	var h maphash.Hash
	h.SetSeed(compareSeed)
	for r.NextRow() {
		values := r.Values()
		if d.rows++; d.rows > maxCompared {
			return d, errTooLarge
		}
		if !o.limited {
			d.bag += hashOf(values)
		}
		for _, k := range keys {
			writeValue(&h, values[k])
		}
	}
	_, err = r.Close()
	d.keys = h.Sum64()
	return d, errors.Join(err, ctx.Err())
}

func hashOf(values [][]byte) uint64 {
	var h maphash.Hash
	h.SetSeed(compareSeed)
	for _, v := range values {
		writeValue(&h, v)
	}
	return h.Sum64()
}

func writeValue(h *maphash.Hash, v []byte) {
	length := int64(len(v))
	if v == nil {
		length = -1
	}
	var head [8]byte
	binary.BigEndian.PutUint64(head[:], uint64(length))
	_, _ = h.Write(head[:])
	_, _ = h.Write(v)
}
