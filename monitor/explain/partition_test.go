package explain

import (
	"context"
	"strings"
	"testing"

	"github.com/pgjay/pgjay/monitor/advice"
)

// One index is advised for all partitions, and no more once it is there.
func TestPartitionedAdvice(t *testing.T) {
	w := newWorld(t, `CREATE SCHEMA "Sales"; GRANT USAGE ON SCHEMA "Sales" TO app;
		CREATE TABLE "Sales".orders (id int, place int, made date) PARTITION BY RANGE (made);
		CREATE TABLE p2020 PARTITION OF "Sales".orders FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
		CREATE TABLE p2021 PARTITION OF "Sales".orders FOR VALUES FROM ('2021-01-01') TO ('2022-01-01') PARTITION BY HASH (id);
		CREATE TABLE p2021a PARTITION OF p2021 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
		CREATE TABLE p2021b PARTITION OF p2021 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
		INSERT INTO "Sales".orders SELECT i, i % 1000, '2020-01-01'::date + i % 700 FROM generate_series(1, 24000) i;
		ANALYZE; GRANT SELECT ON "Sales".orders TO app`)
	const sql, ddl = `SELECT * FROM "Sales".orders WHERE place = 7`, `CREATE INDEX ON "Sales".orders (place);`
	var list []advice.Advice
	for range 2 { // the second time it is known
		r := w.explain(sql)
		if list = w.advisedFor(r); len(list) != 1 || list[0].DDL != ddl || list[0].Table != `"Sales".orders` || !strings.Contains(list[0].Cost, "all partitions") {
			t.Fatalf("advised: %+v\n%s", list, strings.Join(r.Lines(), "\n"))
		}
	}
	w.explainer.revisit(context.Background(), w.links)
	if got := w.advisedFor(nil); got[0].State == advice.Adopted {
		t.Error("it is there before it was made")
	}
	w.run(w.admin, list[0].DDL)
	w.explainer.revisit(context.Background(), w.links)
	if got := w.advisedFor(nil); len(got) != 1 || got[0].State != advice.Adopted {
		t.Errorf("it was not seen: %+v", got)
	}
	w.explainer.advices = newAdviceBook()
	if got := w.advisedFor(w.explain(sql)); len(got) != 0 {
		t.Errorf("advised again: %+v", got)
	}
}

// One of several values is looked up in each partition.
func TestPartitionedAdviceForOr(t *testing.T) {
	w := newWorld(t, `CREATE TABLE events (id int, v text, made date) PARTITION BY RANGE (made);
		CREATE TABLE e2020 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
		CREATE TABLE e2021 PARTITION OF events FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
		INSERT INTO events SELECT i, 'v' || i % 1000, '2020-01-01'::date + i % 700 FROM generate_series(1, 24000) i; ANALYZE; GRANT SELECT ON events TO app`)
	const sql = `SELECT * FROM events WHERE v = 'v7' OR v = 'v9'`
	before := w.explain(sql)
	list := w.advisedFor(before)
	if len(list) != 1 || list[0].DDL != `CREATE INDEX ON public.events (v);` {
		t.Fatalf("advised: %+v\n%s", list, strings.Join(before.Lines(), "\n"))
	}
	w.run(w.admin, list[0].DDL)
	after := w.explain(sql)
	for n := range after.Plan.Nodes() {
		if n.Type == "Seq Scan" {
			t.Errorf("it is not used:\n%s", strings.Join(after.Lines(), "\n"))
		}
	}
}
