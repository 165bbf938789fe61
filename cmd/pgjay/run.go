package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"

	"github.com/pgjay/pgjay/configs"
	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/proxy"
)

// run serves clients as cfg says until ctx ends, and returns when all is
// closed. reload may be nil. The order of start and stop is here:
func run(ctx context.Context, cfg *configs.Config, log *slog.Logger, reload *reloads) error {
	warn(log, cfg)

	// 1. The monitor: everything after it reports to it.
	mon := newMonitor(cfg, log)

	// 2. The server, which opens nothing yet but reads TLS files and users.
	srv, err := proxy.NewServer(cfg.Proxy(), log, mon)
	if err != nil {
		return err
	}
	defer srv.Close()
	connectMonitor(mon, srv)

	// 3. The admin address: /readyz answers 503 until clients are accepted.
	dashboard := newDashboard(cfg, mon, srv)
	admin, err := startAdmin(cfg.Admin, dashboard, log)
	if err != nil {
		return err
	}
	// 8. Last of all, so that the drain can be watched and scraped.
	defer admin.stop()

	// 4. The clients' addresses: all of them, or none and an error.
	if err := srv.Listen(); err != nil {
		return err
	}
	log.Info("listening", "addresses", addressNames(srv), "admin", admin.address(),
		"backend", cfg.BackendURL(), "pid", os.Getpid(), "version", readBuild().version)

	// 5. Reloads, for as long as clients are served.
	serving, stopped := context.WithCancel(ctx)
	defer stopped()
	running := reloader{log: log, mon: mon, srv: srv, dashboard: dashboard, cfg: cfg, asked: make(chan chan<- error)}
	watching := running.watch(serving, reload)
	ctx, shutDown := context.WithCancelCause(ctx)
	defer shutDown(nil)
	control := proxy.Control{Shutdown: func() { shutDown(errShutdown) }}
	if reload != nil {
		control.Reload = func() error { return running.ask(serving) }
	}
	srv.SetControl(control)

	// 6. Clients. Run returns when ctx has ended and they are drained.
	err = srv.Run(ctx)

	// 7. No reload is under way any more.
	stopped()
	<-watching
	log.Info("stopped", "cause", context.Cause(ctx))
	return err
}

// errShutdown is why run ends after the console's SHUTDOWN.
var errShutdown = errors.New("SHUTDOWN in the console")

func newMonitor(cfg *configs.Config, log *slog.Logger) *monitor.Monitor {
	b := readBuild()
	loops := cfg.Listen.Loops
	if loops == 0 {
		loops = runtime.GOMAXPROCS(0)
	}
	mon := monitor.New(monitor.Options{Version: b.version, Commit: b.commit, Loops: loops, Config: cfg.Monitor, Log: log})
	mon.SetClientLimit(cfg.Limits.MaxClients)
	return mon
}

// connectMonitor tells the monitor whom to ask.
func connectMonitor(mon *monitor.Monitor, srv *proxy.Server) {
	mon.SetSources(srv.Pools().Stats, srv.Ready)
	mon.SetListeners(srv.Pools().ListenerStats)
	mon.SetSpool(srv.SpoolStat)
	if cache := srv.Cache(); cache != nil {
		mon.SetCache(cache.Stat)
	}
	if srv.KeepsBookmarks() {
		mon.SetOffset(srv.OffsetStat)
	}
}

// warn logs what cfg allows and is probably not meant.
func warn(log *slog.Logger, cfg *configs.Config) {
	for _, w := range cfg.Warnings() {
		log.Warn(w)
	}
}

func addressNames(srv *proxy.Server) []string {
	var names []string
	for _, a := range srv.Addrs() {
		names = append(names, a.String())
	}
	return names
}
