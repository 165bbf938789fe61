package reactor

import (
	"sync"
	"testing"
)

// TestPost posts from many goroutines: every task runs, in its poster's order,
// on the loop.
func TestPost(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		const posters, tasks = 8, 2000
		l := g.Loops()[0]
		ran := make([]int, posters) // touched by the loop only: -race looks at it
		var posting sync.WaitGroup
		for poster := range posters {
			posting.Go(func() {
				for i := range tasks {
					l.Post(Func(func() {
						if ran[poster] != i {
							t.Errorf("task %d after %d", i, ran[poster])
						}
						ran[poster]++
					}))
				}
			})
		}
		posting.Wait()
		onLoop(l, func() {
			for poster, n := range ran {
				if n != tasks {
					t.Errorf("poster %d: %d tasks", poster, n)
				}
			}
		})
	})
}

// pingPong is a task that goes back and forth between loops, which fall asleep
// in between.
type pingPong struct {
	loops []*Loop
	left  int
	done  chan struct{}
}

func (p *pingPong) Run() {
	if p.left--; p.left == 0 {
		close(p.done)
		return
	}
	p.loops[p.left%len(p.loops)].Post(p)
}

// TestPostWakes would hang if a sleeping loop missed a task.
func TestPostWakes(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		var games []*pingPong
		for range 2 {
			game := &pingPong{loops: g.Loops(), left: 2000, done: make(chan struct{})}
			g.Loops()[0].Post(game)
			games = append(games, game)
		}
		for _, game := range games {
			wait(t, game.done, "end of the game")
		}
	})
}

// TestPostFromLoop runs a task that a task has posted in the next round, so
// that posting does not keep a loop from its sockets.
func TestPostFromLoop(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		l := g.Loops()[0]
		stop := false // owned by the loop
		var again Func
		again = func() {
			if !stop {
				l.Post(again)
			}
		}
		l.Post(again)
		settleAll(t, l)
		onLoop(l, func() { stop = true })
	})
}
