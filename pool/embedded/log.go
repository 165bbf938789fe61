package embedded

import (
	"io"
	"os"
	"sync"
	"time"
)

// serverLog is the pipe that the server's log is written to. Its goroutine
// ends at close, when the last process of the server is gone.
type serverLog struct {
	r, w *os.File
	to   io.Writer
	done chan struct{}

	mu   sync.Mutex
	tail []byte // guarded by mu
}

func newLog(to io.Writer) (*serverLog, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	l := &serverLog{r: r, w: w, to: to, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		_, _ = io.Copy(l, r) // until the last writer has closed it
		_ = r.Close()
	}()
	return l, nil
}

// Write takes what the server wrote. It never fails: reading must go on.
func (l *serverLog) Write(p []byte) (int, error) {
	const most = 4 << 10
	l.mu.Lock()
	l.tail = append(l.tail, p...)
	l.tail = l.tail[max(0, len(l.tail)-most):]
	l.mu.Unlock()
	_, _ = l.to.Write(p)
	return len(p), nil
}

// last is the end of the log.
func (l *serverLog) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.tail)
}

// close does not wait for ever for a process that does not want to end.
func (l *serverLog) close() {
	_ = l.w.Close()
	_ = l.r.SetReadDeadline(time.Now().Add(time.Second))
	<-l.done
}
