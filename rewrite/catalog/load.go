package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Load reads the catalogs of the database that conn is connected to, with one
// message, in one REPEATABLE READ transaction. The servers are PostgreSQL 12 to
// 18; no rights are needed. After an error conn is in no transaction, or broken.
func Load(ctx context.Context, conn *pgconn.PgConn) (*Snapshot, error) {
	s, err := readAll(ctx, conn)
	if err != nil {
		if !conn.IsClosed() {
			_, rollback := conn.Exec(ctx, "ROLLBACK").ReadAll()
			err = errors.Join(err, rollback)
		}
		return nil, fmt.Errorf("reading the catalogs: %w", err)
	}
	return s, nil
}

func readAll(ctx context.Context, conn *pgconn.PgConn) (*Snapshot, error) {
	l := newLoader()
	var err error
	if l.s.Version, err = serverVersion(conn); err != nil {
		return nil, err
	}
	queries := l.queries()
	var text strings.Builder
	for _, q := range queries {
		text.WriteString(q.sql)
		text.WriteByte(';')
	}
	results := conn.Exec(ctx, text.String())
	for i := 0; results.NextResult(); i++ {
		rows := results.ResultReader()
		for rows.NextRow() {
			queries[i].row(row(rows.Values()))
		}
		if _, err := rows.Close(); err != nil {
			return nil, errors.Join(err, results.Close())
		}
	}
	if err := results.Close(); err != nil {
		return nil, err
	}
	l.conclude()
	return l.s, nil
}

// serverVersion is server_version_num, of which conn knows the text only.
func serverVersion(conn *pgconn.PgConn) (int, error) {
	var major, minor int
	text := conn.ParameterStatus("server_version")
	if _, err := fmt.Sscanf(text, "%d", &major); err != nil {
		return 0, fmt.Errorf("server_version is %q", text)
	}
	_, _ = fmt.Sscanf(text, "%d.%d", &major, &minor) // 19devel has no minor
	if major < 12 {
		return 0, fmt.Errorf("PostgreSQL %s is not supported: 12 is the oldest that is", text)
	}
	return major*10000 + minor, nil
}

func newLoader() *loader {
	return &loader{
		s: &Snapshot{
			relations: map[uint32]*Relation{},
			schemas:   map[string]*schema{},
			functions: map[uint32]*function{},
			operators: map[uint32]*operator{},
			types:     map[uint32]*typ{},
		},
		names:     map[uint32]*schema{},
		strings:   map[string]string{},
		numbers:   map[string][]int16{},
		rowTypes:  map[uint32]*Relation{},
		members:   map[uint32]string{},
		bodies:    map[uint32]string{},
		classes:   map[uint32]string{},
		canonical: map[uint32]uint32{},

		userClasses: map[uint32]bool{},
		oidLists:    map[string][]uint32{},
		classLists:  map[string][]string{},
	}
}

// conclude puts together what the queries have brought.
func (l *loader) conclude() {
	for oid, name := range l.members {
		if f := l.s.functions[oid]; f != nil {
			f.extension = name
		}
	}
	l.judgeBodies()
	l.judgeTypes()
	l.judgeRelations()
	l.s.noteRowWriters()
	for _, r := range l.s.relations {
		unique := func(i Index) bool { return i.Unique }
		slices.SortStableFunc(r.Indexes, func(a, b Index) int { return btoi(unique(b)) - btoi(unique(a)) })
		n := 0
		for n < len(r.Indexes) && r.Indexes[n].Unique {
			n++
		}
		r.Keys = r.Indexes[:n:n]
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// judgeBodies finds the functions that are not volatile, and so cannot write,
// but name one that may.
func (l *loader) judgeBodies() {
	writing := map[string]bool{"execute": true}
	for _, f := range l.s.functions {
		if !f.builtin() && l.s.mayWrite(f) {
			writing[strings.ToLower(f.name)] = true
		}
	}
	for found := true; found; {
		found = false
		for oid, body := range l.bodies {
			if f := l.s.functions[oid]; !f.nested && namesAny(body, writing) {
				f.nested, found = true, true
				writing[strings.ToLower(f.name)] = true
			}
		}
	}
}

func namesAny(body string, writing map[string]bool) bool {
	for word := range strings.FieldsFuncSeq(body, notInWord) {
		if word = strings.ToLower(word); writing[word] || runsText.has(word) {
			return true
		}
	}
	return false
}

func notInWord(r rune) bool {
	return r < 0x80 && r != '_' && r != '$' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
}
