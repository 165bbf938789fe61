package pool

import (
	"context"

	"github.com/pgjay/pgjay/proxy/reactor"
)

// Cancel asks the server to cancel what the backend executes. done runs on the
// lessee's loop when the server has acted on it, or it has failed; the backend
// must not be released before. It may be called on any goroutine.
func (b *Backend) Cancel(done reactor.Task) {
	set := b.Pool.set
	b.Pool.mu.Lock()
	loop := b.loop
	b.Pool.mu.Unlock()
	set.spawn(func() {
		ctx, cancel := context.WithTimeout(context.Background(), set.connectTimeout())
		defer cancel()
		_ = b.login.Cancel(ctx) // a request that is lost is like one that came too late
		loop.Post(done)
		set.working.done()
	})
}
