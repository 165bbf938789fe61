package proxy

import (
	"encoding/binary"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/rewrite"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// compareRewritten runs a statement once more as it was, and as rules would have it,
// where nobody waits for it. A difference stops the rules, and everything goes that
// the cache may have from them.
func (s *session) compareRewritten(w *rewriting, v *rewrite.Variant) {
	var values rewrite.Values
	if w.body != nil && !readValues(w.values, &values) {
		return
	}
	text, db, log, mon, subject := w.text, s.who.database, s.log, s.monitor, w.plan.subject
	ask := db.tutor(s.who.pool.Key()).ask
	s.work(func() {
		made, ok := v.AppendText(nil, text, nil)
		if !ok {
			return
		}
		differs, err := rewrite.Compare(ask, subject, string(text), string(made), &values)
		var refused *pgconn.PgError
		switch {
		case err == nil && differs == "":
			mon.RewriteCompared(v.Rules())
			v.Equal()
		case err == nil:
			v.Trip("a comparison: " + differs)
			db.space.Global.Bump()
			mon.RewriteTripped(v.Rules())
			log.Error("a rewritten statement had another answer", "rules", v.Rules(), "database", db.name, "difference", differs,
				"statement", sqlparse.Redact(text), "rewritten", sqlparse.Redact(made))
		case errors.As(err, &refused):
			log.Debug("a rewritten statement could not be compared", "rules", v.Rules(), "code", refused.Code)
		default:
			log.Debug("a rewritten statement could not be compared", "rules", v.Rules(), "error", err)
		}
	})
}

// readValues reads what a Bind says behind the names: formats and values.
func readValues(p []byte, v *rewrite.Values) bool {
	n, p, ok := readCount(p)
	for range n {
		if len(p) < 2 {
			return false
		}
		v.Formats, p = append(v.Formats, int16(binary.BigEndian.Uint16(p))), p[2:]
	}
	if !ok {
		return false
	}
	n, p, ok = readCount(p)
	for range n {
		if len(p) < 4 {
			return false
		}
		length := int(int32(binary.BigEndian.Uint32(p)))
		p = p[4:]
		if length < 0 {
			v.Values = append(v.Values, nil)
			continue
		}
		if length > len(p) {
			return false
		}
		v.Values, p = append(v.Values, p[:length:length]), p[length:]
	}
	return ok
}

func readCount(p []byte) (n int, rest []byte, ok bool) {
	if len(p) < 2 {
		return 0, nil, false
	}
	return int(binary.BigEndian.Uint16(p)), p[2:], true
}
