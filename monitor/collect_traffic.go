package monitor

import "github.com/prometheus/client_golang/prometheus"

// trafficCollector adds up what the loops have counted, at each scrape.
type trafficCollector struct {
	page
	monitor *Monitor

	queries, errors, inFlight, transactions *prometheus.Desc
	duration, backend, overhead, txDuration *prometheus.Desc
	clients, waitDuration, waitTimeouts     *prometheus.Desc
	clientReceived, clientSent              *prometheus.Desc
	serverReceived, serverSent              *prometheus.Desc
	statements, logins, parses, binds       *prometheus.Desc
	rows, held                              *prometheus.Desc
	lookups, drops, named                   *prometheus.Desc
}

func newTrafficCollector(b *book, m *Monitor) *trafficCollector {
	c := &trafficCollector{page: page{book: b}, monitor: m}
	c.queries = c.desc("counter", "queries_total", "Exchanges ended: all messages up to a Query or Sync, and their replies.", "database", "user", "command", "source")
	c.duration = c.desc("histogram", "query_duration_seconds", "Time of an exchange as its client saw it.", "database", "command", "source")
	c.backend = c.desc("histogram", "query_backend_duration_seconds", "Time of an exchange that PostgreSQL and the way to it took.", "database")
	c.overhead = c.desc("histogram", "overhead_duration_seconds", "Time of an exchange that PgJay took: neither PostgreSQL nor waiting for a backend.", "database")
	c.errors = c.desc("counter", "query_errors_total", "Exchanges that failed.", "database", "sqlstate_class")
	c.rows = c.desc("counter", "query_rows_total", "Rows that exchanges have returned or changed, as PostgreSQL says when they complete.", "database", "command")
	c.inFlight = c.desc("gauge", "queries_in_flight", "Clients with an exchange under way; a pipeline of several counts once.")
	c.transactions = c.desc("counter", "transactions_total", "Transactions ended, also those of a single exchange without BEGIN.", "database", "user", "result")
	c.txDuration = c.desc("histogram", "transaction_duration_seconds", "Time from a transaction's first exchange to its end.", "database")
	c.clients = c.desc("gauge", "client_connections", "Clients that are logged in.", "database", "user", "state")
	c.waitDuration = c.desc("histogram", "pool_wait_duration_seconds", "Time clients waited for a backend, when there was none at once.", "database", "user")
	c.held = c.desc("histogram", "pool_checkout_duration_seconds", "Time for which sessions had a backend, from when they got it to when they gave it back.", "database", "user")
	c.waitTimeouts = c.desc("counter", "pool_wait_timeouts_total", "Clients that waited for a backend in vain (pool.acquire_timeout).", "database", "user")
	c.clientReceived = c.desc("counter", "client_received_bytes_total", "Bytes received from clients that are logged in.", "database", "user")
	c.clientSent = c.desc("counter", "client_sent_bytes_total", "Bytes sent to clients that are logged in.", "database", "user")
	c.serverReceived = c.desc("counter", "server_received_bytes_total", "Bytes received from PostgreSQL on behalf of clients.", "database", "user")
	c.serverSent = c.desc("counter", "server_sent_bytes_total", "Bytes sent to PostgreSQL on behalf of clients.", "database", "user")
	c.statements = c.desc("gauge", "prepared_statements_bytes", "Memory of the prepared statements that clients have by name (limits.max_prepared_mb).")
	c.logins = c.desc("counter", "client_logins_total", "Clients that have logged in.", "database", "user")
	c.parses = c.desc("counter", "parses_total", "Parse messages: those of clients, and those sent to PostgreSQL for them.", "database", "user", "side")
	c.binds = c.desc("counter", "binds_total", "Bind messages of clients.", "database", "user")
	c.named = c.desc("gauge", "prepared_statements", "Prepared statements: those that clients have by name, and those that backends have for all sessions.", "scope")
	c.lookups = c.desc("counter", "prepared_statement_lookups_total", "Times a statement that a client prepares or executes was looked for on its backend.", "database", "user", "result")
	c.drops = c.desc("counter", "prepared_statement_evictions_total", "Prepared statements that had to make room for others on a backend (pool.max_prepared_statements).", "database", "user")
	return c
}

