package main

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"github.com/pgjay/pgjay/configs"
	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/monitor/web"
	"github.com/pgjay/pgjay/proxy"
)

// reloads says when the configuration is to be read again, and how.
type reloads struct {
	requests <-chan os.Signal
	load     func() (*configs.Config, error)
	level    *slog.LevelVar // the logger's
}

// reloader puts new configurations into force, one at a time.
type reloader struct {
	log       *slog.Logger
	mon       *monitor.Monitor
	srv       *proxy.Server
	dashboard *web.Dashboard
	cfg       *configs.Config // in force; owned by watch's goroutine
	// asked has a reload that the console waits for; it gets the error.
	asked chan chan<- error
}

// watch handles requests until ctx ends. The channel it returns is closed then.
func (r *reloader) watch(ctx context.Context, reload *reloads) <-chan struct{} {
	done := make(chan struct{})
	if reload == nil {
		close(done)
		return done
	}
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-reload.requests:
				_ = r.reload(reload) // it is logged
			case answer := <-r.asked:
				answer <- r.reload(reload)
			}
		}
	}()
	return done
}

// reload reads the configuration. If anything is wrong with it, nothing
// changes.
func (r *reloader) reload(from *reloads) error {
	next, err := from.load()
	if err == nil {
		err = r.apply(next, from.level)
	}
	r.mon.ConfigReloaded(err)
	if err != nil {
		r.report(err)
	}
	return err
}

// ask has the configuration read again, and waits for what comes of it.
func (r *reloader) ask(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case r.asked <- answer:
		return <-answer
	case <-ctx.Done():
		return errEnding
	}
}

var errEnding = errors.New("pgjay is shutting down")

// apply puts next into force as far as that goes without a restart.
func (r *reloader) apply(next *configs.Config, level *slog.LevelVar) error {
	live, restart := configs.Diff(r.cfg, next)
	next = configs.Live(r.cfg, next)
	if err := r.srv.Reload(next.Proxy()); err != nil {
		return err
	}
	r.cfg = next
	level.Set(logLevel(next.Log))
	r.mon.Configure(next.Monitor)
	r.dashboard.Configure(next.Dashboard)
	r.mon.SetClientLimit(next.Limits.MaxClients)
	r.log.Info("configuration reloaded", "changed", live)
	if len(restart) > 0 {
		r.log.Warn("some keys have changed in the file that are read at the start only: restart to change them", "keys", restart)
	}
	warn(r.log, next)
	return nil
}

// report logs each error of a configuration that was refused.
func (r *reloader) report(err error) {
	list := new(configs.Errors)
	if !errors.As(err, &list) {
		r.log.Error("configuration not reloaded: nothing has changed", "error", err)
		return
	}
	for _, e := range list.List {
		r.log.Error("configuration not reloaded: nothing has changed", "error", e)
	}
}
