package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/rewrite"
)

// withUserRule lets a proxy use one rule of the configuration.
func withUserRule(r rewrite.UserRule) func(*proxy.Config) {
	return func(c *proxy.Config) {
		c.Rewrite = rewrite.Config{Mode: rewrite.ModeOn, UserRules: []rewrite.UserRule{r}}
	}
}

// userRule makes a rule for one statement.
func userRule(mode rewrite.Mode, template, replace string) rewrite.UserRule {
	return rewrite.UserRule{Name: "mine", Mode: mode, Match: rewrite.UserMatch{Template: template}, Replace: replace, Unsafe: true}
}

// stateOf is that of the rule that is not built in.
func stateOf(p *running) (rewrite.State, string) {
	for _, st := range p.server.Rewrites() {
		if st.Rule == "mine" {
			return st.State, st.Why
		}
	}
	return rewrite.Off, ""
}

// awaitState runs something until the rule is in a state.
func awaitState(t *testing.T, p *running, want rewrite.State, why string, run func()) {
	t.Helper()
	eventually(t, "the rule is "+want.String(), func() bool {
		run()
		state, sentence := stateOf(p)
		return state == want && strings.Contains(sentence, why)
	})
}

// A rewritten statement that fails where the original does not: the client gets the
// original's answer, and the rule trips.
func TestRewriteErrorRunsOriginal(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	for _, how := range []string{"Query", "Parse"} {
		t.Run(how, func(t *testing.T) {
			p := startProxy(t, backend, func(c *proxy.Config) {
				withUserRule(userRule(rewrite.ModeOn, "select n from t where id = $1", "select n / (id - id) as n from t where id = $1"))(c)
				c.Rewrite.Force = true
			})
			conn := dialIn(t, p.addr, "")
			awaitState(t, p, rewrite.Tripped, "it failed (22012)", func() {
				if how == "Query" {
					if got := answerOf(t, conn, "select n from t where id = 3"); got != `n ["3"]` {
						t.Fatalf("it is %s", got)
					}
				} else if got := params(t, conn, "select n from t where id = $1", "3"); got != "3 " {
					t.Fatalf("it is %s", got)
				}
			})
			expectMetric(t, p, `rewrite_reruns_total{rule="mine"}`, 1)
			expectMetric(t, p, `rewrite_trips_total{rule="mine"}`, 1)
		})
	}
}

// An error that the original has, too, is the client's, and nothing trips.
func TestRewriteErrorOfOriginal(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	p := startProxy(t, backend, withRewrites)
	conn := dialIn(t, p.addr, "")
	rewritten(t, p, func() {
		answerOf(t, conn, "select 1 / (n - 3) from t where id > 10 order by id desc nulls last limit 1")
	})
	const bad = "select 1 / (n - 1) from t where id > 10 order by id desc nulls last limit 1" // 20000 % 7 = 1
	for range 5 {
		if got := answerOf(t, conn, bad); !strings.Contains(got, "22012") {
			t.Fatalf("it is %s", got)
		}
	}
	for _, st := range p.server.Rewrites() {
		if st.State == rewrite.Tripped {
			t.Errorf("it has tripped: %+v", st)
		}
	}
}

