package proxy

// What PgBouncer has and PgJay has not: peers, DNS of its own, and sockets that are
// handed to another process. These tables are empty.
var (
	showPeers = consoleCommand{
		words: "SHOW PEERS", tag: "SHOW", run: noRows, columns: bouncerColumns("isii", "peer_id", "host", "port", "pool_size"),
	}
	showPeerPools = consoleCommand{
		words: "SHOW PEER_POOLS", tag: "SHOW", run: noRows,
		columns: bouncerColumns("iiiii", "peer_id", "cl_active_cancel_req", "cl_waiting_cancel_req", "sv_active_cancel", "sv_login"),
	}
	showDNSHosts = consoleCommand{
		words: "SHOW DNS_HOSTS", tag: "SHOW", run: noRows, columns: bouncerColumns("sqs", "hostname", "ttl", "addrs"),
	}
	showDNSZones = consoleCommand{
		words: "SHOW DNS_ZONES", tag: "SHOW", run: noRows, columns: bouncerColumns("sqi", "zonename", "serial", "count"),
	}
	showFDs = consoleCommand{
		words: "SHOW FDS", tag: "SHOW", run: noRows,
		columns: bouncerColumns("issssiqisssssbb",
			"fd", "task", "user", "database", "addr", "port", "cancel", "link", "client_encoding", "std_strings",
			"datestyle", "timezone", "password", "scram_client_key", "scram_server_key"),
	}
)

func noRows(*consoleCall) (consoleAnswer, error) { return consoleAnswer{}, nil }
