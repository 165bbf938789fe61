package proxy_test

import (
	"testing"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

// A session that listens keeps no backend for it.
func TestListenPinsNobody(t *testing.T) {
	p := startProxy(t, plain(t), onlyOne)
	var listeners []*pgtest.Conn
	for range 20 {
		c := client(t, p.addr)
		if _, err := c.Query("listen news"); err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, c)
	}
	expectMetric(t, p, `pinned_sessions{reason="listen"}`, 0)
	speaker := client(t, p.addr)
	for _, payload := range []string{"one", "two"} {
		if _, err := speaker.Query("notify news, '" + payload + "'"); err != nil {
			t.Fatal(err)
		}
		for _, c := range listeners {
			expect(t, c, "A news "+payload)
		}
	}
}

// What a session listens to is not forgotten when its settings are asked for.
func TestListenSurvivesASettingTakenBack(t *testing.T) {
	p := startProxy(t, plain(t), onlyOne)
	c, speaker := client(t, p.addr), client(t, p.addr)
	for _, sql := range []string{"listen taken_back", "set work_mem = '5MB'", "begin", "set work_mem = '6MB'", "rollback"} {
		if _, err := c.Query(sql); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := speaker.Query("notify taken_back, 'heard'"); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "A taken_back heard")
}
