package reactor

import "testing"

// TestEndedThenGone has the peer close altogether when the handler has stayed.
func TestEndedThenGone(t *testing.T) {
	g, err := New(Config{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			w, peer := watched(t, g, network)
			w.end(t, peer)
			_ = peer.Close()
			if network == "tcp" { // nobody is told before something is sent
				onLoop(g.Loops()[0], func() { w.conn.Write([]byte("still there?")) })
			}
			_ = wait(t, w.ends, "end")
		})
	}
}
