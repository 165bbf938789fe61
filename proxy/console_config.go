package proxy

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pgjay/pgjay/pool"
)

// showConfig has those of PgBouncer's settings that PgJay has something like.
var showConfig = consoleCommand{
	words: "SHOW CONFIG", tag: "SHOW", run: configRows, columns: bouncerColumns("ssss", "key", "value", "default", "changeable"),
}

func configRows(call *consoleCall) (consoleAnswer, error) {
	live := call.settings()
	_, pools := call.pools.Configured()
	now := bouncerConfig(live.listen, live.auth, live.limits, live.timeouts, &pools)
	defaults := pool.DefaultConfig()
	builtin := bouncerConfig(DefaultListenConfig(), DefaultAuthConfig(), DefaultLimitsConfig(), DefaultTimeoutsConfig(), &defaults)
	var rows [][]any
	for i, key := range now {
		changeable := "yes"
		if strings.HasPrefix(key.name, "listen_") || strings.HasPrefix(key.name, "unix_") {
			changeable = "no"
		}
		rows = append(rows, []any{key.name, shown(key.value), builtin[i].value, changeable})
	}
	return consoleAnswer{rows: rows}, nil
}

// configKey is a setting under PgBouncer's name.
type configKey struct{ name, value string }

func bouncerConfig(listen ListenConfig, auth AuthConfig, limits LimitsConfig, timeouts TimeoutsConfig, p *pool.Config) []configKey {
	var hosts, directories []string
	port := ""
	for _, address := range listen.Addresses {
		if filepath.IsAbs(address) {
			directories = append(directories, address)
			continue
		}
		host, n, _ := net.SplitHostPort(address)
		hosts, port = append(hosts, host), n
	}
	directory := strings.Join(directories, ",")
	return []configKey{
		{"admin_users", strings.Join(auth.Admins, ",")},
		{"auth_type", string(auth.Method)},
		{"client_idle_timeout", seconds(timeouts.ClientIdle)},
		{"client_login_timeout", seconds(timeouts.ClientLogin)},
		{"default_pool_size", strconv.Itoa(p.Size)},
		{"idle_transaction_timeout", seconds(timeouts.IdleInTransaction)},
		{"listen_addr", strings.Join(hosts, ",")},
		{"listen_port", port},
		{"max_client_conn", strconv.Itoa(limits.MaxClients)},
		{"max_db_connections", strconv.Itoa(p.MaxDatabaseConnections)},
		{"max_packet_size", strconv.Itoa(1<<31 - 1)},
		{"max_prepared_statements", strconv.Itoa(p.MaxPreparedStatements)},
		{"max_user_connections", "0"},
		{"min_pool_size", strconv.Itoa(p.MinIdle)},
		{"pool_mode", string(p.Mode)},
		{"query_timeout", seconds(timeouts.Query)},
		{"query_wait_timeout", seconds(p.AcquireTimeout)},
		{"reserve_pool_size", strconv.Itoa(p.Overflow)},
		{"reserve_pool_timeout", seconds(p.OverflowAfter)},
		{"server_check_delay", seconds(p.PrePingAfter)},
		{"server_lifetime", seconds(p.Recycle)},
		{"stats_period", "60"},
		{"transaction_timeout", seconds(timeouts.Transaction)},
		{"unix_socket_dir", directory},
	}
}

// seconds writes a duration as PgBouncer does, but with what is below a second.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'g', -1, 64) }
