package proxy

import (
	"time"

	"github.com/pgjay/pgjay/pool"
)

var showDatabases = consoleCommand{
	words: "SHOW DATABASES", tag: "SHOW", run: databaseRows,
	columns: bouncerColumns("ssissiiiissiiiiii",
		"name", "host", "port", "database", "force_user", "pool_size", "min_pool_size", "reserve_pool_size",
		"server_lifetime", "pool_mode", "load_balance_hosts", "max_connections", "current_connections",
		"max_client_connections", "current_client_connections", "paused", "disabled"),
}

func databaseRows(call *consoleCall) (consoleAnswer, error) {
	clients, err := call.Clients()
	if err != nil {
		return consoleAnswer{}, err
	}
	connected := make(map[string]int64)
	for i := range clients {
		connected[clients[i].Key.Database]++
	}
	rows := [][]any{{
		consoleDatabase, nil, int64(0), consoleDatabase, nil, int64(0), int64(0), int64(0), int64(0), string(pool.ModeStatement),
		nil, int64(0), int64(0), int64(0), connected[consoleDatabase], int64(0), int64(0),
	}}
	for _, d := range call.pools.Databases() {
		rows = append(rows, databaseRow(&d, connected[d.Name]))
	}
	return consoleAnswer{rows: rows}, nil
}

func databaseRow(d *pool.DatabaseStat, clients int64) []any {
	s := &d.Settings
	return []any{
		shown(d.Name), d.Host, int64(d.Port), shown(d.Database), nil, int64(s.Size), int64(s.MinIdle), int64(s.Overflow),
		int64(s.Recycle / time.Second), string(s.Mode), nil, int64(d.Cap), int64(d.Connections), int64(0), clients, oneIf(d.Paused), oneIf(d.Disabled),
	}
}
