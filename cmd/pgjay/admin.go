package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/pgjay/pgjay/monitor/web"
)

// admin is the HTTP server of dashboard, metrics and health. A nil one does nothing: it
// is switched off.
type admin struct {
	listener net.Listener
	server   *http.Server
}

// startAdmin serves the dashboard, metrics and health on address, unless that is empty.
func startAdmin(address string, dashboard *web.Dashboard, log *slog.Logger) (*admin, error) {
	if address == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("admin address: %w", err)
	}
	server := &http.Server{
		Handler:           dashboard,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(dashboard.Close)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the admin address is not served any more", "error", err)
		}
	}()
	return &admin{listener, server}, nil
}

// address is where it listens, or "".
func (a *admin) address() string {
	if a == nil {
		return ""
	}
	return a.listener.Addr().String()
}

// stop answers what is being asked, for a second, and closes.
func (a *admin) stop() {
	if a == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if a.server.Shutdown(ctx) != nil {
		_ = a.server.Close()
	}
}
