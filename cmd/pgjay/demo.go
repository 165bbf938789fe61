package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os/user"
	"syscall"

	"github.com/pgjay/pgjay/configs"
	"github.com/pgjay/pgjay/pool/embedded"
	"github.com/pgjay/pgjay/proxy"
)

const demoHelp = `pgjay demo starts a throw-away PostgreSQL, loads a small CRM into it, and serves
it through PgJay until Ctrl-C. Then all of it is removed. PostgreSQL's programs
are looked for in $PGBIN, along PATH and in the usual places; where there are
none, they are fetched.

Usage: pgjay demo [FLAGS]

  --listen ADDRESS   host:port for clients; default 127.0.0.1:6432
  --admin ADDRESS    host:port of metrics and health; default 127.0.0.1:9432
  --log-level LEVEL  debug, info, warn or error; default warn
`

// demoFlags are the flags of pgjay demo.
type demoFlags struct {
	listen, admin, level string
}

func newDemoFlags() (*demoFlags, *flag.FlagSet) {
	f := new(demoFlags)
	set := flag.NewFlagSet("pgjay demo", flag.ContinueOnError)
	set.SetOutput(io.Discard) // parseFlags reports
	set.Usage = func() {}
	set.StringVar(&f.listen, "listen", "127.0.0.1:6432", "")
	set.StringVar(&f.admin, "admin", "127.0.0.1:9432", "")
	set.StringVar(&f.level, "log-level", "warn", "")
	return f, set
}

// runDemo is pgjay demo.
func runDemo(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	f, flags := newDemoFlags()
	if status, ok := parseFlags(flags, args, demoHelp, stdout, stderr); !ok {
		return status
	}
	ctx, stop := untilSignal(ctx, syscall.SIGHUP) // the terminal's window was closed
	defer stop()
	err := demo(ctx, f, stdout, stderr)
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(stderr, "pgjay demo:", err)
		return exitFailed
	}
	fmt.Fprintln(stdout, "\nStopped. All of it is removed.")
	return exitOK
}

// demo does it, in this order: what can fail fast comes first.
func demo(ctx context.Context, f *demoFlags, stdout, stderr io.Writer) (err error) {
	cfg, err := f.config()
	if err != nil {
		return err
	}
	if err := f.checkAddresses(); err != nil {
		return err
	}
	fmt.Fprintln(stdout, "Starting a throw-away PostgreSQL and filling it ...")
	db, err := embedded.Start(ctx, embedded.Options{})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := db.Close(); err == nil {
			err = closeErr
		}
	}()
	rows, err := loadCRM(ctx, db.URL)
	if err != nil {
		return err
	}
	if err := addGuest(ctx, db.URL("postgres", "postgres"), cfg); err != nil {
		return err
	}
	cfg.Backend.URL = fmt.Sprintf("postgres://%s?sslmode=disable", db.Address())
	return serveDemo(ctx, cfg, stderr, func(srv *proxy.Server, admin *admin) {
		fmt.Fprint(stdout, welcome(srv.Addrs()[0], admin.address(), db, rows))
	})
}

// config is everybody trusted, as on a database of one's own.
func (f *demoFlags) config() (*configs.Config, error) {
	return configs.LoadFlags("", []configs.Flag{
		addresses([]string{f.listen}),
		{Text: "--admin " + f.admin, Path: "admin", Value: f.admin},
		{Text: "--log-level " + f.level, Path: "log.level", Value: f.level},
		configs.Set("auth.method=trust"),
		configs.Set("cache.enabled=true"),
		configs.Set("monitor.explain_superuser=true"), // there is nobody else
		configs.Set("timeouts.shutdown=1s"),           // Ctrl-C is meant
	})
}

// checkAddresses finds out early what Listen would find out after the start of
// a server.
func (f *demoFlags) checkAddresses() error {
	for _, a := range []struct{ flag, address string }{{"--listen", f.listen}, {"--admin", f.admin}} {
		if a.address == "" {
			continue
		}
		l, err := net.Listen("tcp", a.address)
		if err != nil {
			return fmt.Errorf("%w\nchoose another address with %s, such as %[2]s 127.0.0.1:0 for any free port", err, a.flag)
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	return nil
}

// addGuest lets a plain psql in, which takes the name of the system's user for
// its user and its database: the CRM gets that name too.
func addGuest(ctx context.Context, url string, cfg *configs.Config) error {
	u, err := user.Current()
	if err != nil || u.Username == "" || u.Username == "postgres" {
		return nil // then psql needs to be told
	}
	if err := addSuperuser(ctx, url, u.Username); err != nil {
		return err
	}
	cfg.Pool.Databases = append(cfg.Pool.Databases, crmAlias(u.Username))
	return nil
}

// serveDemo is run without a log on the way, and with a word when it serves.
func serveDemo(ctx context.Context, cfg *configs.Config, stderr io.Writer, serving func(*proxy.Server, *admin)) error {
	log, _ := newLogger(cfg.Log, stderr)
	warn(log, cfg)
	mon := newMonitor(cfg, log)
	srv, err := proxy.NewServer(cfg.Proxy(), log, mon)
	if err != nil {
		return err
	}
	connectMonitor(mon, srv)
	admin, err := startAdmin(cfg.Admin, newDashboard(cfg, mon, srv), log)
	if err != nil {
		return err
	}
	defer admin.stop()
	if err := srv.Listen(); err != nil {
		return err
	}
	serving(srv, admin)
	return srv.Run(ctx)
}

// welcome says what runs where, and what to do with it.
func welcome(listen net.Addr, admin string, db *embedded.Server, rows int64) string {
	host, port, err := net.SplitHostPort(listen.String())
	if err != nil {
		host, port = listen.String(), "5432"
	}
	dashboard, metrics := "off", "off"
	if admin != "" {
		dashboard = "http://" + admin + "/"
		metrics = dashboard + "metrics"
	}
	return fmt.Sprintf(`
  PgJay       %[1]s:%[2]s
  PostgreSQL  %[3]s, data in %[4]s
  dashboard   %[5]s
  metrics     %[8]s

The database crm has %[6]d rows in tenants, companies, contacts, interactions.
Connect to it through PgJay:

  psql -h %[1]s -p %[2]s -U postgres crm

and try:

%[7]s
Ctrl-C stops and removes everything.
`, host, port, db.Address(), db.DataDir(), dashboard, rows, crmQueries, metrics)
}
