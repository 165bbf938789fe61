package claims

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/compare"
	"github.com/pgjay/pgjay/cmd/simulator/internal/load"
	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
)

// rewritten times a statement that PgJay rewrites, and says so of one that cannot. Where
// least is 0 nothing is claimed.
func (b *bench) rewritten(ctx context.Context, claimed string, least float64, q question) (times, error) {
	if b.rewrites() {
		if err := b.learn(ctx, q); err != nil {
			return times{}, err
		}
	}
	t, err := b.time(ctx, b.url, b.plain, 15, q)
	if err != nil {
		return times{}, err
	}
	if !b.rewrites() {
		b.line(claimed, t.String()+" (this PgJay does not rewrite)", NotAvailable)
		return t, nil
	}
	if least == 0 {
		b.line(claimed, t.String(), Noted)
	} else {
		b.add(claimed, t.String(), faster(t.direct, t.pgjay, least))
	}
	return t, nil
}

// learn asks through PgJay for some seconds, as an application would: it compares what
// a rule makes of a statement, and times that, before it relies on it.
func (b *bench) learn(ctx context.Context, q question) error {
	const least, most, often = 3 * time.Second, 20 * time.Second, time.Second
	return seed.With(ctx, b.plain.URL(b.url).String(), func(conn *pgx.Conn) error {
		begin := time.Now()
		for next := least; time.Since(begin) < most; {
			if _, err := timeOne(ctx, conn, q); err != nil {
				return err
			}
			if time.Since(begin) < next {
				continue
			}
			if decided, err := b.decided(ctx, q); decided || err != nil {
				return err
			}
			next += often
		}
		return nil
	})
}

// decided says whether PgJay has no rule on trial for a statement.
func (b *bench) decided(ctx context.Context, q question) (bool, error) {
	if !b.rewrites() {
		return true, nil
	}
	rows, err := b.plain.Show(ctx, "SHOW REWRITES")
	if err != nil {
		return false, err
	}
	beginning := strings.ToLower(q.sql)
	if at := strings.IndexAny(beginning, "$'0123456789"); at >= 0 { // what is other in a normalised text
		beginning = beginning[:at]
	}
	for _, r := range rows {
		statement, _ := r["statement"].(string)
		if strings.HasPrefix(statement, beginning) && (r["state"] == "shadow" || r["state"] == "canary") {
			return false, nil
		}
	}
	return true, nil
}

// joins: "conditional joins: 10 ms instead of 100 ms". An application that joins all that a
// filter could need has contacts more than once, for each of their interactions, and so
// asks for them DISTINCT. Left joins to a unique key alone, of which nothing is shown,
// PostgreSQL drops itself.
func joins(ctx context.Context, b *bench) error {
	const (
		latest = "WHERE c.tenant_id = $1 ORDER BY c.created_at DESC, c.id DESC LIMIT 25"
		byName = "WHERE c.tenant_id = $1 ORDER BY c.last_name, c.id DESC LIMIT 25"
	)
	t, err := b.rewritten(ctx, "a list 10 times faster without the left joins that it does not need", 10, question{load.JoinedList + latest, []any{int64(1)}})
	if err != nil {
		return err
	}
	b.figure("a list with left joins that it does not need", t)
	joined, err := b.time(ctx, b.url, b.plain, 15, question{load.UniquelyJoinedList + byName, []any{int64(1)}})
	if err != nil {
		return err
	}
	simple, err := b.time(ctx, b.url, b.plain, 15, question{load.SimpleList + byName, []any{int64(1)}})
	if err != nil {
		return err
	}
	b.add("a list through PgJay does not pay for left joins to unique keys, which PostgreSQL drops itself",
		fmt.Sprintf("with four of them directly %s, through PgJay %s; without any %s and %s",
			ms(joined.direct), ms(joined.pgjay), ms(simple.direct), ms(simple.pgjay)), freeJoins(joined, simple))
	if t, err = b.rewritten(ctx, "to count a list without the inner joins that it does not need", 0, question{
		"SELECT count(*) FROM contacts AS c JOIN companies AS co ON co.id = c.company_id JOIN tenants AS t ON t.id = c.tenant_id WHERE c.tenant_id = $1",
		[]any{int64(1)}}); err != nil {
		return err
	}
	b.figure("to count a list, with inner joins that it does not need", t)
	t, err = b.rewritten(ctx, "a list far down 10 times faster, joined when its rows are known", 10, question{
		"SELECT c.id, c.email, co.name, m.score FROM contacts AS c LEFT JOIN companies AS co ON co.id = c.company_id " +
			"LEFT JOIN contacts_metadata AS m ON m.contact_id = c.id ORDER BY c.created_at DESC, c.id DESC LIMIT 25 OFFSET 40000", nil})
	if err != nil {
		return err
	}
	b.figure("a list with joins, OFFSET 40000", t)
	return nil
}

// arrays: "filters on arrays 5 times faster with GIN". It is the filter that is
// claimed; within a tenant the index of the tenants has done most already.
func arrays(ctx context.Context, b *bench) error {
	const filter = "SELECT count(*) FROM contacts AS c WHERE $1 = ANY(c.departments)"
	t, err := b.rewritten(ctx, "array filters 5 times faster with GIN", 5, question{filter, []any{"audit"}})
	if err != nil {
		return err
	}
	b.figure("'x' = ANY (an array)", t)
	return b.ofTenant(ctx, "array filters with GIN", question{filter + " AND c.tenant_id = $2", []any{"audit", int64(1)}})
}

// ofTenant times the same of one tenant, of which nothing is claimed.
func (b *bench) ofTenant(ctx context.Context, what string, q question) error {
	if err := b.learn(ctx, q); err != nil {
		return err
	}
	t, err := b.time(ctx, b.url, b.plain, 9, q)
	if err != nil {
		return err
	}
	b.line(what+", of the largest tenant alone", t.String(), Noted)
	return nil
}

