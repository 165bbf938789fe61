package proxy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/rewrite"
	"github.com/pgjay/pgjay/rewrite/catalog"
)

// ExplainRewrite says what each rule would make of a statement of a user's, with the
// user's own settings, and why or why not, whatever its application and address. It asks PostgreSQL, and runs nothing.
func (srv *Server) ExplainRewrite(ctx context.Context, user, database, text string) ([]rewrite.Step, string, error) {
	return srv.explainRewrite(ctx, pool.Key{Database: database, User: user}, text)
}

// errNoRewrites is why nothing can be said.
var errNoRewrites = errors.New("rewriting and the cache are off (rewrite.mode, cache.enabled)")

func (sh *shared) explainRewrite(ctx context.Context, k pool.Key, text string) (steps []rewrite.Step, why string, err error) {
	db := sh.databaseOf(sh.pools.Pool(k))
	if db == nil {
		return nil, "", errNoRewrites
	}
	tutor := db.tutor(k)
	st := tutor.standing(&signature{})
	if st == nil {
		return nil, "", fmt.Errorf("PostgreSQL cannot be reached as %s in %s", k.User, k.Database)
	}
	snapshot, err := db.awaitSnapshot(ctx)
	if err != nil {
		return nil, "", err
	}
	known := map[string]string{"client_encoding": "UTF8", "standard_conforming_strings": "on"}
	err = tutor.ask(func(ctx context.Context, conn *pgconn.PgConn) error {
		known["TimeZone"] = conn.ParameterStatus("TimeZone")
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	subject := &rewrite.Subject{User: k.User, Database: k.Database, Literals: true, Audience: ^rewrite.Audience(0)}
	subject.Text = text
	subject.Scope = rewrite.Scope{Catalog: snapshot, Path: st.path, Role: k.User, Setting: func(name string) string { return known[name] }}
	plan, steps, err := sh.databases.engine.Load().Explain(subject, tutor.ask)
	if err != nil {
		return nil, "", err
	}
	return steps, plan.Why, nil
}

// awaitSnapshot returns the schema, which may have to be read first.
func (db *database) awaitSnapshot(ctx context.Context) (*catalog.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, lessonTimeout)
	defer cancel()
	for {
		if snapshot := db.snapshot(); snapshot != nil {
			return snapshot, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(errors.New("the schema has not been read"), db.keeper.Err())
		case <-time.After(pollInterval):
		}
	}
}
