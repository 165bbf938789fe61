package proxy_test

import "testing"

// 57 the database is part of who asks: the same text in another one has another answer.
func TestCacheDatabases(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	for _, sql := range []string{"drop database if exists cached_2 with (force)", "create database cached_2"} {
		if err := admin.Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = admin.Exec("drop database if exists cached_2 with (force)") })
	p := startProxy(t, backend, withCache)
	for _, database := range []string{"postgres", "cached_2"} {
		direct, conn := dialDatabase(t, backend, database), dialDatabase(t, p.addr, database)
		answerOf(t, direct, "drop table if exists in_two; create table in_two as select current_database()::text as name")
		defer answerOf(t, direct, "drop table in_two")
		want := answerOf(t, direct, "select name from in_two")
		if got := answerOf(t, conn, "select name from in_two"); got != want {
			t.Errorf("%s gets %s, want %s", database, got, want)
		}
		if got := cached(t, p, conn, "select name from in_two"); got != want {
			t.Errorf("%s gets %s from the cache, want %s", database, got, want)
		}
	}
}