// order: "created_at DESC 10 times faster than by company's name".
func order(ctx context.Context, b *bench) error {
	list := "SELECT c.id, c.email, co.name FROM contacts AS c JOIN companies AS co ON co.id = c.company_id WHERE c.tenant_id = $1 ORDER BY "
	byName, err := b.time(ctx, b.url, b.plain, 9, question{list + "co.name, c.id LIMIT 25", []any{int64(1)}})
	if err != nil {
		return err
	}
	byTime, err := b.time(ctx, b.url, b.plain, 9, question{list + "c.created_at DESC, c.id DESC LIMIT 25", []any{int64(1)}})
	if err != nil {
		return err
	}
	b.add("order by created_at 10 times faster than by company's name (PostgreSQL's doing, by an index)", fmt.Sprintf("by name: %s and %s, by created_at: %s and %s "+
		"(directly and through PgJay): %.0f and %.0f times", ms(byName.direct), ms(byName.pgjay), ms(byTime.direct), ms(byTime.pgjay),
		byName.direct/byTime.direct, byName.pgjay/byTime.pgjay), faster(byName.pgjay, byTime.pgjay, 10))
	return nil
}

// trigrams: "ILIKE 3 times faster with a trigram index", the one that PgJay advises.
func trigrams(ctx context.Context, b *bench) error {
	const claimed = "ILIKE 3 times faster with the advised index (PgJay advises it, PostgreSQL is faster)"
	q := question{"SELECT count(*) FROM contacts AS c WHERE c.text_search ILIKE $1", []any{"%yuki kaminski%"}}
	const drop = "drop index if exists contacts_text_search_idx"
	if err := execute(ctx, b.url, drop); err != nil {
		return err
	}
	before, err := b.time(ctx, b.url, b.plain, 9, q)
	if err != nil {
		return err
	}
	advised, err := b.advised(ctx)
	if err != nil || advised == "" {
		return b.unadvised(ctx, claimed, before, q, err)
	}
	if err := execute(ctx, b.url, advised); err != nil {
		return fmt.Errorf("%s: %w", advised, err)
	}
	after, err := b.time(ctx, b.url, b.plain, 9, q)
	if err != nil {
		return err
	}
	b.add(claimed, fmt.Sprintf("through PgJay %s before, %s after %s: %.0f times", ms(before.pgjay), ms(after.pgjay), advised,
		before.pgjay/after.pgjay), faster(before.pgjay, after.pgjay, 3))
	return b.ofTenant(ctx, "ILIKE with that index", question{q.sql + " AND c.tenant_id = $2", append(q.args, int64(1))})
}

// unadvised measures what the index brings that nobody has advised.
func (b *bench) unadvised(ctx context.Context, claimed string, before times, q question, why error) error {
	if err := execute(ctx, b.url, "create index contacts_text_search_idx on contacts using gin (text_search gin_trgm_ops)"); err != nil {
		return err
	}
	after, err := b.time(ctx, b.url, b.plain, 9, q)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("through PgJay %s before, %s after a trigram index (%.0f times), which PgJay did not advise", ms(before.pgjay),
		ms(after.pgjay), before.pgjay/after.pgjay)
	if why != nil {
		b.line(claimed, text+": "+why.Error(), NotAvailable)
		return nil
	}
	b.line(claimed, text, Short)
	return nil
}

// advised waits for advice of a trigram index; "" if there is none.
func (b *bench) advised(ctx context.Context) (string, error) {
	poll := time.NewTicker(200 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		rows, err := b.plain.Show(ctx, "SHOW ADVICE")
		if err != nil {
			return "", err
		}
		for _, sql := range compare.Statements(rows) {
			if strings.Contains(sql, "trgm") {
				return sql, nil
			}
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
	return "", nil
}

// dashboards: "10 times faster on hits, 60 % hits".
func dashboards(ctx context.Context, b *bench) error {
	t, err := b.time(ctx, b.url, b.cached, 25, question{load.Dashboards()[1], []any{int64(1)}})
	if err != nil {
		return err
	}
	b.add("10 times faster on hits", t.String(), faster(t.direct, t.pgjay, 10))
	b.figure("a dashboard, from the cache", t)
	const claimed = "60 % hits on repeats"
	if err := b.repeats(ctx, claimed+", without writes", "dashboard"); err != nil {
		return err
	}
	return b.repeats(ctx, claimed+", with writes to one of the tables", "dashboard", "update")
}

// repeats has people look at the first page, and do something else too if patterns say so.
func (b *bench) repeats(ctx context.Context, claimed string, patterns ...string) error {
	const queries = 3_000
	var asked []load.Pattern
	for _, name := range patterns {
		p, err := load.FindPattern(name)
		if err != nil {
			return err
		}
		asked = append(asked, p)
	}
	before, err := b.hits(ctx)
	if err != nil {
		return err
	}
	r, err := load.Run(ctx, load.New(b.options.Data, asked...), 0, queries, loadOptions(b.cached.URL(b.url), load.Pooled))
	if err != nil {
		return err
	}
	after, err := b.hits(ctx)
	if err != nil {
		return err
	}
	seen := r.ByPattern[asked[0]].TotalCount()
	share := 100 * (after - before) / float64(seen)
	b.add(claimed, fmt.Sprintf("%.0f %% of %d queries of dashboards, among which were %d updates", share, seen, queries-seen), share >= 60)
	return nil
}

// hits is how many answers came from the cache so far.
func (b *bench) hits(ctx context.Context) (float64, error) {
	return b.cached.Metric(ctx, `pgjay_cache_lookups_total{outcome="hit"`)
}
