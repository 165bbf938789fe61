package proxy

// showLists counts things. PgJay keeps no free clients and servers, and leaves DNS to
// the system: these are 0.
var showLists = consoleCommand{
	words: "SHOW LISTS", tag: "SHOW", run: listRows, columns: bouncerColumns("si", "list", "items"),
}

func listRows(call *consoleCall) (consoleAnswer, error) {
	clients, err := call.Clients()
	if err != nil {
		return consoleAnswer{}, err
	}
	stats := call.pools.Stats()
	servers := 0
	for i := range stats {
		st := &stats[i]
		servers += st.Active + st.Idle + st.Testing + st.Login + st.Dedicated
	}
	users, err := userRows(call)
	if err != nil {
		return consoleAnswer{}, err
	}
	rows := [][]any{}
	for _, l := range []struct {
		name string
		n    int
	}{
		{"databases", len(call.pools.Databases()) + 1}, {"users", len(users.rows)}, {"peers", 0}, {"pools", len(stats)}, {"peer_pools", 0},
		{"free_clients", 0}, {"used_clients", len(clients)}, {"login_clients", max(int(call.clients.Load())-len(clients), 0)},
		{"free_servers", 0}, {"used_servers", servers},
		{"dns_names", 0}, {"dns_zones", 0}, {"dns_queries", 0}, {"dns_pending", 0},
	} {
		rows = append(rows, []any{l.name, int64(l.n)})
	}
	return consoleAnswer{rows: rows}, nil
}