// Collect implements prometheus.Collector.
func (c *trafficCollector) Collect(out chan<- prometheus.Metric) {
	traffics, databases := c.monitor.totals()
	var inFlight int64
	for w, t := range traffics {
		c.collectTraffic(out, w, t)
		inFlight += t.clients(ClientActive) + t.clients(ClientWaiting)
	}
	for database, d := range databases {
		c.collectDatabase(out, database, d)
	}
	out <- prometheus.MustNewConstMetric(c.inFlight, prometheus.GaugeValue, float64(inFlight))
	var statements, named int64
	for _, r := range c.monitor.recorders {
		statements += int64(r.statements.load())
		named += int64(r.named.load())
	}
	shared := 0
	for _, st := range c.monitor.pools() {
		shared += st.Prepared
	}
	out <- prometheus.MustNewConstMetric(c.named, prometheus.GaugeValue, float64(named), "client")
	out <- prometheus.MustNewConstMetric(c.named, prometheus.GaugeValue, float64(shared), "server")
	out <- prometheus.MustNewConstMetric(c.statements, prometheus.GaugeValue, float64(statements))
}

func (c *trafficCollector) collectTraffic(out chan<- prometheus.Metric, w who, t *trafficTotal) {
	count := func(desc *prometheus.Desc, cell int, labels ...string) {
		labels = append([]string{w.database, w.user}, labels...)
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(t.cells[cell]), labels...)
	}
	for command, name := range commandNames {
		for source, sourceName := range sourceNames {
			cell := cellQueries + series(Command(command), Source(source))
			if t.cells[cell] > 0 {
				count(c.queries, cell, name, sourceName)
			}
		}
	}
	for result, name := range transactionResultNames {
		count(c.transactions, cellTransactions+result, name)
	}
	count(c.waitTimeouts, cellWaitTimeouts)
	count(c.clientReceived, cellClientReceived)
	count(c.clientSent, cellClientSent)
	count(c.serverReceived, cellServerReceived)
	count(c.serverSent, cellServerSent)
	count(c.logins, cellLogins)
	count(c.parses, cellClientParses, "client")
	count(c.parses, cellServerParses, "server")
	count(c.binds, cellBinds)
	count(c.lookups, cellPreparedHits, "hit")
	count(c.lookups, cellPreparedMisses, "miss")
	count(c.drops, cellPreparedDrops)
	for state := ClientIdle; state < clientStateCount; state++ {
		out <- prometheus.MustNewConstMetric(c.clients, prometheus.GaugeValue, float64(t.clients(state)),
			w.database, w.user, clientStateNames[state])
	}
	if t.wait.count > 0 {
		out <- t.wait.metric(c.waitDuration, c.monitor.started, w.database, w.user)
	}
	if t.held.count > 0 {
		out <- t.held.metric(c.held, c.monitor.started, w.database, w.user)
	}
}

func (c *trafficCollector) collectDatabase(out chan<- prometheus.Metric, database string, d *databaseTotal) {
	distribute := func(desc *prometheus.Desc, slot int, labels ...string) {
		if h := d.histograms[slot]; h != nil {
			out <- h.metric(desc, c.monitor.started, append([]string{database}, labels...)...)
		}
	}
	for command, name := range commandNames {
		for source, sourceName := range sourceNames {
			distribute(c.duration, slotDuration+series(Command(command), Source(source)), name, sourceName)
		}
	}
	distribute(c.backend, slotBackend)
	distribute(c.overhead, slotOverhead)
	distribute(c.txDuration, slotTransaction)
	for command, n := range d.rows {
		if n > 0 {
			out <- prometheus.MustNewConstMetric(c.rows, prometheus.CounterValue, float64(n), database, commandNames[command])
		}
	}
	for i, n := range d.errors {
		if n > 0 {
			out <- prometheus.MustNewConstMetric(c.errors, prometheus.CounterValue, float64(n), database, sqlstateClasses[i])
		}
	}
}
