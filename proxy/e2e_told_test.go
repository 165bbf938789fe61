package proxy_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/pool/embedded"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// tellingServer is a server that has auto_explain loaded, which does nothing.
func tellingServer(t testing.TB) string {
	return pgtest.NewServer(t, embedded.Options{Settings: map[string]string{"shared_preload_libraries": "auto_explain"}}).Address()
}

// startTelling starts a proxy whose backends tell the plans of all statements, and which
// asks for none.
func startTelling(t testing.TB, backend string, mode explain.Mode, change func(*proxy.Config)) *running {
	t.Helper()
	c := observing()
	c.Explain, c.AutoExplain = explain.Off, mode
	return startObserved(t, backend, proxy.NewServer, c, change)
}

// told returns the plan of a statement whose text contains part, once it is there.
func told(t testing.TB, p *running, part string) *explain.Result {
	t.Helper()
	r := explained(t, p, part)
	if !r.Told || r.Plan == nil {
		t.Fatalf("%s: %+v", part, r)
	}
	return r
}

// No client can tell whether auto_explain tells plans: all tables come out the same.
func TestTellingChangesNothing(t *testing.T) {
	backend := tellingServer(t)
	direct, truth := proveTables(t, backend)
	proxies := map[int]*running{}
	for _, s := range pgtest.Scripts() {
		if !s.LegalIn(string(pool.ModeTransaction)) {
			continue
		}
		size := max(1, s.Backends)
		if proxies[size] == nil {
			proxies[size] = startTelling(t, backend, explain.Analyze, func(c *proxy.Config) { c.Pool.Size = size })
		}
		t.Run(s.Name, func(t *testing.T) {
			to := direct
			to.Address = proxies[size].addr
			got := pgtest.Check(t, to, &s)
			if want := truth[s.Name]; !t.Failed() && !s.Loose && want != nil {
				if diff := pgtest.Diff(want, got); diff != "" {
					t.Errorf("%s\ndirectly:\n%s\nthrough the proxy:\n%s", diff, want, got)
				}
			}
		})
	}
	for size, p := range proxies {
		if p.mon.Explainer().Counts().Told == 0 {
			t.Errorf("with %d backends no plan was told", size)
		}
	}
}

// A client sees its own settings, and gets the plans that it has asked for.
func TestTellingIsNotSeen(t *testing.T) {
	backend := tellingServer(t)
	target := pgtest.Target{Address: backend, User: "postgres", Database: "postgres"}
	ask := func(sql ...string) (steps []pgtest.Step) {
		for _, text := range sql {
			steps = append(steps, pgtest.Send(pgtest.Query(text)).Expect("...", "Z I"))
		}
		return steps
	}
	const all = "select string_agg(name || setting || source, ',' order by name) from pg_settings where name ~ 'explain'"
	for name, steps := range map[string][]pgtest.Step{
		"show":     ask("select 1", "show auto_explain.log_min_duration", "SHOW AUTO_EXPLAIN.log_level", "select 2"),
		"function": ask("select current_setting('auto_explain.log_format')"),
		"view":     ask("select 1", all, all),
		"all":      ask("show  ALL ;"),
		"level": ask("set client_min_messages = error", "select 1", "show client_min_messages", "set client_min_messages = debug5", "select 1",
			"reset client_min_messages", "show client_min_messages"),
		"own notices": ask("do $$ begin raise info 'duration: 1.000 ms  plan:\n{}'; raise notice 'duration: 1.000 ms  plan:\n{}'; end $$"),
		"parse": {
			pgtest.Send(pgtest.Parse("", all), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := startTelling(t, backend, explain.Plan, func(c *proxy.Config) { c.Pool.Size = 1 })
			through := target
			through.Address = p.addr
			pgtest.Compare(t, target, through, &pgtest.Script{Name: name, Steps: steps})
		})
	}
}

// A client that asks auto_explain for plans gets them as it has asked.
func TestOwnPlans(t *testing.T) {
	backend := tellingServer(t)
	for name, c := range map[string]struct {
		options string
		sql     []string
	}{
		"set":      {"", []string{"select 1", "set auto_explain.log_level = notice", "set auto_explain.log_min_duration = 0", "select 2"}},
		"start-up": {"-c auto_explain.log_level=notice -c auto_explain.log_min_duration=0", []string{"select 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := startTelling(t, backend, explain.Plan, func(c *proxy.Config) { c.Pool.Size = 1 })
			var notices []string
			config, err := pgconn.ParseConfig("postgres://postgres@" + p.addr + "/postgres?sslmode=disable")
			if err != nil {
				t.Fatal(err)
			}
			config.RuntimeParams["options"] = c.options
			config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notices = append(notices, n.Severity+" "+n.Message) }
			conn, err := pgconn.ConnectConfig(context.Background(), config)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close(context.Background()) }()
			for _, sql := range c.sql {
				if _, err := conn.Exec(context.Background(), sql).ReadAll(); err != nil {
					t.Fatal(err)
				}
			}
			if len(notices) != 1 || !strings.HasPrefix(notices[0], "NOTICE duration: ") || !strings.Contains(notices[0], "Query Text: select 2") {
				t.Errorf("the client got %q", notices)
			}
		})
	}
}

