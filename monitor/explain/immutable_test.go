package explain

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/monitor/advice"
)

const moments = `CREATE TABLE moments (owner int, zoned timestamptz, at timestamp, doc jsonb, tags text[], note text, short varchar(20));
	INSERT INTO moments SELECT i % 2000, '2020-01-01'::timestamptz + i * interval '1 minute', '2020-01-01'::timestamp + i * interval '1 minute',
		jsonb_build_object('day', date '2020-01-01' + i % 300, 'n', i), ARRAY['t' || i], 'note ' || i, 's' || i FROM generate_series(1, 20000) i;
	CREATE FUNCTION steady(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
	CREATE FUNCTION unsteady(text) RETURNS text STABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
	GRANT SELECT ON moments TO app; ANALYZE moments`

// unread is an expression that an index could be on.
const unread = "lower(CASE WHEN owner = 1 THEN note END)"

// expressions are what may be in an index or not, with a value of theirs.
var expressions = map[string]string{
	"date_trunc('day', zoned)":                       "'2020-01-03'",
	"date_trunc('day', at)":                          "'2020-01-03'",
	"date_trunc('day', zoned AT TIME ZONE 'UTC')":    "'2020-01-03'",
	"(doc ->> 'day')::date":                          "'2020-01-03'",
	"(doc ->> 'day')::timestamptz":                   "'2020-01-03'",
	"(doc ->> 'n')::int":                             "7",
	"(doc ->> 'n')::numeric":                         "7",
	"lower(doc::text)":                               "'x'",
	"lower(zoned::text)":                             "'x'",
	"lower(tags::text)":                              "'x'",
	"lower(to_char(at, 'YYYY-MM-DD'))":               "'2020-01-03'",
	"lower(substr(note, 6, 4))":                      "'77'",
	"coalesce(note, 'none')":                         "'x'",
	"lower(note || short)":                           "'x'",
	"lower(note || at)":                              "'x'",
	"upper(short)":                                   "'S7'",
	"lower(steady(note))":                            "'note 7'",
	"lower(unsteady(note))":                          "'note 7'",
	unread:                                           "'x'",
	"abs(extract(epoch FROM at) - 1577836800)":       "60",
	"abs(extract(epoch FROM zoned) - 1577836800)":    "60",
	"abs(extract(timezone_hour FROM zoned) + owner)": "60",
	`lower(note COLLATE "C")`:                        "'note 7'",
	"lower(current_setting('x.y', true) || note)":    "'x'",
	"lower(note || current_user)":                    "'x'",
	"date_trunc('day', zoned, 'Europe/Berlin')":      "'2020-01-03'",
}

// An index is advised on expressions that PostgreSQL takes one on, and on no others.
func TestImmutable(t *testing.T) {
	w := newWorld(t, moments)
	for expression, value := range expressions {
		t.Run(expression, func(t *testing.T) {
			w.explainer.advices = newAdviceBook()
			r := w.explain("SELECT * FROM moments WHERE " + expression + " = " + value)
			_, refused := w.admin.Exec(context.Background(), "CREATE INDEX refused ON moments (("+expression+")); DROP INDEX refused").ReadAll()
			list := w.advisedFor(r)
			if len(list) == 0 {
				t.Fatalf("nothing is advised: %s", strings.Join(r.Lines(), "\n"))
			}
			for _, a := range list {
				w.needsValues(t, &a)
				if refused == nil != (a.DDL != "") && expression != unread {
					t.Errorf("PostgreSQL: %v; advised: %q, as %s", refused, a.DDL, a.Why)
				}
				if (a.DDL == "") != strings.Contains(a.Why, "in a column of its own") {
					t.Errorf("%q, as %s", a.DDL, a.Why)
				}
			}
		})
	}
}

// What can be in an index is advised without what cannot.
func TestImmutablePart(t *testing.T) {
	w := newWorld(t, moments)
	list := w.advisedFor(w.explain("SELECT * FROM moments WHERE owner = 7 AND date_trunc('day', zoned) = '2020-01-03'"))
	if len(list) != 1 || list[0].DDL != "CREATE INDEX CONCURRENTLY ON public.moments (owner);" {
		t.Errorf("advised: %+v", list)
	}
}

// needsValues wants PostgreSQL to refuse what has no values yet, and that it is said.
func (w *world) needsValues(t *testing.T, a *advice.Advice) {
	if !strings.Contains(a.DDL, "<value of the statement>") {
		return
	}
	var refused *pgconn.PgError
	if _, err := w.admin.Exec(t.Context(), a.DDL).ReadAll(); !errors.As(err, &refused) || refused.Code != "42601" {
		t.Errorf("%s: %v", a.DDL, err)
	}
	if !strings.Contains(a.Why, "values are not kept") {
		t.Errorf("%s, as %s", a.DDL, a.Why)
	}
}
