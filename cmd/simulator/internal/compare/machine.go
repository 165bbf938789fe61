package compare

import (
	"context"
	"net/url"
	"os"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Machine is where it was measured.
type Machine struct {
	System     string `json:"system"`
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	PostgreSQL string `json:"postgresql"`
	Go         string `json:"go"`
}

// ThisMachine asks the system, and the server of u.
func ThisMachine(ctx context.Context, u *url.URL) Machine {
	m := Machine{runtime.GOOS + "/" + runtime.GOARCH, cpuName(), runtime.NumCPU(), "unknown", runtime.Version()}
	conn, err := pgx.Connect(ctx, u.String())
	if err != nil {
		return m
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_ = conn.QueryRow(ctx, "show server_version").Scan(&m.PostgreSQL) // else it stays unknown
	return m
}

// cpuName is what Linux calls it, or "unknown".
func cpuName() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