// The plan of what cannot be executed again is told, in every protocol, and also where it
// comes in a later exchange.
func TestPlansAreTold(t *testing.T) {
	backend := tellingServer(t)
	admin := dial(t, backend)
	if _, err := admin.Exec(context.Background(), "create table told (id int, v text); insert into told select i, 'v' || i from generate_series(1, 20000) i; analyze told").ReadAll(); err != nil {
		t.Fatal(err)
	}
	p := startTelling(t, backend, explain.Analyze, func(c *proxy.Config) { c.Pool.Size = 1 })
	conn, ctx := dial(t, p.addr), context.Background()
	if _, err := conn.Exec(ctx, "update told set v = v || 'mark4711' where id < 10 and v <> 'mark4711'").ReadAll(); err != nil {
		t.Fatal(err)
	}
	r := told(t, p, "update told")
	if !r.Plan.Analyzed || r.Plan.Root.Type != "ModifyTable" || r.Plan.Root.Children[0].Rows != 9 || r.Shape == 0 {
		t.Errorf("told: %s", strings.Join(r.Lines(), "\n"))
	}
	if _, err := conn.Exec(ctx, "begin; select 1").ReadAll(); err != nil {
		t.Fatal(err)
	}
	if r := conn.ExecParams(ctx, "select count(*) from told where v = $1", [][]byte{[]byte("mark4711")}, nil, nil, nil).Read(); r.Err != nil {
		t.Fatal(r.Err)
	}
	if _, err := conn.Exec(ctx, "commit").ReadAll(); err != nil {
		t.Fatal(err)
	}
	r = told(t, p, "from told where")
	if filter := r.Plan.Root.Children[0].Filter; r.Text != "select count(*) from told where v = $1" || !strings.Contains(filter, "v = ") {
		t.Errorf("told: %q, filter %q", r.Text, filter)
	}
	if log := p.log.String(); !strings.Contains(log, "plan of a slow statement") {
		t.Errorf("the log:\n%s", log)
	}
	rows := rowsOf(t, consoleOf(t, p), "show plans")
	if len(rows) == 0 || rows[0]["source"] != "auto_explain" {
		t.Errorf("SHOW PLANS: %v", rows)
	}
	for place, text := range map[string]string{"log": p.log.String(), "results": resultsText(t, p), "metrics": metricsText(p)} {
		if strings.Contains(text, mark) {
			t.Errorf("%s has a literal:\n%s", place, text)
		}
	}
}

// A plan that does not come in one piece is read, and one that is too long is dropped: no
// client gets either.
func TestLongPlans(t *testing.T) {
	backend := tellingServer(t)
	p := startTelling(t, backend, explain.Plan, func(c *proxy.Config) { c.Pool.Size = 1 })
	for text, read := range map[string]bool{
		"select count(*) from (select oid from pg_class" + strings.Repeat(" union all select oid from pg_type", 200) + ") x": true,
		"select count(*) from pg_class where relname::text = '" + strings.Repeat("x", 1_200_000) + "'":                       false,
	} {
		target := pgtest.Target{Address: backend, User: "postgres", Database: "postgres"}
		through := target
		through.Address = p.addr
		before := p.mon.Explainer().Counts().Told
		pgtest.Compare(t, target, through, &pgtest.Script{Name: "long", Steps: []pgtest.Step{
			pgtest.Send(pgtest.Query(text)).Expect("...", "Z I"), pgtest.Send(pgtest.Query("select 1")).Expect("...", "Z I"),
		}})
		want := before + 1
		if read {
			want++
		}
		eventually(t, "what is to be read is", func() bool { return p.mon.Explainer().Counts().Told == want })
	}
}

// A plan that was told need not be asked for.
func TestToldIsEnough(t *testing.T) {
	c := observing()
	c.Explain, c.AutoExplain, c.ExplainCooldown = explain.Plan, explain.Plan, time.Hour
	p := startObserved(t, tellingServer(t), proxy.NewServer, c, nil)
	conn := dial(t, p.addr)
	for range 3 {
		if _, err := conn.Exec(context.Background(), "select count(*) from pg_class").ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	told(t, p, "pg_class")
	eventually(t, "nothing waits", func() bool { return p.mon.Explainer().Counts().Queued == 0 })
	if n := p.mon.Explainer().Counts(); n.Told != 1 || n.Planned != 0 {
		t.Errorf("%+v", n)
	}
}

// Where the server does not allow it, or somebody else uses auto_explain, it is left alone.
func TestTellingIsNotAllowed(t *testing.T) {
	backend := tellingServer(t)
	admin := dial(t, backend)
	for _, sql := range []string{
		"create role stranger login", "create role granted login", "create role user_of_it login",
		"grant set on parameter auto_explain.log_min_duration, auto_explain.log_level, auto_explain.log_format, auto_explain.log_verbose to granted",
		"alter role user_of_it set auto_explain.log_min_duration = '1h'", "alter role user_of_it superuser",
	} {
		if _, err := admin.Exec(context.Background(), sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		server, user string
		tells        bool
	}{{backend, "granted", true}, {backend, "stranger", false}, {backend, "user_of_it", false}, {plain(t), "postgres", false}} {
		p := startTelling(t, c.server, explain.Plan, nil)
		conn, err := pgconn.Connect(context.Background(), "postgres://"+c.user+"@"+p.addr+"/postgres?sslmode=disable")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(context.Background(), "select count(*) from pg_class").ReadAll(); err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if c.tells {
			told(t, p, "pg_class")
		} else if n := p.mon.Explainer().Counts(); n.Offered != 0 {
			t.Errorf("%s: %+v", c.user, n)
		}
	}
}
