package proxy

import (
	"maps"
	"slices"
	"strconv"

	"github.com/pgjay/pgjay/pool"
)

var showUsers = consoleCommand{
	words: "SHOW USERS", tag: "SHOW", run: userRows,
	columns: bouncerColumns("ssssiiii",
		"name", "pool_size", "reserve_pool_size", "pool_mode", "max_user_connections", "current_connections",
		"max_user_client_connections", "current_client_connections"),
}

// userLine is a row of SHOW USERS: a user who is configured, or has clients.
type userLine struct {
	backends, clients int
	own               pool.Override // what is configured for the user alone
}

func userRows(call *consoleCall) (consoleAnswer, error) {
	clients, err := call.Clients()
	if err != nil {
		return consoleAnswer{}, err
	}
	lines := make(map[string]*userLine)
	line := func(name string) *userLine {
		if lines[name] == nil {
			lines[name] = &userLine{}
		}
		return lines[name]
	}
	for _, u := range call.settings().auth.Users {
		line(u.Name)
	}
	_, config := call.pools.Configured()
	for _, o := range config.Users {
		line(o.Name).own = o
	}
	for _, st := range call.pools.Stats() {
		line(st.Key.User).backends += st.Active + st.Idle + st.Testing + st.Dedicated
	}
	for i := range clients {
		line(clients[i].Key.User).clients++
	}
	var rows [][]any
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		rows = append(rows, lines[name].row(name))
	}
	return consoleAnswer{rows: rows}, nil
}

func (l *userLine) row(name string) []any {
	var mode any
	if l.own.Mode != nil {
		mode = string(*l.own.Mode)
	}
	return []any{shown(name), ownSize(l.own.Size), ownSize(l.own.Overflow), mode, int64(0), int64(l.backends), int64(0), int64(l.clients)}
}

// ownSize is a size that is configured for a user; empty: none is.
func ownSize(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}
