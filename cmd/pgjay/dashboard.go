package main

import (
	"time"

	"github.com/pgjay/pgjay/configs"
	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/monitor/web"
	"github.com/pgjay/pgjay/proxy"
)

// newDashboard makes what answers on the admin address.
func newDashboard(cfg *configs.Config, mon *monitor.Monitor, srv *proxy.Server) *web.Dashboard {
	source := web.Source{
		Monitor:  mon,
		Clients:  func() ([]web.Client, error) { return clientsOf(srv) },
		Rewrites: func() []web.Rewrite { return rewritesOf(srv) },
	}
	if cache := srv.Cache(); cache != nil {
		source.Shapes = cache.Shapes
	}
	return web.New(cfg.Dashboard, proxy.Loopback(cfg.Admin), source)
}

// clientsOf is the server's list of clients as the dashboard has it.
func clientsOf(srv *proxy.Server) ([]web.Client, error) {
	clients, err := srv.Clients()
	all := make([]web.Client, 0, len(clients))
	for i := range clients {
		c := &clients[i]
		all = append(all, web.Client{
			ID: c.ID, Database: c.Key.Database, User: c.Key.User, Application: c.Application, State: c.State.String(),
			Address: c.Remote.String(), Connected: c.Connected,
			Pin: c.Pin.Reason, Held: c.Pin.Held.Seconds(), Statement: c.Pin.Statement,
		})
	}
	return all, err
}

// rewritesOf is the server's list of rewritten statements as the dashboard has it.
func rewritesOf(srv *proxy.Server) []web.Rewrite {
	var all []web.Rewrite
	for _, st := range srv.Rewrites() {
		all = append(all, web.Rewrite{
			Rule: st.Rule, State: st.State.String(), Database: st.Database, User: st.User, Text: st.Shape, Becomes: st.Form, Calls: st.Used, Why: st.Why,
			Saved: time.Duration(st.SavedNS).Seconds(), Before: time.Duration(st.WasNS).Seconds(), After: time.Duration(st.IsNS).Seconds(),
			Ratio: st.Ratio,
		})
	}
	return all
}