// In the shadow a rule acts on nobody; a difference trips it.
func TestRewriteShadowFindsDifference(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	for _, test := range []struct{ name, template, replace, why string }{
		{"rows", "select n from t where id = $1", "select n + 1 as n from t where id = $1", "its rows are others"},
		{"number of rows", "select n from t where id = $1", "select n from t where id <> $1", "rows, not 1"},
		{"order", "select id from t where id < $1 order by id", "select id from t where id < $1 order by id desc", "another order"},
		{"order with a limit", "select id from t where id < $1 order by id limit 5", "select id from t where id < $1 order by id desc limit 5", "another order"},
	} {
		for _, how := range []string{"Query", "Parse"} {
			t.Run(test.name+"/"+how, func(t *testing.T) {
				p := startProxy(t, backend, withUserRule(userRule(rewrite.ModeShadow, test.template, test.replace)))
				conn, direct := dialIn(t, p.addr, ""), dialIn(t, backend, "")
				text := strings.ReplaceAll(test.template, "$1", "30")
				want := answerOf(t, direct, text)
				awaitState(t, p, rewrite.Tripped, test.why, func() {
					if how == "Parse" {
						params(t, conn, test.template, "30")
					} else if got := answerOf(t, conn, text); got != want {
						t.Fatalf("it is %s, want %s", got, want)
					}
				})
				if n := uses(p); n != 0 {
					t.Errorf("it was used %d times", n)
				}
			})
		}
	}
}

// What its answers may differ in does not count.
func TestRewriteShadowIsFair(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	for _, test := range []struct{ name, template, replace string }{
		{"no order", "select id from t where id < $1", "select id from t where id < $1 order by id desc"},
		{"ties", "select n from t where id < $1 order by n", "select n from t where id < $1 order by n, id desc"},
		{"which of the ties", "select n, id from t where id < $1 order by n limit 5", "select n, id from t where id < $1 order by n, id desc limit 5"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := startProxy(t, backend, withUserRule(userRule(rewrite.ModeShadow, test.template, test.replace)))
			conn := dialIn(t, p.addr, "")
			text := strings.ReplaceAll(test.template, "$1", "500")
			awaitState(t, p, rewrite.Shadow, "1 comparisons were equal", func() { answerOf(t, conn, text) })
		})
	}
}

// A rule on trial that is slower trips; one that is not is on.
func TestRewriteTrial(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	for _, test := range []struct {
		name, replace, why string
		want               rewrite.State
	}{
		{"slower", "select n from t, pg_sleep(0.002) where id = $1", "take more than", rewrite.Tripped},
		{"as good", "select n from t where id = $1 and 1 = 1", "the trial", rewrite.On},
	} {
		t.Run(test.name, func(t *testing.T) {
			template := "select n from t where id = $1"
			if test.want == rewrite.On {
				template = "select n from t, pg_sleep(0.002) where id = $1"
			}
			p := startProxy(t, backend, withUserRule(userRule(rewrite.ModeOn, template, test.replace)))
			conn := dialIn(t, p.addr, "")
			awaitState(t, p, test.want, test.why, func() {
				for range 50 {
					answerOf(t, conn, strings.ReplaceAll(template, "$1", "3"))
				}
			})
		})
	}
}

// What a client could tell apart before a statement is run is not rewritten.
func TestRewriteDescribe(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	for _, test := range []struct{ name, replace string }{
		{"name", "select n as m from t where id = $1"},
		{"type", "select n::bigint as n from t where id = $1"},
		{"columns", "select n, n as n from t where id = $1"},
		{"parameter", "select n from t where id = $1::bigint"},
		{"no parameter", "select n from t where id = 3"},
		{"not SQL", "select n from t where id = $1 limit limit"},
		{"another command", "update t set n = n where id = $1 returning n"},
		{"refused", "select n from nowhere where id = $1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := startProxy(t, backend, func(c *proxy.Config) {
				withUserRule(userRule(rewrite.ModeOn, "select n from t where id = $1", test.replace))(c)
				c.Rewrite.Force = true
			})
			conn := dialIn(t, p.addr, "")
			// Something that is rewritten says that the other was looked at, too.
			neverRewritten(t, p, test.name, func() { params(t, conn, "select n from t where id = $1", "3") })
			rewritten(t, p, func() { answerOf(t, conn, deepFirst) })
			before := uses(p)
			for range 5 {
				if got := params(t, conn, "select n from t where id = $1", "3"); got != "3 " {
					t.Errorf("it is %s", got)
				}
			}
			if uses(p) != before {
				t.Error("it was rewritten")
			}
		})
	}
}

