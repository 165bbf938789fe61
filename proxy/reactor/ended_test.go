package reactor

import (
	"io"
	"net"
	"testing"
)

// TestEnded has the peer send its end of file while the handler has more to say.
func TestEnded(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		for _, size := range []int{10, 8 << 20} {
			t.Run(network, func(t *testing.T) {
				forBoth(t, func(t *testing.T, g *Group) {
					l := g.Loops()[0]
					w, peer := watched(t, g, network)
					defer peer.Close()
					w.end(t, peer)
					onLoop(l, w.conn.Pause)
					settleAll(t, l)
					onLoop(l, w.conn.Resume)
					settleAll(t, l)
					if w.ended.Load() != 0 {
						t.Fatal("closed")
					}
					answer := make([]byte, size)
					onLoop(l, func() { w.conn.Write(answer); w.conn.CloseAfterFlush() })
					expect(t, peer, answer)
					if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
						t.Error(err)
					}
					if w.ended.Load() != 0 {
						t.Error("an event came after CloseAfterFlush")
					}
				})
			})
		}
	}
}

// end has the peer end and the handler stay.
func (w *watcher) end(t *testing.T, peer net.Conn) {
	t.Helper()
	onLoop(w.conn.Loop(), func() { w.stays = true })
	if err := peer.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	wait(t, w.halves, "end of file")
}