// 31: the place of an error is that in the client's text. The statement is in a
// transaction, so it is not run again as it was.
func TestRewriteErrorPosition(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	p := startProxy(t, backend, withRewrites)
	conn, direct := dialIn(t, p.addr, ""), dialIn(t, backend, "")
	const sql = "select 'é', id, s from t order by id desc nulls last, t.s limit 3"
	ctx := context.Background()
	for range 5 { // the proxy may see the change of the schema before the statement
		rewritten(t, p, func() { answerOf(t, conn, "begin"); answerOf(t, conn, sql); answerOf(t, conn, "commit") })
		answerOf(t, conn, "begin")
		answerOf(t, conn, "select 1")
		answerOf(t, direct, "alter table t rename s to other")
		position := func(c *pgconn.PgConn) int32 {
			_, err := c.Exec(ctx, strings.Replace(sql, "id, s ", "id ", 1)).ReadAll()
			var refused *pgconn.PgError
			if !errors.As(err, &refused) {
				t.Fatalf("it is %v", err)
			}
			return refused.Position
		}
		if got, want := position(conn), position(direct); got != want {
			t.Errorf("the error is at %d, want %d", got, want)
		}
		answerOf(t, conn, "rollback")
		answerOf(t, direct, "alter table t rename other to s")
	}
}

// 1: where a rewritten statement's columns come from is what the client's would say.
func TestRewriteOrigins(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	p := startProxy(t, backend, func(c *proxy.Config) {
		withUserRule(userRule(rewrite.ModeOn, "select n, s from t where id = $1", "select n, s from t where id = $1 union all select n, s from t where false"))(c)
		c.Rewrite.Force = true
	})
	conn, direct := dialIn(t, p.addr, ""), dialIn(t, backend, "")
	ctx := context.Background()
	describe := func(c *pgconn.PgConn, how string) string {
		var r *pgconn.Result
		if how == "Query" {
			all, err := c.Exec(ctx, "select n, s from t where id = 3").ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			r = all[0]
		} else {
			r = c.ExecParams(ctx, "select n, s from t where id = $1", [][]byte{[]byte("3")}, nil, nil, []int16{1, 0}).Read()
		}
		return fmt.Sprintf("%+v %q %v", r.FieldDescriptions, r.Rows, r.Err)
	}
	for _, how := range []string{"Query", "Parse"} {
		want := describe(direct, how)
		rewritten(t, p, func() {
			if got := describe(conn, how); got != want {
				t.Fatalf("%s: it is\n%s, want\n%s", how, got, want)
			}
		})
	}
	st, err := conn.Prepare(ctx, "named", "select n, s from t where id = $1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := direct.Prepare(ctx, "named", "select n, s from t where id = $1", nil); fmt.Sprint(st.Fields, st.ParamOIDs) != fmt.Sprint(want.Fields, want.ParamOIDs) {
		t.Errorf("it is described as %v, want %v", st, want)
	}
}

// What has tripped begins again when somebody says so.
func TestRewriteReset(t *testing.T) {
	backend := plain(t)
	newRewriteWorld(t, backend)
	p := startProxy(t, backend, withUserRule(userRule(rewrite.ModeShadow, "select n from t where id = $1", "select n + 1 as n from t where id = $1")))
	conn := dialIn(t, p.addr, "")
	read := func() { answerOf(t, conn, "select n from t where id = 3") }
	awaitState(t, p, rewrite.Tripped, "", read)
	console, err := pgconn.Connect(context.Background(), "postgres://postgres@"+p.addr+"/pgjay?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer console.Close(context.Background())
	eventually(t, "nothing is being looked at", func() bool { return !p.server.Looking() })
	answerOf(t, console, "reset rewrites")
	if state, why := stateOf(p); state != rewrite.Off {
		t.Errorf("it is %s: %s", state, why)
	}
	awaitState(t, p, rewrite.Shadow, "", read)
}
